"""The threads of a log, as classes: a simulation hands in others, which run on its own time (`tests/simulation/`)."""

from collections.abc import Callable
from typing import NamedTuple

from chat.log.checkpoint import Checkpointer
from chat.log.commit_thread import Commit, Commits, CommitThread


class Threads(NamedTuple):
    """What makes them: the one that commits, and the one that moves SQLite's write-ahead log."""

    commit: Callable[[Commit], Commits] = CommitThread
    checkpoint: Callable[[str], Checkpointer] = Checkpointer


THREADS = Threads()
