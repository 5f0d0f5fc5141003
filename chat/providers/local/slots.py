"""`Slots`: a semaphore with a FIFO queue that reports each waiter's position."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator


class Slots:
    """`count` slots; further requests wait in a queue. It is for one event loop at a time, and has no locks."""

    def __init__(self, count: int) -> None:
        self.count = self._free = count
        self._queue: deque[Slot] = deque()

    @property
    def waiting(self) -> int:
        """The number of requests that wait for a slot."""
        return len(self._queue)

    @property
    def used(self) -> int:
        """The number of slots in use."""
        return self.count - self._free

    def ask(self) -> "Slot":
        """Request a slot, which is granted now or later. The caller has to `release` it in any case."""
        slot = Slot(self)
        if self._free and not self._queue:
            self._free -= 1
            slot.grant()
        else:
            self._queue.append(slot)
        return slot

    def release(self, slot: "Slot") -> None:
        """Free a granted slot for the next in the queue, or remove a waiting one from the queue."""
        if slot.granted:
            self._free += 1
        elif slot in self._queue:
            self._queue.remove(slot)
        while self._free and self._queue:
            self._free -= 1
            self._queue.popleft().grant()
        for waiting in self._queue:
            waiting.moved.set()

    def ahead_of(self, slot: "Slot") -> int:
        """Return the position of a waiting slot in the queue, from 0."""
        return self._queue.index(slot)


class Slot:
    """A requested slot, `granted` or waiting."""

    def __init__(self, slots: Slots) -> None:
        self._slots = slots
        self.granted = False
        self.moved = asyncio.Event()

    def grant(self) -> None:
        """Mark the slot as granted."""
        self.granted = True
        self.moved.set()

    async def ahead(self) -> AsyncGenerator[int, None]:
        """Yield the position in the queue, now and whenever it changes; ends when the slot is granted."""
        last = -1
        while not self.granted:
            self.moved.clear()
            ahead = self._slots.ahead_of(self)
            if ahead != last:
                last = ahead
                yield ahead
            else:
                await self.moved.wait()

    def release(self) -> None:
        """Free the slot, or leave the queue."""
        self._slots.release(self)
        self.granted = False
