"""The classes of a log's threads, so that the simulation can pass replacements (`tests/simulation/`)."""

from collections.abc import Callable
from typing import NamedTuple

from chat.log.checkpoint import Checkpointer
from chat.log.commit_thread import Commit, Commits, CommitThread


class Threads(NamedTuple):
    """Makes the commit thread, and the thread that checkpoints SQLite's write-ahead log."""

    commit: Callable[[Commit], Commits] = CommitThread
    checkpoint: Callable[[str], Checkpointer] = Checkpointer


THREADS = Threads()
