"""What can wait for a commit: an event of a stream, or a function; and what is asked of a batch of both."""

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
"""The database cannot be reached, or is locked: what failed may be tried again."""


class Work(Protocol):
    """What can be queued. Work of one `key` is stored together or not at all.

    `row` is the event to insert, None for a job. `on_loop` tells whether the event loop's connection may store it.
    `failure` is why it must not be stored any more. `fail` sets it, in any thread. `done` is called on `loop` after the
    commit, with the error where there was none, and `publish` when all of the batch is done.
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
    """One event on its way into the table."""

    on_loop: ClassVar[bool] = True
    tail: "Tail"
    event: Event
    row: Row
    ending: Ending | None
    loop: asyncio.AbstractEventLoop

    @property
    def key(self) -> Any:
        """One stream's events are stored or fail together."""
        return self.tail.key

    @property
    def failure(self) -> Exception | None:
        """What made an earlier event of this stream fail."""
        return self.tail.error

    def fail(self, error: Exception) -> None:
        """Nothing of this stream may be stored from now on: there would be a hole before it."""
        if self.tail.error is None:
            self.tail.error = error

    def done(self, error: Exception | None) -> None:
        """The event may be read, or its turn learns that it failed."""
        self.tail.committed(self.event, self.ending, error)

    def publish(self) -> None:
        """Tell the readers, at a stream's last event in its batch: they get all of the batch in one piece."""
        tail = self.tail
        if tail.error is None and tail.events[-1] is self.event:
            tail.publish(self.event.seq)


class Job:
    """A function to run in the commit thread's transaction, with the future that waits for its result."""

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
        """A job fails alone."""
        return self

    def run(self) -> None:
        """Run in a savepoint: a job that raises undoes nothing else of the batch."""
        self.error = None
        try:
            with transaction.atomic():
                self.result = self.function()
        except AWAY:
            raise
        except Exception as error:  # whatever the job raises is its caller's
            self.error = error

    def fail(self, error: Exception) -> None:
        """`done` tells the caller."""

    def done(self, error: Exception | None) -> None:
        """Give the caller the result, or the error."""
        if self.future.done():
            return
        if failure := error or self.error:
            self.future.set_exception(failure)
        else:
            self.future.set_result(self.result)

    def publish(self) -> None:
        """Nobody else waits for it."""


def settle(batch: Sequence[Work], error: Exception | None) -> None:
    """On the event loop: all are done before anybody is told, so that who is told of one sees the others too."""
    for work in batch:
        work.done(error)
    for work in batch:
        work.publish()


def storable(batch: Iterable[Work]) -> tuple[list[Row], list[tuple[Row, Ending]]]:
    """The events and ends of a batch, without those of streams that lost an earlier event."""
    rows: list[Row] = []
    endings: list[tuple[Row, Ending]] = []
    for work in batch:
        if work.row is not None and work.failure is None:
            rows.append(work.row)
            if work.ending is not None:
                endings.append((work.row, work.ending))
    return rows, endings


def by_key(batch: Iterable[Work]) -> dict[object, list[Work]]:
    """The batch by key."""
    parts: dict[object, list[Work]] = {}
    for work in batch:
        parts.setdefault(work.key, []).append(work)
    return parts
