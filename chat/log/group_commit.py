"""Group commit: a queue of work, one commit for all that waits, and what happens when a commit fails.

A batch is everything that waited while the last commit ran; there is no timer. It is one transaction: each job in a
savepoint of its own, then all events in one INSERT, then the ends of streams. While the database cannot be reached or
is locked, the batch is tried again for `retry_seconds`; when it refuses a row, every stream's part is tried by itself,
so that one stream's failure fails that stream alone. Whatever a failed stream has behind the failure is dropped,
wherever it is queued.

One thread does this (`commit_thread.py`). On SQLite, events and the starts of plain turns are committed on the event
loop itself while the thread has nothing to do (`sqlite_commit.py`), each start by itself (`run_now`); what the loop
cannot do at once goes to the thread, and so does everything after it until the thread is done: a stream's events are
stored in their order, whoever stores them.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from typing import TypeVar

from django.db import IntegrityError, connection, transaction

from chat import models
from chat.log.batch import AWAY, Job, Work, by_key, settle, storable
from chat.log.commit_thread import Commit, Commits, CommitThread
from chat.log.fence import HoleInLog, LeaseLost, Row, insert_events, update_endings
from chat.log.sql import Database, django_execute
from chat.log.sqlite_commit import CommitRefused, SqliteConnection

log = logging.getLogger(__name__)

T = TypeVar("T")

RETRY_SECONDS = 15.0
"""For which a batch is tried again while the database cannot be reached or is locked, unless told otherwise."""


class GroupCommit:
    """What is stored by the thread, and the event loop's fast path.

    `connect` opens the loop's own connection, or returns None where the database is no SQLite file; `thread` is the
    class of the thread. `commits` counts those of events and jobs, `commit_seconds` how long they took.
    """

    def __init__(
        self,
        connect: Callable[[], SqliteConnection | None],
        retry_seconds: float = RETRY_SECONDS,
        thread: Callable[[Commit], Commits] = CommitThread,
    ) -> None:
        self._connect = connect
        self.retry_seconds = retry_seconds
        self._thread = thread(self._commit)
        self._outstanding = 0
        self.commits = 0
        self.commit_seconds = 0.0
        self._gathered: list[Work] = []
        self._sqlite: SqliteConnection | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def queued(self) -> int:
        """How many events and jobs wait for their commit, or for the word that it is done."""
        return self._outstanding + len(self._gathered)

    async def run(self, function: Callable[[], T]) -> T:
        """`function`'s result, once the transaction of the thread's that it ran in is committed."""
        job = Job(function)
        self.submit(job)
        result: T = await job.future
        return result

    def run_now(self, function: Callable[[Database], T]) -> T | None:
        """`function`'s result, once a transaction of the loop's is committed; None where that cannot be done now."""
        loop = asyncio.get_running_loop()
        self._adopt(loop)
        if self._outstanding or self._sqlite is None or loop is not self._loop:
            return None
        found: list[T] = []
        try:
            self._sqlite.store((), (), lambda database: found.append(function(database)))
        except CommitRefused:
            return None
        return found[0]

    def _adopt(self, loop: asyncio.AbstractEventLoop) -> None:
        """The first loop that writes is the one whose commits are its own."""
        if self._loop is None:
            self._loop = loop
            self._sqlite = self._connect()

    def submit(self, work: Work) -> None:
        """Queue without waiting; called on the work's loop."""
        self._adopt(work.loop)
        if not work.on_loop or self._sqlite is None or work.loop is not self._loop:
            self._hand_over([*self._gathered, work])
            return
        self._gathered.append(work)
        if len(self._gathered) == 1 and not self._outstanding:
            work.loop.call_soon(self._flush)

    def _flush(self) -> None:
        """Commit what the loop has gathered; what cannot be done at once goes to the thread.

        While the thread has work, nothing is committed here: what it does began earlier, and comes first.
        """
        batch, sqlite = self._gathered, self._sqlite
        if not batch or sqlite is None or self._outstanding:
            return
        began = time.monotonic()
        try:
            sqlite.store(*storable(batch))
        except CommitRefused:
            return self._hand_over(batch)
        self.commits += 1
        self.commit_seconds += time.monotonic() - began
        self._gathered = []
        settle(batch, None)

    def _hand_over(self, works: list[Work]) -> None:
        """Give work to the thread, what was gathered before it first."""
        self._gathered = []
        self._outstanding += len(works)
        self._thread.put(works)

    def close(self) -> None:
        """Write what is queued, then end the thread. The loop's connection is its opener's to close."""
        if self._gathered:
            self._hand_over(self._gathered)
        self._thread.close()
        self._sqlite = self._loop = None
        self._outstanding = 0

    def _commit(self, batch: list[Work]) -> Iterator[float]:
        """Store the batch; where the database refuses it, every stream's part by itself. Nothing is raised."""
        deadline = time.monotonic() + self.retry_seconds
        error = yield from self._store(batch, deadline)
        if error is None or isinstance(error, AWAY):
            self._settle(batch, error)
            return
        for part in by_key(batch).values():
            error = yield from self._store(part, deadline, refused=True)
            if isinstance(error, IntegrityError):
                error = LeaseLost("another worker wrote this stream's next event")
            self._settle(part, error)

    def _store(
        self, batch: list[Work], deadline: float, refused: bool = False
    ) -> Generator[float, None, Exception | None]:
        """One transaction, tried again until `deadline` while the database is away; the error if it failed for good."""
        pause = 0.01
        while True:
            try:
                began = time.monotonic()
                self._write(_unstored(batch) if refused else batch)
                self.commits += 1
                self.commit_seconds += time.monotonic() - began
                return None
            except AWAY as error:
                connection.close()
                if time.monotonic() > deadline:
                    log.exception("the log could not be written for %.0f s", self.retry_seconds)
                    return error
            except (IntegrityError, LeaseLost, HoleInLog) as error:
                return error
            except Exception as error:  # a fault of ours: its streams fail, the thread lives
                log.exception("the log could not be written")
                connection.close()
                return error
            yield pause
            pause = min(pause * 2, 0.5)

    def _write(self, batch: Iterable[Work]) -> None:
        rows, endings = storable(batch)
        with transaction.atomic():
            for work in batch:
                if isinstance(work, Job):
                    work.run()
            insert_events(django_execute, rows)
            update_endings(django_execute, endings)

    def _settle(self, batch: Sequence[Work], error: Exception | None) -> None:
        """Tell everybody on their own loop, with one callback a loop.

        A failure is marked here, in the thread: what the same streams have in the next batch must not be stored.
        """
        loops: dict[asyncio.AbstractEventLoop, list[Work]] = {}
        for work in batch:
            if error is not None:
                work.fail(error)
            loops.setdefault(work.loop, []).append(work)
        for loop, works in loops.items():
            try:
                loop.call_soon_threadsafe(self._settled, works, error)
            except RuntimeError:
                log.warning("an event loop closed before its log entries were settled")

    def _settled(self, works: Sequence[Work], error: Exception | None) -> None:
        """On the loop: first they are done, then the loop may commit again, so that no later event comes before."""
        settle(works, error)
        self._outstanding = max(0, self._outstanding - len(works))
        self._flush()


def _unstored(part: list[Work]) -> list[Work]:
    """Without the events that an earlier try has stored: its commit arrived, only the answer to it was lost."""
    first: Row | None = part[0].row
    if first is None:
        return part
    stored = models.Event.objects.filter(stream_id=first[0], seq__gte=first[1])
    found = dict(stored.values_list("seq", "data"))
    return [work for work in part if work.row is not None and found.get(work.row[1]) != work.row[3]]
