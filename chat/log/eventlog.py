"""The log: the only writer of events, and the only reader of them.

Whatever all streams of this process have pending is written by one thread in one transaction, as soon as the
thread is free; there is no timer, so a lone event is durable in well under a millisecond and batches form by
themselves under load. `on_commit` is told afterwards, on the event loop, and never before: what a reader sees
has been committed (log before show).

    turns ── Tail.append ──> Writer thread ── commit ──> Tail.events ──> on_commit ──> live.announce
    stream.follow ── read ──> the tail's committed events, or the table where the tail does not reach back
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from functools import partial
from typing import Any, ClassVar, TypeVar
from uuid import UUID

import msgspec
from asgiref.sync import sync_to_async
from django.db import IntegrityError, transaction
from django.utils import timezone

from chat import models
from chat.log.group_commit import Writer
from chat.log.pages import Page, read_table
from chat.log.sql import Database, Ending, LeaseLost, Row, django_execute, insert_events, key_of, update_ending
from chat.protocol import events
from chat.protocol.answer import Answer
from chat.protocol.errors import ApiError
from chat.protocol.events import Event

TAIL_BYTES = 256 * 1024
"""What a tail keeps of its newest events; older ones are read from the table."""

ENDED_TAILS = 64
"""Finished streams whose tail is kept, for the readers that are about to read its end."""

_event = partial(tuple.__new__, Event)
"""An event of a tuple: `Event` itself is a Python function more for every token."""

MAX_PENDING = 64 * 1024
"""Characters of one stream that may wait for their commit before its turn waits too."""

T = TypeVar("T")


class Tail:
    """The writing end of one stream's log in this process, with its newest committed events in memory."""

    __slots__ = (
        "_settled",
        "ended",
        "error",
        "events",
        "gone",
        "key",
        "loop",
        "next_seq",
        "pending",
        "size",
        "stream_id",
    )

    def __init__(self, stream_id: UUID, first: Event) -> None:
        self.stream_id = stream_id
        self.key = key_of(stream_id)
        self.loop = asyncio.get_running_loop()
        self.gone = False
        self.next_seq = first.seq + 1
        self.events = [first]  # a list: a deque takes 600 bytes for its first element
        self.size = len(first.data)
        self.ended = False
        self.pending = 0
        self.error: Exception | None = None
        self._settled: asyncio.Future[None] | None = None

    def append(self, at: int, data: str, ending: Ending | None = None) -> None:
        """Give the next event to the writer. Raises what made an earlier event of this stream fail."""
        if self.error is not None:
            raise self.error
        seq = self.next_seq
        self.next_seq = seq + 1
        self.pending += len(data)
        _writer.submit(Append(self, _event((seq, at, data)), (self.key, seq, at, data), ending, self.loop))

    def room(self) -> "asyncio.Future[None] | None":
        """None while there is room for more of this stream; else what is done after its next commit."""
        return self._next_commit() if self.pending >= MAX_PENDING else None

    async def settled(self) -> None:
        """Wait until nothing is uncommitted; raises what made the commit fail."""
        while self.pending and self.error is None:
            await asyncio.shield(self._next_commit())
        if self.error is not None:
            raise self.error

    def _next_commit(self) -> "asyncio.Future[None]":
        if self._settled is None:
            self._settled = self.loop.create_future()
        return self._settled

    def failed(self, error: Exception) -> None:
        """The commit failed for good: the turn learns it at its next append."""
        self.error = error
        self.pending = 0
        self._wake()

    def _wake(self) -> None:
        if self._settled is not None and not self._settled.done():
            self._settled.set_result(None)
        self._settled = None

    def since(self, after: int) -> list[Event] | None:
        """The committed events after `after`, or None where the tail does not reach that far back, or is no more."""
        held = self.events
        if after + 1 < held[0].seq or self.gone:
            return None
        missed = held[-1].seq - after
        if missed <= 0:
            return []
        return held[-missed:]


class Append(msgspec.Struct, gc=False):
    """One event on its way into the table; see `Work`."""

    quick: ClassVar[bool] = True
    tail: Tail
    event: Event
    row: Row
    ending: Ending | None
    loop: asyncio.AbstractEventLoop

    @property
    def key(self) -> Any:
        """What isolates a failure: one stream's events stand or fall together."""
        return self.tail.key

    def done(self, error: Exception | None) -> None:
        """On the event loop, after the commit: the event may be read, or the turn learns that it failed."""
        tail, event = self.tail, self.event
        if error is not None:
            return tail.failed(error)
        tail.events.append(event)
        size = len(event.data)
        tail.pending -= size
        tail.size += size
        while tail.size > TAIL_BYTES and len(tail.events) > 1:
            tail.size -= len(tail.events.pop(0).data)
        if self.ending is not None:
            tail.ended = True
            _retire(tail)
        if tail._settled is not None:
            tail._wake()

    def tell(self) -> None:
        """Tell the readers of a stream's last event in its batch: they get all of the batch in one piece."""
        tail = self.tail
        if tail.error is None and tail.events[-1] is self.event:
            on_commit(tail.stream_id, self.event.seq)


