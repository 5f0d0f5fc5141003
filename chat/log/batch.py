"""What can be queued for a commit: an event of a stream (`Append`) or a function (`Job`); and batches of both."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

import msgspec
from django.db import InterfaceError, OperationalError, transaction

from chat.log.fence import Ending, Row
from chat.protocol.events import Event

if TYPE_CHECKING:
    from chat.log.tail import Tail

AWAY = (OperationalError, InterfaceError)
"""Raised while the database is unreachable or locked: the transaction may be retried."""


class Work(Protocol):
    """What can be queued for a commit. Work with the same `key` is stored together or not at all.

    `row` is the event to insert, None for a job. `on_loop` says whether the event loop's connection may store it.
    `failure` is the reason why it must no longer be stored; `fail` sets it, from any thread. `done` is called on `loop`
    after the commit, with the error if it failed; `publish` follows when `done` was called for the whole batch.
    """

    @property
    def loop(self) -> asyncio.AbstractEventLoop: ...
    @property
    def key(self) -> object: ...
    @property
    def row(self) -> Row | None: ...
    @property
    def ending(self) -> Ending | None: ...
    @property
    def on_loop(self) -> bool: ...
    @property
    def failure(self) -> Exception | None: ...
    def fail(self, error: Exception) -> None: ...
    def done(self, error: Exception | None) -> None: ...
    def publish(self) -> None: ...


class Append(msgspec.Struct, gc=False):
    """An event of a stream, to be inserted."""

    on_loop: ClassVar[bool] = True
    tail: "Tail"
    event: Event
    row: Row
    ending: Ending | None
    loop: asyncio.AbstractEventLoop

    @property
    def key(self) -> Any:
        """The stream: its events are stored or fail together."""
        return self.tail.key

    @property
    def failure(self) -> Exception | None:
        """The error of an earlier event of this stream."""
        return self.tail.error

    def fail(self, error: Exception) -> None:
        """Keep later events of this stream from being stored: there would be a hole before them."""
        if self.tail.error is None:
            self.tail.error = error

    def done(self, error: Exception | None) -> None:
        """Make the event readable, or let its turn know that it failed."""
        self.tail.committed(self.event, self.ending, error)

    def publish(self) -> None:
        """Publish at the stream's last event of the batch, so that readers get its events of the batch in one piece."""
        tail = self.tail
        if tail.error is None and tail.events[-1] is self.event:
            tail.publish(self.event.seq)


class Job:
    """A function to run in the commit thread's transaction, and a future for its result."""

    __slots__ = ("error", "function", "future", "loop", "result")
    on_loop = False
    row = ending = failure = None

    def __init__(self, function: Callable[[], Any]) -> None:
        self.function = function
        self.loop = asyncio.get_running_loop()
        self.future: asyncio.Future[Any] = self.loop.create_future()
        self.result: Any = None
        self.error: Exception | None = None

    @property
    def key(self) -> object:
        """The job itself: it fails alone."""
        return self

    def run(self) -> None:
        """Run the function in a savepoint, so that its error does not roll back the rest of the batch."""
        self.error = None
        try:
            with transaction.atomic():
                self.result = self.function()
        except AWAY:
            raise
        except Exception as error:  # raised to whoever waits for the future
            self.error = error

    def fail(self, error: Exception) -> None:
        """Nothing to mark: `done` gets the error too."""

    def done(self, error: Exception | None) -> None:
        """Resolve the future with the result or the error."""
        if self.future.done():
            return
        if failure := error or self.error:
            self.future.set_exception(failure)
        else:
            self.future.set_result(self.result)

    def publish(self) -> None:
        """A job has no readers."""


def settle(batch: Sequence[Work], error: Exception | None) -> None:
    """Finish a batch, on the event loop: `done` for all of it first, so that whoever is notified sees all of it."""
    for work in batch:
        work.done(error)
    for work in batch:
        work.publish()


def storable(batch: Iterable[Work]) -> tuple[list[Row], list[tuple[Row, Ending]]]:
    """The events and endings of a batch, without those of streams of which an earlier event failed."""
    rows: list[Row] = []
    endings: list[tuple[Row, Ending]] = []
    for work in batch:
        if work.row is not None and work.failure is None:
            rows.append(work.row)
            if work.ending is not None:
                endings.append((work.row, work.ending))
    return rows, endings


def by_key(batch: Iterable[Work]) -> dict[object, list[Work]]:
    """The batch grouped by key, in order."""
    parts: dict[object, list[Work]] = {}
    for work in batch:
        parts.setdefault(work.key, []).append(work)
    return parts
