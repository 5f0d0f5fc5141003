"""Stops the generation when a client of the Gemini or OpenAI API disconnects in the middle of an answer.

Clients of those APIs expect what their makers' servers do: closing the connection stops the generation. So the stream
is stopped after GRACE seconds, unless another reader follows it (`docs/decisions/0013-doors-stop-when-left.md`).
"""

import asyncio
import contextvars
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from chat.log import Log
from chat.log.sql import in_thread
from chat.models import Stream
from chat.turns.runner import Turns
from chat.turns.unwanted import read_lately

log = logging.getLogger(__name__)

GRACE = 2.0
"""Seconds to wait for another reader."""

READ_ELSEWHERE_SECONDS = 10
"""How long the note of another process that it reads the stream counts; it is renewed every `runner.UNWANTED_POLL`."""


class Departures:
    """The disconnected clients of one process."""

    def __init__(self, event_log: Log, turns: Turns) -> None:
        self._log = event_log
        self._turns = turns
        self._tasks: set[asyncio.Task[None]] = set()

    @contextmanager
    def noticed(self, stream: Stream) -> Iterator[None]:
        """A context in which a stream is read to its end. If a cancellation or the closing of a generator leaves it,
        the stream is stopped, unless it has another reader."""
        try:
            yield
        except (asyncio.CancelledError, GeneratorExit):
            stopping = self._stop_unless_followed(stream)
            task = asyncio.get_running_loop().create_task(stopping, context=contextvars.Context())
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
            raise

    async def _stop_unless_followed(self, stream: Stream) -> None:
        await asyncio.sleep(GRACE)
        if self._log.unread_seconds(stream.pk) < GRACE / 2:
            return
        try:
            if not await in_thread(partial(read_lately, [stream.pk], READ_ELSEWHERE_SECONDS)):
                await self._turns.stop(stream)
        except Exception:
            log.exception("stream %s could not be stopped after its reader had left", stream.pk)

    def close(self) -> None:
        """Stop waiting for disconnected clients: the turns are drained."""
        for task in self._tasks:
            task.cancel()
