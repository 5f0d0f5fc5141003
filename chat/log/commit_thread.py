"""The commit thread: waits for work, and for a database that is unavailable.

How a batch is committed is `group_commit.py`'s: a generator that yields the seconds to sleep before its next step. So
only this module knows threads and time, and the simulation replaces it (`tests/simulation/`).
"""

import threading
from collections import deque
from collections.abc import Callable, Iterator
from time import sleep
from typing import Protocol

from django.db import connection

from chat.log.batch import Work

JOBS_AT_ONCE = 16
"""Jobs in one transaction at most, so that the first turns of a burst do not wait for the last ones."""

Commit = Callable[[list[Work]], Iterator[float]]
"""Commits a batch in steps and yields the seconds to wait before the next step. It raises nothing."""


class Commits(Protocol):
    """Commits queued work away from the event loop: `CommitThread`, or the simulation's replacement."""

    def put(self, works: list[Work]) -> None:
        """Queue work in order, without waiting."""
        ...

    def close(self) -> None:
        """Wait until everything queued is committed. More may be put later."""
        ...


class CommitThread:
    """One thread, started when the first work is put."""

    def __init__(self, commit: Commit) -> None:
        self._commit = commit
        self._queue: deque[Work] = deque()
        self._ready = threading.Condition()
        self._thread: threading.Thread | None = None
        self._closing = False

    def put(self, works: list[Work]) -> None:
        """Queue work; the thread takes it with its next batch."""
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
    """Remove the next batch from the queue: everything in it, up to `JOBS_AT_ONCE` jobs."""
    batch: list[Work] = []
    jobs = 0
    while queue and jobs < JOBS_AT_ONCE:
        batch.append(queue.popleft())
        jobs += batch[-1].row is None
    return batch
