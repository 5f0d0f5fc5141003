"""`Alarms`: when the readers of an event loop stop waiting, by one timer: one for each takes half a kilobyte."""

import asyncio
import contextvars
from heapq import heappop, heappush
from itertools import count
from typing import Protocol


class Sleeper(Protocol):
    """Who sets an alarm."""

    def ring(self) -> None:
        """Called at the time of an alarm, also of one that is not wanted any more: an alarm cannot be taken back."""
        ...


class Alarms:
    """Those of one event loop, by its clock."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self._set: list[tuple[float, int, Sleeper]] = []
        self._numbers = count()
        self._timer: asyncio.TimerHandle | None = None
        self._context = contextvars.Context()  # a timer must not keep the context of the request that set it

    def set(self, at: float, sleeper: Sleeper) -> None:
        """Call `sleeper.ring()` at `at`."""
        heappush(self._set, (at, next(self._numbers), sleeper))
        if self._set[0][2] is sleeper:
            self._wait()

    def _wait(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._set:
            self._timer = self.loop.call_at(self._set[0][0], self._ring, context=self._context)

    def _ring(self) -> None:
        now = self.loop.time()
        while self._set and self._set[0][0] <= now:
            heappop(self._set)[2].ring()
        self._wait()
