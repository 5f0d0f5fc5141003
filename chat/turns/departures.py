"""Readers of the doors (Gemini's API and OpenAI's) that go away in the middle of an answer.

Whoever asks those APIs expects what their makers do: to close the connection is to stop. So a stream that such a reader
leaves is stopped after GRACE seconds, unless somebody else follows it (`docs/decisions/0013-doors-stop-when-left.md`).
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
"""Seconds in which somebody else may come."""

READ_ELSEWHERE_SECONDS = 10
"""How old the word of another process may be that it reads the stream: it is given every `runner.UNWANTED_POLL`."""


class Departures:
    """Those of one process."""

    def __init__(self, event_log: Log, turns: Turns) -> None:
        self._log = event_log
        self._turns = turns
        self._tasks: set[asyncio.Task[None]] = set()

    @contextmanager
    def noticed(self, stream: Stream) -> Iterator[None]:
        """Around the reading of a stream to its end: left by a cancellation, or by closing the generator in it, the
        stream is stopped unless it is followed."""
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
        """Stop nothing any more: the turns are drained."""
        for task in self._tasks:
            task.cancel()
