"""Group commit: one transaction for all work that is queued, and what happens when it fails.

A batch is everything that was queued while the previous commit ran; there is no timer. It is one transaction: each job
in a savepoint of its own, then all events in one INSERT, then the ends of streams. While the database is unreachable or
locked, the batch is retried for `retry_seconds`. If the database refuses a row, the part of every stream is committed
separately, so that only the refused stream fails. Everything queued for a stream after its failure is dropped.

Two places commit. The event loop commits what it can on a connection of its own (`LoopConnection`): on SQLite, before
the call returns, events and the starts of plain turns, each start by itself (`run_now`); on PostgreSQL, events, without
waiting for the answer. The commit thread (`commit_thread.py`) commits the rest, and whatever the loop's connection
refuses, together with all events after it: so a stream's events are stored in order, wherever they are committed.
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
from chat.log.sql import Database, django_execute, forget_statements

log = logging.getLogger(__name__)

T = TypeVar("T")

RETRY_SECONDS = 15.0
"""How long a batch is retried while the database is unreachable or locked, by default."""


class LoopConnection(Protocol):
    """A connection that the event loop commits on (`sqlite_commit.py`, `postgres_commit.py`).

    `one_writer`: whether it must not write while the thread writes. `is_ready`: whether it can be used now.
    """

    @property
    def one_writer(self) -> bool: ...
    @property
    def is_ready(self) -> bool: ...
    def run(self, function: Callable[[Database], T], /) -> T | None:
        """Commit what `function` does and return its result; None if that cannot be done now."""
        ...

    def commit(
        self, rows: Sequence[Row], endings: Sequence[tuple[Row, Ending]], done: Callable[[Exception | None], None]
    ) -> None:
        """Commit events and ends of streams; `done` is called on the loop, now or later, with the error or None."""
        ...


class GroupCommit:
    """The queue, and the two places that commit it: the thread and the event loop.

    `connect` returns the loop's connection, None if it has none; `thread` makes the commit thread. `commits` counts
    the commits of batches, `commit_seconds` how long they took.
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
        self._ahead = 0  # how much of it must be stored before the loop may commit anything
        self.commits = 0
        self.commit_seconds = 0.0
        self._gathered: list[Work] = []
        self._in_flight: list[Work] = []
        self._began = 0.0
        self._own: LoopConnection | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def queued(self) -> int:
        """How many events and jobs are not committed yet, or not settled yet."""
        return self._outstanding + len(self._in_flight) + len(self._gathered)

    async def run(self, function: Callable[[], T]) -> T:
        """Run `function` in the commit thread; its result once the transaction is committed."""
        job = Job(function)
        self.submit(job)
        result: T = await job.future
        return result

    def run_now(self, function: Callable[[Database], T]) -> T | None:
        """Run and commit `function` on the loop's connection; its result, or None if that cannot be done now."""
        loop = asyncio.get_running_loop()
        if self._loop is None:
            self._adopt(loop)
        if self._ahead or self._own is None or loop is not self._loop:
            return None
        return self._own.run(function)

    def _adopt(self, loop: asyncio.AbstractEventLoop) -> None:
        """Give the loop's connection to the first event loop that writes."""
        self._loop = loop
        self._own = self._connect()

    def submit(self, work: Work) -> None:
        """Queue work without waiting; called on its event loop."""
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
        """Commit on the loop's connection what was gathered, unless a commit is under way.

        While the thread has work that was refused here, nothing is committed here: that work is older.
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
        """The loop's commit is done; with `error` it was refused, and the thread repeats it."""
        batch, self._in_flight = self._in_flight, []
        if error is not None:
            return self._hand_over([*batch, *self._taken()])
        self.commits += 1
        self.commit_seconds += time.monotonic() - self._began
        settle(batch, None)
        if self._gathered and self._loop is not None:
            self._loop.call_soon(self._flush)

    def _taken(self, *behind: Work) -> list[Work]:
        """Remove what was gathered and return it, followed by `behind`."""
        gathered, self._gathered = self._gathered, []
        return [*gathered, *behind] if behind else gathered

    def _hand_over(self, works: list[Work]) -> None:
        """Queue work for the thread."""
        self._outstanding += len(works)
        self._ahead += self._first_of(works)
        self._thread.put(works)

    def _first_of(self, works: Sequence[Work]) -> int:
        """How many of these must be stored before the loop may commit anything."""
        alone = self._own is None or self._own.one_writer
        return len(works) if alone else sum(work.row is not None for work in works)

    def close(self) -> None:
        """Commit what is queued, then end the thread. The loop's connection is closed by whoever opened it."""
        if self._gathered:
            self._hand_over(self._taken())
        self._thread.close()
        self._own = self._loop = None
        self._outstanding = self._ahead = 0

    def _commit(self, batch: list[Work]) -> Iterator[float]:
        """Commit the batch; if the database refuses it, the part of every stream separately. Raises nothing."""
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
        """Commit one transaction, retried until `deadline` while the database is away; returns the final error."""
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
            except Exception as error:  # a bug: these streams fail, the thread goes on
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
        forget_statements()

    def _settle(self, batch: Sequence[Work], error: Exception | None) -> None:
        """Settle each work on its own event loop, with one callback per loop.

        A failure is marked here, in the thread, so that the next batch stores nothing of the same streams.
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
        """On the loop: settle them before the loop may commit again, so that no later event is published first."""
        settle(works, error)
        self._outstanding = max(0, self._outstanding - len(works))
        self._ahead = max(0, self._ahead - self._first_of(works))
        self._flush()


def _unstored(part: list[Work]) -> list[Work]:
    """The part without events that an earlier attempt has stored: it was committed, but the confirmation was lost."""
    first: Row | None = part[0].row
    if first is None:
        return part
    stored = models.Event.objects.filter(stream_id=first[0], seq__gte=first[1])
    found = dict(stored.values_list("seq", "data"))
    return [work for work in part if work.row is not None and found.get(work.row[1]) != work.row[3]]
