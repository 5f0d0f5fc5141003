"""When the events of one stream were committed: recorded by its tail if a reader asks for it."""

from array import array
from collections.abc import Iterable
from typing import NamedTuple


class CommitTimes(NamedTuple):
    """The commit times of the events from seq `first` on, on the monotonic clock; the tail appends to `times`.

    `began` is when the stream began, `opened` when its event 0 was committed, None if another process committed it.
    """

    began: float
    opened: float | None
    first: int
    times: "array[float]"

    def of(self, seqs: Iterable[int]) -> list[float | None]:
        """The commit time of each of these events, in ms since the stream began; None if it is not known."""
        began, opened, first, times = self
        end = first + len(times)
        stored = [times[seq - first] if first <= seq < end else opened if seq == 0 else None for seq in seqs]
        return [None if at is None else (at - began) * 1e3 for at in stored]
