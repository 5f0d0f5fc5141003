"""When one stream's events were stored: noted by its tail where a reader asks for it."""

from array import array
from collections.abc import Iterable
from typing import NamedTuple


class CommitTimes(NamedTuple):
    """When the events from `first` on were stored, by the monotonic clock, in the order of their seq: `times` grows.

    `began` is when the stream did, `opened` when its event 0 had been stored, None where another process
    stored it.
    """

    began: float
    opened: float | None
    first: int
    times: "array[float]"

    def of(self, seqs: Iterable[int]) -> list[float | None]:
        """When each of these events was stored, in ms since the stream began; None where that is not known."""
        began, opened, first, times = self
        end = first + len(times)
        stored = [times[seq - first] if first <= seq < end else opened if seq == 0 else None for seq in seqs]
        return [None if at is None else (at - began) * 1e3 for at in stored]
