"""`Timeouts`: when the readers of an event loop stop waiting, by one timer: one for each takes half a kilobyte."""

import asyncio
import contextvars
from heapq import heappop, heappush
from itertools import count
from typing import Protocol


class Waiting(Protocol):
    """Who sets a timeout."""

    def time_out(self) -> None:
        """Called at the time of a timeout, also of one that is not wanted any more: none can be cancelled."""
        ...


class Timeouts:
    """Those of one event loop, by its clock."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self._set: list[tuple[float, int, Waiting]] = []
        self._numbers = count()
        self._timer: asyncio.TimerHandle | None = None
        self._context = contextvars.Context()  # a timer must not keep the context of the request that set it

    def set(self, at: float, waiting: Waiting) -> None:
        """Call `waiting.time_out()` at `at`."""
        heappush(self._set, (at, next(self._numbers), waiting))
        if self._set[0][2] is waiting:
            self._wait()

    def _wait(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._set:
            self._timer = self.loop.call_at(self._set[0][0], self._expire, context=self._context)

    def _expire(self) -> None:
        now = self.loop.time()
        while self._set and self._set[0][0] <= now:
            heappop(self._set)[2].time_out()
        self._wait()
