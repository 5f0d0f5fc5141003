"""A log's figures for the metrics."""

from typing import NamedTuple


class LogState(NamedTuple):
    """Readers and queued work now; commits, their seconds, and readers cut off since the start of the process."""

    readers: int
    queued: int
    commits: int
    commit_seconds: float
    cuts: int
