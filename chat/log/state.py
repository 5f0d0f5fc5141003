"""What the metrics are told of a log."""

from typing import NamedTuple


class LogState(NamedTuple):
    """How busy a log is: readers and work that waits now; commits, their seconds, and readers lost since the start."""

    readers: int
    queued: int
    commits: int
    commit_seconds: float
    cuts: int
