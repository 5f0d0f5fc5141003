"""`Deadline`: one timer for a whole stream. `asyncio.timeout` around every event would cost more than the event."""

import asyncio
from types import TracebackType


class Deadline:
    """A context manager that cancels its task at `until` (the loop's clock) and raises TimeoutError, unless `paused`.

    `until` may be assigned a later time at any moment. The timer is not moved with it: when it fires too early, it is
    set again.
    """

    RECHECK = 0.05

    _timer: asyncio.TimerHandle

    def __init__(self, until: float) -> None:
        self.paused = False
        self.until = until
        self._expired = False

    def move(self, moment: float) -> None:
        """Set `until` to any time, also an earlier one."""
        self.until = moment
        if moment < self._timer.when():
            self._timer.cancel()
            self._timer = self._loop.call_at(moment, self._fire)

    def __enter__(self) -> "Deadline":
        task = asyncio.current_task()
        assert task is not None
        self._task = task
        self._cancelling = task.cancelling()
        self._loop = asyncio.get_running_loop()
        self._timer = self._loop.call_at(self.until, self._fire)
        return self

    def _fire(self) -> None:
        now = self._loop.time()
        if now < self.until or self.paused:
            self._timer = self._loop.call_at(max(self.until, now + self.RECHECK), self._fire)
            return
        self._expired = True
        self._task.cancel()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._timer.cancel()
        if self._expired and self._task.uncancel() <= self._cancelling and kind is asyncio.CancelledError:
            raise TimeoutError from error
