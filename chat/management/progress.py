"""`Progress`: reports the progress of long commands."""

from collections.abc import Callable, Iterable, Iterator
from time import monotonic
from typing import TypeVar

EVERY = 2.0
"""Seconds between two lines; shorter work reports nothing."""

T = TypeVar("T")


class Progress:
    """Calls `say` with `done of total things`, one line every `EVERY` seconds, which is also readable in a log.

    `add` counts what is done, or the function `count` returns it.
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
        """Count so many more as done, and report if it is time to."""
        self._done += count
        self.look()

    def look(self) -> None:
        """Report what is done, if it is time to."""
        if self._clock() < self._next:
            return
        self._next = self._clock() + EVERY
        done = self._done if self._count is None else self._count()
        share = f" ({min(done * 100 // self._total, 100)} %)" if self._total else ""
        self._say(f"{done:,} of {self._total:,} {self._things}{share}")

    def over(self, items: Iterable[T]) -> Iterator[T]:
        """Yield the items, and count each one afterwards."""
        for item in items:
            yield item
            self.add()
