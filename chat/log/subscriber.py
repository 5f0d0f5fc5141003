"""One reader that waits for more of a stream. The stream it reads knows it, and tells it after each commit."""

import asyncio
from collections.abc import Callable

from chat.protocol.events import Event

Deliver = Callable[[list[Event]], bool]
"""Takes events on the spot, or says no: the reader is behind, and is to be given them as any others."""


class Subscriber:
    """Its cursor, and how it is reached while it waits.

    `after` is the seq of the last event that it has, `heard` when it last got something, on the loop's clock.
    `committed` and `wake` are called by the stream; `clear`, before each look at the log, forgets earlier calls, so
    that none between the look and the wait is missed. The timer is not moved at every wait, which would cost more than
    the wait: when it fires too early it is set again.
    """

    __slots__ = ("_deliver", "_due", "_loop", "_timer", "_waiter", "_woken", "after", "heard")

    def __init__(self, after: int, deliver: Deliver | None) -> None:
        self._loop = asyncio.get_running_loop()
        self._deliver = deliver
        self._waiter: asyncio.Future[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._due = 0.0
        self._woken = False
        self.after = after
        self.heard = self._loop.time()

    def clear(self) -> None:
        """Forget that it was woken; the caller looks at the log next."""
        self._woken = False

    def wake(self) -> None:
        """Let it look: end its wait, or let the next one return at once."""
        self._woken = True
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def deliver(self, found: list[Event]) -> bool:
        """Give it what was just committed after its cursor, if it waits and takes it; else it is to be woken."""
        waiter, deliver = self._waiter, self._deliver
        if waiter is None or waiter.done() or deliver is None or not found or not deliver(found):
            return False
        self.after = found[-1].seq
        self.heard = self._loop.time()
        return True

    def wait(self, seconds: float) -> "asyncio.Future[None]":
        """Done as soon as it is woken, at once where it was since `clear`, or after `seconds`."""
        self._waiter = waiter = self._loop.create_future()
        if self._woken:
            waiter.set_result(None)
            return waiter
        self._due = self._loop.time() + seconds
        if self._timer is None or self._timer.when() > self._due:
            self.close()
            self._timer = self._loop.call_at(self._due, self._expire)
        return waiter

    def close(self) -> None:
        """Stop the timer."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _expire(self) -> None:
        self._timer = None
        if self._waiter is None or self._waiter.done():
            return
        if self._loop.time() < self._due:
            self._timer = self._loop.call_at(self._due, self._expire)
        else:
            self._waiter.set_result(None)
