"""The thread that commits: it waits for work, and for a database that is away.

What it does with a batch is `group_commit.py`'s, as steps that say how long to wait before the next one. So threads and
time are here alone, and a simulation puts its own in their place.
"""

import threading
from collections import deque
from collections.abc import Callable, Iterator
from time import sleep
from typing import Protocol

from django.db import connection

from chat.log.batch import Work

JOBS_AT_ONCE = 16
"""Jobs in one transaction: the first turns of a burst do not wait for the last."""

Commit = Callable[[list[Work]], Iterator[float]]
"""Stores a batch in steps, which give the seconds to wait before the next one. Nothing is raised."""


class Commits(Protocol):
    """Where batches are committed, away from the event loop."""

    def put(self, works: list[Work]) -> None:
        """Queue, behind what was queued before; never waits."""
        ...

    def close(self) -> None:
        """Return when all that is queued was committed. More may be put later."""
        ...


class CommitThread:
    """A thread, which starts with the first work."""

    def __init__(self, commit: Commit) -> None:
        self._commit = commit
        self._queue: deque[Work] = deque()
        self._ready = threading.Condition()
        self._thread: threading.Thread | None = None
        self._closing = False

    def put(self, works: list[Work]) -> None:
        """Queue; the thread takes what waits when it is free."""
        with self._ready:
            self._queue.extend(works)
            if self._thread is None:
                self._closing = False
                self._thread = threading.Thread(target=self._main, name="log-commit", daemon=True)
                self._thread.start()
            self._ready.notify()

    def close(self) -> None:
        """Commit what is queued, then end the thread."""
        with self._ready:
            thread, self._closing = self._thread, True
            self._ready.notify()
        if thread is not None:
            thread.join()

    def _main(self) -> None:
        try:
            while batch := self._next_batch():
                for seconds in self._commit(batch):
                    sleep(seconds)
        finally:
            connection.close()

    def _next_batch(self) -> list[Work]:
        with self._ready:
            while not self._queue and not self._closing:
                self._ready.wait()
            batch = taken_from(self._queue)
            if not batch:
                self._thread = None
            return batch


def taken_from(queue: deque[Work]) -> list[Work]:
    """The next batch: all that waits, up to `JOBS_AT_ONCE` jobs."""
    batch: list[Work] = []
    jobs = 0
    while queue and jobs < JOBS_AT_ONCE:
        batch.append(queue.popleft())
        jobs += batch[-1].row is None
    return batch
