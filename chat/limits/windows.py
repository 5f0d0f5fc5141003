"""Moving windows in this process: what was let through in the last so many seconds, exact to the moment.

Nothing is kept of what was refused, and a window that has passed is forgotten, so the memory is bounded by what was let
through. Time is the monotonic clock's: a clock that is set back locks nobody out.
"""

from bisect import bisect_right
from collections import OrderedDict
from time import monotonic

MOST_SUBJECTS = 50_000
"""Of one rate; beyond it the one that was let through the longest ago is forgotten. Some 300 bytes each."""


class Windows:
    """For each (length of the window, subject) the moments at which something was let through, oldest first."""

    def __init__(self) -> None:
        self._kept: dict[int, OrderedDict[str, list[float]]] = {}

    def wait(self, subject: str, quota: int, seconds: int, cost: int = 1) -> float:
        """Seconds until `cost` more will be let through; 0 when they would be now. A look takes nothing."""
        now = monotonic()
        times = self._kept[seconds].get(subject, []) if seconds in self._kept else []
        counted = len(times) - bisect_right(times, now - seconds)
        if counted + cost <= quota:
            return 0.0
        oldest_in_the_way = counted + cost - quota - 1
        if oldest_in_the_way >= counted:  # more at once than is ever allowed
            return float(seconds)
        return times[len(times) - counted + oldest_in_the_way] + seconds - now

    def take(self, subject: str, seconds: int, cost: int = 1) -> None:
        """Count `cost`, which `wait` has let through."""
        now = monotonic()
        kept = self._kept.setdefault(seconds, OrderedDict())
        times = kept.setdefault(subject, [])
        del times[: bisect_right(times, now - seconds)]
        times += [now] * cost
        kept.move_to_end(subject)
        while len(kept) > MOST_SUBJECTS or next(iter(kept.values()))[-1] <= now - seconds:
            kept.popitem(last=False)

    def subjects(self) -> int:
        """How many are kept."""
        return sum(map(len, self._kept.values()))
