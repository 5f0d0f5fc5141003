"""What starts a generation, what does not end it, and what does."""

import asyncio

from tests.conformance.adapter import Ask, Call
from tests.conformance.reading import Reading
from tests.conformance.trial import WAIT, Absent, Trial, require, same

LONG_PIECES, LONG_PAUSE = 2000, 0.02
"""An answer that is not over before it is stopped."""


async def leaving_is_not_stopping(trial: Trial) -> None:
    """The answer goes on to its end when the one who asked goes away."""
    async with trial.begin(Ask(pieces=60, pause=0.02)) as reading:
        await reading.until(lambda received: received.items or received.end)
        stream = reading.stream
    whole = await trial.rest(stream, None)
    require(whole.end == "complete", f"It ended as {whole.end or 'nothing that says so'}.")


async def posted_again(trial: Trial) -> None:
    """The same POST twice, with one idempotency key, is one answer."""
    ask = Ask(pause=0.02)
    async with trial.begin(ask) as first:
        await first.until(lambda received: received.items)
        async with trial.begin(ask) as second:
            whole, again = await asyncio.gather(first.to_end(), second.to_end())
    require(second.stream == first.stream, "The second one began another stream.")
    same(again, whole, "Who sent the second one")


async def stop(trial: Trial) -> str:
    """Stop ends the answer for all who read it, as an event; what came before stays."""
    async with trial.begin(Ask(LONG_PIECES, LONG_PAUSE)) as reading:
        await reading.until(lambda received: received.text or received.end)
        await ask_to_stop(trial, stopping(trial, reading))
        received = await asyncio.wait_for(reading.to_end(), WAIT)
    require(received.end != "complete", "The answer went on to its end.")
    require(received.end, "The body was over without a word.")
    same(await trial.rest(reading.stream, None), received, "A reader after the stop")
    return f"ended as {received.end} after {len(received.items)} events"


async def stop_twice(trial: Trial) -> None:
    """Stop may be said twice, also of what has ended."""
    async with trial.begin(Ask(LONG_PIECES, LONG_PAUSE)) as reading:
        await reading.until(lambda received: received.items or received.end)
        call = stopping(trial, reading)
        await ask_to_stop(trial, call)
        await asyncio.wait_for(reading.to_end(), WAIT)
        await ask_to_stop(trial, call)


def stopping(trial: Trial, reading: Reading) -> Call:
    """The request that stops this stream."""
    call = trial.adapter.stopping(reading.stream)
    if call is None:
        raise Absent("There is no request for it.")
    return call


async def ask_to_stop(trial: Trial, call: Call) -> None:
    """Stop, and see that it is not refused."""
    status = await trial.status(call)
    require(status < 400, f"It was answered with {status}.")


CHECKS = (leaving_is_not_stopping, posted_again, stop, stop_twice)
