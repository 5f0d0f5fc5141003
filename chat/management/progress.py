"""How far long work has come, told to people while it goes on."""

from collections.abc import Callable, Iterable, Iterator
from time import monotonic
from typing import TypeVar

EVERY = 2.0
"""Seconds between two lines: work that is done before says nothing."""

T = TypeVar("T")


class Progress:
    """Says `done of total things` by `say`, one line every `EVERY` seconds: a log keeps lines, and so does a person.

    What is done is added up, or asked of `count`.
    """

    def __init__(
        self,
        say: Callable[[str], object],
        total: int,
        things: str,
        clock: Callable[[], float] = monotonic,
        count: Callable[[], int] | None = None,
    ) -> None:
        self._say, self._total, self._things, self._clock, self._count = say, total, things, clock, count
        self._done = 0
        self._next = clock() + EVERY

    def add(self, count: int = 1) -> None:
        """So many more are done."""
        self._done += count
        self.look()

    def look(self) -> None:
        """Say how much is done, if it is time to."""
        if self._clock() < self._next:
            return
        self._next = self._clock() + EVERY
        done = self._done if self._count is None else self._count()
        share = f" ({min(done * 100 // self._total, 100)} %)" if self._total else ""
        self._say(f"{done:,} of {self._total:,} {self._things}{share}")

    def over(self, items: Iterable[T]) -> Iterator[T]:
        """The items, each counted when the next is asked for."""
        for item in items:
            yield item
            self.add()
