"""Moving windows in this process: the times of the requests accepted in the last so many seconds.

Refused requests are not stored and expired windows are dropped, so accepted requests bound the memory. The clock is the
monotonic one: setting the system's clock back does not lock users out.
"""

from bisect import bisect_right
from collections import OrderedDict
from time import monotonic

MOST_SUBJECTS = 50_000
"""The most subjects per window length; the one accepted least recently is dropped. About 300 bytes each."""


class Windows:
    """For each window length (seconds) and subject, the times of its accepted requests, oldest first."""

    def __init__(self) -> None:
        self._kept: dict[int, OrderedDict[str, list[float]]] = {}

    def wait(self, subject: str, quota: int, seconds: int, cost: int = 1) -> float:
        """Return the seconds until `cost` more requests will be accepted, 0 if they are now. Counts nothing."""
        now = monotonic()
        times = self._kept[seconds].get(subject, []) if seconds in self._kept else []
        counted = len(times) - bisect_right(times, now - seconds)
        if counted + cost <= quota:
            return 0.0
        oldest_in_the_way = counted + cost - quota - 1
        if oldest_in_the_way >= counted:  # `cost` is above the quota
            return float(seconds)
        return times[len(times) - counted + oldest_in_the_way] + seconds - now

    def take(self, subject: str, seconds: int, cost: int = 1) -> None:
        """Count `cost` requests, for which `wait` has returned 0."""
        now = monotonic()
        kept = self._kept.setdefault(seconds, OrderedDict())
        times = kept.setdefault(subject, [])
        del times[: bisect_right(times, now - seconds)]
        times += [now] * cost
        kept.move_to_end(subject)
        while len(kept) > MOST_SUBJECTS or next(iter(kept.values()))[-1] <= now - seconds:
            kept.popitem(last=False)

    def subjects(self) -> int:
        """Return how many subjects are stored, over all window lengths."""
        return sum(map(len, self._kept.values()))