_writer = Writer()
_tails: dict[UUID, Tail] = {}
_ended: OrderedDict[UUID, Tail] = OrderedDict()


def _nobody(stream_id: UUID, seq: int) -> None:
    """Nobody listens yet."""


on_commit: Callable[[UUID, int], None] = _nobody
"""Called on the event loop with (stream id, seq) after that event's commit; `turns` points it at `live.announce`."""


async def write(job: Callable[[], T]) -> T:
    """Run `job` in the writer's next transaction, in a savepoint of its own; its result once that is committed."""
    result: T = await _writer.run(job)
    return result


def write_at_once(job: Callable[[Database], T]) -> T | None:
    """The result of a job that needs nothing of Django's, committed by the loop before this returns; else None.

    None where the database is no SQLite file, where the thread has work, and where the job raises or cannot be stored:
    then nothing is, and it is to be asked of `write`, which runs it again.
    """
    return _writer.at_once(job)


def open_tail(stream_id: UUID, first: Event) -> Tail:
    """Begin to write a stream whose first event has just been committed by a job of `write`."""
    tail = _tails[stream_id] = Tail(stream_id, first)
    return tail


def _retire(tail: Tail) -> None:
    _tails.pop(tail.stream_id, None)
    _ended[tail.stream_id] = tail
    while len(_ended) > ENDED_TAILS:
        _ended.popitem(last=False)


def abandon(tail: Tail) -> None:
    """Forget a stream that this process can write no more; its readers go on from the table."""
    tail.gone = True
    _tails.pop(tail.stream_id, None)


def tail_of(stream_id: UUID) -> Tail | None:
    """The stream's tail where this process writes it, or has just written its end: its commits are announced here."""
    return _tails.get(stream_id) or _ended.get(stream_id)


def is_last(stream_id: UUID, seq: int) -> bool:
    """Whether that event is known, without a look at the table, to be the stream's last one."""
    tail = tail_of(stream_id)
    return tail is not None and tail.ended and tail.events[-1].seq == seq


async def read(stream_id: UUID, after: int) -> Page:
    """Committed events with a seq above `after`, at most `PAGE_ROWS` of them from the table."""
    tail = tail_of(stream_id)
    if tail is None:
        return await sync_to_async(read_table)(stream_id, after)
    if (found := tail.since(after)) is not None:
        return Page(found, tail.ended)
    page = await sync_to_async(read_table)(stream_id, after)
    return page._replace(more=not page.ended)  # the tail has the rest


async def last_seq(stream_id: UUID) -> int:
    """The newest committed event's seq; -1 where there is none."""
    tail = tail_of(stream_id)
    if tail is not None:
        return tail.events[-1].seq
    newest = models.Event.objects.filter(stream_id=stream_id).order_by("-seq").values_list("seq", flat=True)
    found = await newest.afirst()
    return -1 if found is None else found


def interrupt(stream_id: UUID, error: ApiError) -> int | None:
    """End a stream whose worker is gone, after its last stored event; the end's seq. A job of `write`.

    None where the stream has moved on or ended meanwhile. Its worker, should it come back, finds its next seq taken
    and gives up.
    """
    rows = models.Event.objects.filter(stream_id=stream_id).order_by("seq").values_list("seq", "at", "data")
    stored = [Event(*row) for row in rows]
    last = stored[-1] if stored else Event(-1, 0, "")
    ending = Ending(
        status=events.INTERRUPTED,
        parts=Answer.of(stored).finished(),
        ended_at=timezone.now(),
        error=error.as_json()["error"],
        first_token_us=stored[1].at if len(stored) > 1 else None,
    )
    try:
        with transaction.atomic():
            data = events.encode(events.failure(error, events.INTERRUPTED))
            key = key_of(stream_id)
            insert_events(django_execute, [(key, last.seq + 1, last.at, data)])
            update_ending(django_execute, key, last.seq + 1, ending)
    except (IntegrityError, LeaseLost):
        return None
    return last.seq + 1


def forget(stream_id: UUID) -> None:
    """Drop a finished stream's tail from memory, when its rows are deleted."""
    _ended.pop(stream_id, None)


def close() -> None:
    """Write what is pending, then end the writer's thread and its connection."""
    _writer.close()
    _ended.clear()
