"""Group commit: a queue of work, one commit for all that waits, and what happens when a commit fails.

A batch is everything that waited while the last commit ran; there is no timer. It is one transaction: each job in a
savepoint of its own, then all events in one INSERT, then the ends of streams. While the database cannot be reached or
is locked, the batch is tried again for `retry_seconds`; when it refuses a row, every stream's part is tried by itself,
so that one stream's failure fails that stream alone. Whatever a failed stream has behind the failure is dropped,
wherever it is queued.

One thread does this (`commit_thread.py`), and the event loop itself does what it can on a connection of its own
(`LoopConnection`): on SQLite at once, events and the starts of plain turns, each start by itself (`run_now`); on
PostgreSQL events, without waiting for the answer. What the loop's connection refuses goes to the thread, and so do all
events after it until the thread is done: a stream's events are stored in their order, whoever stores them.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from typing import Protocol, TypeVar

from django.db import IntegrityError, connection, transaction

from chat import models
from chat.log.batch import AWAY, Job, Work, by_key, settle, storable
from chat.log.commit_thread import Commit, Commits, CommitThread
from chat.log.fence import Ending, HoleInLog, LeaseLost, Row, insert_events, update_endings
from chat.log.sql import Database, django_execute

log = logging.getLogger(__name__)

T = TypeVar("T")

RETRY_SECONDS = 15.0
"""For which a batch is tried again while the database cannot be reached or is locked, unless told otherwise."""


class LoopConnection(Protocol):
    """The event loop's own connection (`sqlite_commit.py`, `postgres_commit.py`).

    `one_writer`: whether it must not write while the thread does. `is_ready`: whether it can be used now.
    """

    @property
    def one_writer(self) -> bool: ...
    @property
    def is_ready(self) -> bool: ...
    def run(self, function: Callable[[Database], T], /) -> T | None:
        """`function`'s result, once its transaction is committed; None where that cannot be done now."""
        ...

    def commit(
        self, rows: Sequence[Row], endings: Sequence[tuple[Row, Ending]], done: Callable[[Exception | None], None]
    ) -> None:
        """Store events and the ends of streams; `done` is called on the loop, now or later, with what went wrong."""
        ...


class GroupCommit:
    """What is stored by the thread, and the event loop's fast path.

    `connect` gives the loop's own connection, None where it has none; `thread` is the class of the thread. `commits`
    counts those of events and jobs, `commit_seconds` how long they took.
    """

    def __init__(
        self,
        connect: Callable[[], LoopConnection | None],
        retry_seconds: float = RETRY_SECONDS,
        thread: Callable[[Commit], Commits] = CommitThread,
    ) -> None:
        self._connect = connect
        self.retry_seconds = retry_seconds
        self._thread = thread(self._commit)
        self._outstanding = 0
        self._ahead = 0  # of what is outstanding, what must be stored before the loop may store anything
        self.commits = 0
        self.commit_seconds = 0.0
        self._gathered: list[Work] = []
        self._in_flight: list[Work] = []
        self._began = 0.0
        self._own: LoopConnection | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def queued(self) -> int:
        """How many events and jobs wait for their commit, or for the word that it is done."""
        return self._outstanding + len(self._in_flight) + len(self._gathered)

    async def run(self, function: Callable[[], T]) -> T:
        """`function`'s result, once the transaction of the thread's that it ran in is committed."""
        job = Job(function)
        self.submit(job)
        result: T = await job.future
        return result

    def run_now(self, function: Callable[[Database], T]) -> T | None:
        """`function`'s result, once a transaction of the loop's is committed; None where that cannot be done now."""
        loop = asyncio.get_running_loop()
        if self._loop is None:
            self._adopt(loop)
        if self._ahead or self._own is None or loop is not self._loop:
            return None
        return self._own.run(function)

    def _adopt(self, loop: asyncio.AbstractEventLoop) -> None:
        """The first loop that writes is the one whose commits are its own."""
        self._loop = loop
        self._own = self._connect()

    def submit(self, work: Work) -> None:
        """Queue without waiting; called on the work's loop."""
        if self._loop is None:
            self._adopt(work.loop)
        if self._own is not None and work.loop is self._loop:
            if work.on_loop:
                self._gathered.append(work)
                if len(self._gathered) == 1 and not self._ahead and not self._in_flight:
                    work.loop.call_soon(self._flush)
                return
            if not self._own.one_writer:
                return self._hand_over([work])
        self._hand_over(self._taken(work))

    def _flush(self) -> None:
        """Commit what the loop has gathered, unless a commit is under way; what was refused goes to the thread.

        While the thread has what was refused, nothing is committed here: it began earlier, and comes first.
        """
        batch, own = self._gathered, self._own
        if not batch or own is None or self._ahead or self._in_flight:
            return
        if not own.is_ready:
            return self._hand_over(self._taken())
        self._in_flight, self._gathered = batch, []
        self._began = time.monotonic()
        own.commit(*storable(batch), self._committed)

    def _committed(self, error: Exception | None) -> None:
        """The loop's commit is done, or refused."""
        batch, self._in_flight = self._in_flight, []
        if error is not None:
            return self._hand_over([*batch, *self._taken()])
        self.commits += 1
        self.commit_seconds += time.monotonic() - self._began
        settle(batch, None)
        if self._gathered and self._loop is not None:
            self._loop.call_soon(self._flush)

    def _taken(self, *behind: Work) -> list[Work]:
        """What was gathered, and what comes behind it."""
        gathered, self._gathered = self._gathered, []
        return [*gathered, *behind] if behind else gathered

    def _hand_over(self, works: list[Work]) -> None:
        """Give work to the thread."""
        self._outstanding += len(works)
        self._ahead += self._first_of(works)
        self._thread.put(works)

    def _first_of(self, works: Sequence[Work]) -> int:
        """How many of them must be stored before the loop may store anything."""
        alone = self._own is None or self._own.one_writer
        return len(works) if alone else sum(work.row is not None for work in works)

    def close(self) -> None:
        """Write what is queued, then end the thread. The loop's connection is its opener's to close."""
        if self._gathered:
            self._hand_over(self._taken())
        self._thread.close()
        self._own = self._loop = None
        self._outstanding = self._ahead = 0

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
        self._ahead = max(0, self._ahead - self._first_of(works))
        self._flush()


def _unstored(part: list[Work]) -> list[Work]:
    """Without the events that an earlier try has stored: its commit arrived, only the answer to it was lost."""
    first: Row | None = part[0].row
    if first is None:
        return part
    stored = models.Event.objects.filter(stream_id=first[0], seq__gte=first[1])
    found = dict(stored.values_list("seq", "data"))
    return [work for work in part if work.row is not None and found.get(work.row[1]) != work.row[3]]
