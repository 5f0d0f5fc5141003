"""How far long work has come, told to people while it goes on."""

from collections.abc import Callable, Iterable, Iterator
from time import monotonic
from typing import TypeVar

EVERY = 2.0
"""Seconds between two lines: work that is done before says nothing."""

T = TypeVar("T")


class Progress:
    """Says `done of total things` by `say`, one line every `EVERY` seconds: a log keeps lines, and so does a person."""

    def __init__(self, say: Callable[[str], object], total: int, things: str, clock: Callable[[], float] = monotonic):
        self._say, self._total, self._things, self._clock = say, total, things, clock
        self._done = 0
        self._next = clock() + EVERY

    def add(self, count: int = 1) -> None:
        """So many more are done."""
        self._done += count
        if self._clock() >= self._next:
            self._next = self._clock() + EVERY
            share = f" ({self._done * 100 // self._total} %)" if self._total else ""
            self._say(f"{self._done:,} of {self._total:,} {self._things}{share}")

    def over(self, items: Iterable[T]) -> Iterator[T]:
        """The items, each counted when the next is asked for."""
        for item in items:
            yield item
            self.add()
