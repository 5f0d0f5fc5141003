"""A queue before a few slots: first come, first served, and everybody is told how many are ahead."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator


class Slots:
    """`count` can be used at once; who asks for more waits in a queue. For one event loop at a time, without locks."""

    def __init__(self, count: int) -> None:
        self.count = self._free = count
        self._queue: deque[Slot] = deque()

    @property
    def waiting(self) -> int:
        """How many wait for a slot."""
        return len(self._queue)

    @property
    def used(self) -> int:
        """How many are in use."""
        return self.count - self._free

    def ask(self) -> "Slot":
        """A slot, now or later; whoever asks must `release` it, however it ends."""
        slot = Slot(self)
        if self._free and not self._queue:
            self._free -= 1
            slot.grant()
        else:
            self._queue.append(slot)
        return slot

    def release(self, slot: "Slot") -> None:
        """Give the slot to the next in the queue, or take this one out of the queue."""
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
        """How many wait before this one."""
        return self._queue.index(slot)


class Slot:
    """A slot that was asked for, `granted` or not yet."""

    def __init__(self, slots: Slots) -> None:
        self._slots = slots
        self.granted = False
        self.moved = asyncio.Event()

    def grant(self) -> None:
        """It may be used from now on."""
        self.granted = True
        self.moved.set()

    async def ahead(self) -> AsyncGenerator[int, None]:
        """How many are ahead, at once and whenever it changes; ends when it is granted."""
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
        """Done, stopped or tired of waiting."""
        self._slots.release(self)
        self.granted = False
