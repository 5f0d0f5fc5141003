"""`Subscriber`: a reader that waits for more of a stream. Its stream notifies it after each commit."""

import asyncio
from collections.abc import Callable

from chat.log.timeouts import Timeouts
from chat.protocol.events import Event

Deliver = Callable[[list[Event]], bool]
"""Takes events immediately. False if it cannot, such as while the reader is behind: then they have to be yielded."""

NEVER = float("inf")


class Subscriber:
    """A reader's cursor, and the future it waits on.

    `after` is the seq of the last event that the reader has, `heard` when it last received something, on the loop's
    clock. The stream calls `deliver` and `wake`. The reader calls `clear` before it reads the log, so that a `wake`
    between reading and waiting is not lost. A timeout is not set at every wait, which would cost more than the wait
    itself: when it comes too early, it is set again.
    """

    __slots__ = ("_deliver", "_due", "_timeout", "_timeouts", "_waiter", "_woken", "after", "heard")

    def __init__(self, after: int, deliver: Deliver | None, timeouts: Timeouts) -> None:
        self._timeouts = timeouts
        self._deliver = deliver
        self._waiter: asyncio.Future[None] | None = None
        self._due = self._timeout = NEVER
        self._woken = False
        self.after = after
        self.heard = self._timeouts.loop.time()

    def clear(self) -> None:
        """Forget earlier calls of `wake`; the caller reads the log next."""
        self._woken = False

    def wake(self) -> None:
        """Make the reader read the log: end its wait, or make the next wait return at once."""
        self._woken = True
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def deliver(self, found: list[Event]) -> bool:
        """Hand over the events just committed after its cursor; False if it does not wait for them or refuses them."""
        waiter, deliver = self._waiter, self._deliver
        if waiter is None or waiter.done() or deliver is None or not found or not deliver(found):
            return False
        self.after = found[-1].seq
        self.heard = self._timeouts.loop.time()
        return True

    def wait(self, seconds: float) -> "asyncio.Future[None]":
        """A future that is done at the next `wake`, or after `seconds`; at once if `wake` was called since `clear`."""
        loop = self._timeouts.loop
        self._waiter = waiter = loop.create_future()
        if self._woken:
            waiter.set_result(None)
            return waiter
        self._due = loop.time() + seconds
        self._set_timeout()
        return waiter

    def close(self) -> None:
        """Wait no more."""
        self._waiter = self._deliver = None  # its timeout may come seconds later

    def time_out(self) -> None:
        """Called at its timeout."""
        self._timeout = NEVER
        if self._waiter is None or self._waiter.done():
            return
        if self._timeouts.loop.time() < self._due:
            self._set_timeout()
        else:
            self._waiter.set_result(None)

    def _set_timeout(self) -> None:
        if self._due < self._timeout:
            self._timeout = self._due
            self._timeouts.set(self._due, self)
