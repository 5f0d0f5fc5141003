"""What can be queued for the writer: an event of a stream, or a job; and what is asked of a batch of both."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Protocol

from django.db import InterfaceError, OperationalError, transaction

from chat.log.sql import Ending, Row

AWAY = (OperationalError, InterfaceError)
"""The database cannot be reached, or is locked: what failed may be tried again."""


class Work(Protocol):
    """What can be queued: an event, with the stream's end where it is the last one, or a job.

    `row` is the event to insert, None for a job; `quick` work, which events are, may be done on the loop's connection;
    work of one `key` stands or falls together; `done` is called on `loop` after the commit, with the error if it failed
    for good, and `tell` when all of the batch is done.
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
    def quick(self) -> bool: ...
    def done(self, error: Exception | None) -> None: ...
    def tell(self) -> None: ...


class Job:
    """A function to run in the thread's transaction, with the future that waits for its result."""

    __slots__ = ("error", "function", "future", "loop", "result")
    quick = False
    row = ending = None

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

    def tell(self) -> None:
        """Its future has told."""


def tell(works: Sequence[Work], error: Exception | None) -> None:
    """First all are done, then all are told: who is told of one sees the others too."""
    for work in works:
        work.done(error)
    for work in works:
        work.tell()


def taken_apart(batch: Iterable[Work]) -> tuple[list[Row], list[tuple[Row, Ending]]]:
    """The events and ends of a batch, as `QuickConnection.store` takes them."""
    rows: list[Row] = []
    endings: list[tuple[Row, Ending]] = []
    for work in batch:
        if work.row is not None:
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
