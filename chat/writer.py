"""The one thread that writes: a queue of work, group commit, and what to do when a commit fails.

A batch is everything that waited while the last commit ran. It is one transaction: each job in a savepoint of
its own, then all events in one INSERT, then the ends of streams. When the database cannot be reached or is
locked, the batch is tried again for `PATIENCE` seconds; when it refuses a row, every stream's part is tried by
itself, so that one stream's fault fails that stream alone.
"""

import asyncio
import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from django.db import IntegrityError, InterfaceError, OperationalError, connection, transaction

from chat import events, models

log = logging.getLogger(__name__)

PATIENCE = 15.0
"""Seconds for which a batch is tried again while the database cannot be reached or is locked."""

ROWS_PER_INSERT = 500
"""Four parameters a row; SQLite takes 32,766 parameters a statement."""

Row = tuple[UUID, int, int, str]

AWAY = (OperationalError, InterfaceError)
"""The database cannot be reached, or is locked: what failed may be tried again."""


class LeaseLost(Exception):
    """Somebody else has ended this stream: its worker was thought dead. The turn must stop writing."""


@dataclass(slots=True)
class Ending:
    """How a stream ended, stored in the same transaction as its last event."""

    status: str
    parts: list[dict[str, Any]]
    ended_at: datetime
    error: dict[str, Any] | None = None
    usage: dict[str, Any] | None = None
    first_token_us: int | None = None


class Work(Protocol):
    """What can be queued.

    `row` is the event to insert, if any; `run` is what else belongs in the transaction (before the insert for work
    without a row, after it for work with one); work of one `key` stands or falls together; `done` is called on
    `loop` after the commit, with the error if it failed for good.
    """

    @property
    def loop(self) -> asyncio.AbstractEventLoop: ...
    @property
    def key(self) -> object: ...
    @property
    def row(self) -> Row | None: ...
    def run(self) -> None: ...
    def done(self, error: Exception | None) -> None: ...


class Job:
    """A function to run in the writer's transaction, with the future that waits for its result."""

    __slots__ = ("error", "function", "future", "loop", "result")
    row = None

    def __init__(self, function: Callable[[], Any]) -> None:
        self.function = function
        self.loop = asyncio.get_running_loop()
        self.future: asyncio.Future[Any] = self.loop.create_future()
        self.result: Any = None
        self.error: Exception | None = None

    @property
    def key(self) -> object:
        """A job stands for itself."""
        return self

    def run(self) -> None:
        """Run in a savepoint: a job that raises takes nothing else of the batch with it."""
        self.error = None
        try:
            with transaction.atomic():
                self.result = self.function()
        except AWAY:
            raise
        except Exception as error:  # whatever the job raises is its caller's
            self.error = error

    def done(self, error: Exception | None) -> None:
        if self.future.done():
            return
        if failure := error or self.error:
            self.future.set_exception(failure)
        else:
            self.future.set_result(self.result)


def write_events(rows: Sequence[Row]) -> None:
    """One INSERT for all rows: the hot path, measured at a tenth of `bulk_create`'s cost."""
    as_id = models.Event._meta.get_field("stream").get_db_prep_value
    with connection.cursor() as cursor:
        for start in range(0, len(rows), ROWS_PER_INSERT):
            chunk = rows[start : start + ROWS_PER_INSERT]
            values = ",".join(["(%s,%s,%s,%s)"] * len(chunk))
            flat: list[Any] = []
            for stream_id, seq, at, data in chunk:
                flat += (as_id(stream_id, connection), seq, at, data)
            cursor.execute(f'INSERT INTO chat_event (stream_id, seq, "at", data) VALUES {values}', flat)


def write_ending(stream_id: UUID, last_seq: int, ending: Ending) -> None:
    """Mark the stream as ended and give its answer its text; LeaseLost where somebody else has ended it."""
    running = models.Stream.objects.filter(pk=stream_id, status=events.RUNNING)
    changed = running.update(
        status=ending.status,
        error=ending.error,
        usage=ending.usage,
        ended_at=ending.ended_at,
        last_seq=last_seq,
        first_token_us=ending.first_token_us,
        lease_until=None,
    )
    if not changed:
        raise LeaseLost(f"stream {stream_id} has already ended")
    models.Message.objects.filter(stream=stream_id).update(parts=ending.parts)


