"""How a reader goes on after a cut, and how one who comes later catches up."""

import asyncio
from dataclasses import replace

from tests.conformance.adapter import Ask, Call, Received
from tests.conformance.trial import Absent, Failed, Trial, joined, require, same


async def cut_live(trial: Trial) -> str:
    """A reader cut off after every event while the answer is generated gets it once, byte for byte."""
    async with trial.begin() as first:
        await first.until(lambda received: received.items)
        (got, times), whole = await asyncio.gather(in_cuts(trial, first.stream), first.to_end())
    same(got, whole, "The reader who was cut off")
    return f"{times} cuts"


async def in_cuts(trial: Trial, stream: str) -> tuple[Received, int]:
    """A stream read by a reader whose connection is cut as soon as one event has come; and how often it was."""
    got, times = Received(), 0
    while not got.end:
        call = trial.adapter.following(stream, got.cursor)
        async with trial.adapter.open(call, after=got.cursor) as reading:
            if not reading.is_event_stream:
                require(reading.status < 500, f"Resuming was answered with {reading.status}.")
                return got, times
            part = await reading.until(lambda received: received.items or received.end)
        require(part.items or part.end, f"After {len(got.items)} events nothing more came, and no end.")
        require(not part.items or part.cursor != got.cursor, f"Event {len(got.items)} came again after a cut.")
        got, times = joined(got, part), times + 1
    return got, times


async def cut_at_every_byte(trial: Trial) -> str:
    """Wherever in its bytes a finished answer is cut, the reader who resumes gets the rest, once."""
    finished = await trial.finished()
    rests: dict[str | None, Received] = {}
    for length in range(len(finished.body)):
        part = trial.adapter.received(finished.body[:length])
        if part.cursor not in rests:
            rests[part.cursor] = await trial.rest(finished.stream, part.cursor)
        same(joined(part, rests[part.cursor]), finished.received, f"The reader cut off after {length} bytes")
    return f"{len(finished.body)} cuts, {len(rests)} cursors"


async def last_event_id(trial: Trial) -> None:
    """`Last-Event-ID` alone says where to go on, so a browser's EventSource resumes by itself."""
    finished = await trial.finished()
    place = len(finished.received.items) // 2
    last = finished.received.items[place].id
    require(last, "The events have no ids, so EventSource sends none.")
    call = trial.adapter.following(finished.stream)
    call = Call(call.method, call.path, {**call.headers, "Last-Event-ID": last})
    async with trial.adapter.open(call, after=last) as reading:
        require(reading.is_event_stream, f"It was answered with {reading.status}.")
        rest = await reading.to_end()
    same(rest, Received(finished.received.items[place + 1 :]), "The reader who sent it")


async def end_is_final(trial: Trial) -> str:
    """Who reconnects after the end is told so, by 204 or any refusal: EventSource asks no more."""
    finished = await trial.finished()
    call = trial.adapter.following(finished.stream, finished.received.cursor)
    async with trial.adapter.open(call) as reading:
        status = reading.status
        require(not reading.is_event_stream, "It gets another event stream, so EventSource asks for ever.")
    return str(status)


async def late_reader(trial: Trial) -> None:
    """Who comes after the end gets all of it, byte for byte."""
    finished = await trial.finished()
    same(await trial.rest(finished.stream, None), finished.received, "The late reader")


async def joined_reader(trial: Trial) -> None:
    """Who joins in the middle gets it from the beginning, then live."""
    async with trial.begin() as first:
        await first.until(lambda received: received.text or received.end)
        joining, whole = await asyncio.gather(trial.rest(first.stream, None), first.to_end())
    same(joining, whole, "The reader who joined")


async def two_readers(trial: Trial) -> None:
    """Two who read at the same time get the same."""
    async with trial.begin() as first:
        await first.until(lambda received: received.items or received.end)
        second, third = (trial.rest(first.stream, None) for _ in range(2))
        whole, *others = await asyncio.gather(first.to_end(), second, third)
    for number, other in enumerate(others, 2):
        same(other, whole, f"Reader {number}")


async def posted_again_with_a_cursor(trial: Trial) -> None:
    """The same POST with `Last-Event-ID` goes on behind that event, as clients that POST reconnect."""
    ask = Ask()
    finished = await trial.another(ask)
    place = len(finished.received.items) // 2
    last = finished.received.items[place].id
    if not last:
        raise Absent("The events have no ids.")
    call = trial.adapter.asking(ask)
    call = replace(call, headers={**call.headers, "Last-Event-ID": last})
    async with trial.adapter.open(call, after=last) as reading:
        rest = await reading.to_end()
    if rest.items == finished.received.items:
        raise Failed("All of it came again.")
    same(rest, Received(finished.received.items[place + 1 :]), "The client")


CHECKS = (
    cut_live,
    cut_at_every_byte,
    last_event_id,
    end_is_final,
    late_reader,
    joined_reader,
    two_readers,
    posted_again_with_a_cursor,
)
