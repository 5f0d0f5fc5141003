"""A line of people before a few slots: first come, first served, and everybody knows their place."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator


class Line:
    """`slots` can be used at once; the others wait in turn. For one event loop at a time, without locks."""

    def __init__(self, slots: int) -> None:
        self._free = slots
        self._waiting: deque[Place] = deque()

    def join(self) -> "Place":
        """A place in the line; whoever joins must `leave`, however it ends."""
        place = Place(self)
        if self._free and not self._waiting:
            self._free -= 1
            place.served = True
        else:
            self._waiting.append(place)
        return place

    def left(self, place: "Place") -> None:
        """Give the slot on, or the place up."""
        if place.served:
            self._free += 1
        elif place in self._waiting:
            self._waiting.remove(place)
        while self._free and self._waiting:
            self._free -= 1
            self._waiting.popleft().served = True
        for waiting in self._waiting:
            waiting.moved.set()

    def ahead_of(self, place: "Place") -> int:
        """How many wait before this one."""
        return self._waiting.index(place)


class Place:
    """One's place in the line."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self._served = False
        self.moved = asyncio.Event()

    @property
    def served(self) -> bool:
        """Whether it is this one's turn."""
        return self._served

    @served.setter
    def served(self, served: bool) -> None:
        self._served = served
        self.moved.set()

    async def ahead(self) -> AsyncGenerator[int, None]:
        """How many are ahead, at once and whenever it changes; ends when it is this one's turn."""
        last = -1
        while not self._served:
            self.moved.clear()
            ahead = self._line.ahead_of(self)
            if ahead != last:
                last = ahead
                yield ahead
            else:
                await self.moved.wait()

    def leave(self) -> None:
        """Done, stopped or tired of waiting."""
        self._line.left(self)
        self._served = False