class Writer:
    """A queue and the thread that empties it. The thread starts with the first work and holds one connection."""

    def __init__(self) -> None:
        self._queue: deque[Work] = deque()
        self._ready = threading.Condition()
        self._thread: threading.Thread | None = None
        self._closing = False

    async def run(self, function: Callable[[], Any]) -> Any:
        """`function`'s result, once the transaction that it ran in is committed."""
        job = Job(function)
        self.submit(job)
        return await job.future

    def submit(self, work: Work) -> None:
        """Queue without waiting."""
        with self._ready:
            self._queue.append(work)
            if self._thread is None:
                self._closing = False
                self._thread = threading.Thread(target=self._main, name="eventlog-writer", daemon=True)
                self._thread.start()
            self._ready.notify()

    def close(self) -> None:
        """Write what is queued, then end the thread."""
        with self._ready:
            thread, self._closing = self._thread, True
            self._ready.notify()
        if thread is not None:
            thread.join()

    def _main(self) -> None:
        try:
            while batch := self._next_batch():
                self._commit(batch)
        finally:
            connection.close()

    def _next_batch(self) -> list[Work]:
        with self._ready:
            while not self._queue and not self._closing:
                self._ready.wait()
            batch = list(self._queue)
            self._queue.clear()
            if not batch:
                self._thread = None
            return batch

    def _commit(self, batch: list[Work]) -> None:
        """Store the batch; where the database refuses it, every stream's part by itself. Nothing is raised."""
        deadline = time.monotonic() + PATIENCE
        error = self._store(batch, deadline)
        if error is None or isinstance(error, AWAY):
            return _settle(batch, error)
        for part in _keys(batch).values():
            error = self._store(part, deadline, refused=True)
            if isinstance(error, IntegrityError):
                error = LeaseLost("another worker wrote this stream's next event")
            _settle(part, error)

    def _store(self, work: list[Work], deadline: float, refused: bool = False) -> Exception | None:
        """One transaction, tried again until `deadline` while the database is away; the error if it failed for good."""
        pause = 0.01
        while True:
            try:
                self._write(_unstored(work) if refused else work)
                return None
            except AWAY as error:
                connection.close()
                if time.monotonic() > deadline:
                    log.exception("the log could not be written for %.0f s", PATIENCE)
                    return error
            except (IntegrityError, LeaseLost) as error:
                return error
            except Exception as error:  # a fault of ours: its streams fail, the writer lives
                log.exception("the log could not be written")
                connection.close()
                return error
            time.sleep(pause)
            pause = min(pause * 2, 0.5)

    def _write(self, batch: Iterable[Work]) -> None:
        jobs = [work for work in batch if work.row is None]
        appends = [work for work in batch if work.row is not None]
        with transaction.atomic():
            for job in jobs:
                job.run()
            if appends:
                write_events([append.row for append in appends if append.row is not None])
            for append in appends:
                append.run()


def _keys(batch: Iterable[Work]) -> dict[object, list[Work]]:
    """The batch by key."""
    parts: dict[object, list[Work]] = {}
    for work in batch:
        parts.setdefault(work.key, []).append(work)
    return parts


def _unstored(part: list[Work]) -> list[Work]:
    """Without the events that an earlier try has stored: its commit arrived, only the answer to it was lost."""
    if (first := part[0].row) is None:
        return part
    stored = models.Event.objects.filter(stream_id=first[0], seq__gte=first[1])
    found = dict(stored.values_list("seq", "data"))
    return [work for work in part if work.row is not None and found.get(work.row[1]) != work.row[3]]


def _settle(batch: Sequence[Work], error: Exception | None) -> None:
    """Tell everybody on their own loop, with one wake-up a loop."""
    loops: dict[asyncio.AbstractEventLoop, list[Work]] = {}
    for work in batch:
        loops.setdefault(work.loop, []).append(work)
    for loop, works in loops.items():
        try:
            loop.call_soon_threadsafe(_tell, works, error)
        except RuntimeError:
            log.warning("an event loop closed before its log entries were settled")


def _tell(works: Sequence[Work], error: Exception | None) -> None:
    for work in works:
        work.done(error)
