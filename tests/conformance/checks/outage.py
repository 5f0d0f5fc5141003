"""What a stream survives: silence, and the death of its server."""

import asyncio
from time import monotonic

from tests.conformance.trial import Absent, Failed, Trial, same


async def heartbeat(trial: Trial) -> str:
    """Silence is broken before a proxy takes the connection for dead, 60 s."""
    async with trial.adapter.silence() as reading:
        pieces, began = reading.response.aiter_bytes(), monotonic()
        while True:
            asked = monotonic()
            try:
                await asyncio.wait_for(anext(pieces), trial.patience)
            except TimeoutError:
                raise Failed(f"Nothing came for {trial.patience:g} s.") from None
            except StopAsyncIteration:
                raise Failed("The body ended.") from None
            if monotonic() - began > trial.settling:  # what there is to say at the beginning comes before
                return f"after {monotonic() - asked:.0f} s"


async def killed(trial: Trial) -> None:
    """What was shown is there after the server was killed (SIGKILL) and started again, byte for byte."""
    if trial.restart is None:
        raise Absent("This run did not start the server, so it cannot kill it.")
    finished = await trial.another()
    await trial.restart()
    same(await trial.rest(finished.stream, None), finished.received, "The reader after the restart")


CHECKS = (heartbeat, killed)
SLOW = (heartbeat,)
