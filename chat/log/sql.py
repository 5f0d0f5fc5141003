"""The few statements that run for every turn and every event, without the ORM's cost: measured at a tenth of it.

Every function takes `execute(statement, parameters) -> rows changed`, with `%s` for parameters as Django's cursors have
it, so that the same statements run on Django's connection and on the event loop's own (`chat/log/sqlite_commit.py`).
What is stored is what the ORM would store.
"""

from collections.abc import Callable, Generator, Sequence
from datetime import UTC, datetime
from functools import cache
from itertools import chain
from typing import Any, NamedTuple, Protocol, TypeVar
from uuid import UUID

from asgiref.sync import sync_to_async
from django.db import DEFAULT_DB_ALIAS, close_old_connections, connection, connections

from chat.protocol import events
from chat.protocol.events import Event

T = TypeVar("T")

Execute = Callable[[str, Sequence[Any]], int]


class Database(Protocol):
    """A connection inside a transaction: Django's own in this thread, or the event loop's
    (`chat/log/sqlite_commit.py`, `chat/log/postgres_jobs.py`)."""

    def execute(self, statement: str, parameters: Sequence[Any]) -> int:
        """Run one statement; the number of rows that it changed."""
        ...

    def query(self, statement: str, parameters: Sequence[Any]) -> list[Any]:
        """The rows that one statement finds, as tuples."""
        ...

    def verify(self, statement: str, parameters: Sequence[Any], check: Callable[[list[Any]], None]) -> None:
        """Have the rows that one statement finds checked, at once or before the commit: what `check` raises undoes the
        transaction, and is raised."""
        ...


class NotOnTheLoop(Exception):
    """This needs Django's connection: the commit thread is to do it."""


DIALECT: Any = connections[DEFAULT_DB_ALIAS]
"""Says how a value is written, and never connects. Not `connection`, which makes a wrapper for every task that asks it
anything: two a stream, which only the collector of cycles took away."""

NATIVE_IDS = DIALECT.features.has_native_uuid_field
"""Whether the database has a type for a UUID; else it is kept in hex."""


def django_execute(statement: str, parameters: Sequence[Any]) -> int:
    """Run on Django's connection of this thread."""
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return int(cursor.rowcount)


class DjangoConnection:
    """Django's connection of this thread."""

    execute = staticmethod(django_execute)

    @staticmethod
    def query(statement: str, parameters: Sequence[Any]) -> list[Any]:
        """The rows that one statement finds, as tuples."""
        with connection.cursor() as cursor:
            cursor.execute(statement, parameters)
            return list(cursor.fetchall())

    def verify(self, statement: str, parameters: Sequence[Any], check: Callable[[list[Any]], None]) -> None:
        """Check the rows that one statement finds, at once."""
        check(self.query(statement, parameters))


DJANGO = DjangoConnection()


async def in_thread(function: Callable[[], T]) -> T:
    """`function`'s result, which uses Django's connection, for tasks that belong to no request.

    Nobody ends such a task's database work, so the connection is given back to its pool here: a thread that kept one
    would take it from the requests for good.
    """

    def run() -> T:
        try:
            return function()
        finally:
            close_old_connections()

    return await sync_to_async(run)()


def key_of(id: UUID) -> Any:
    """An id as the database has it. A stream's is to be kept with it: it costs as much as the rest of a row."""
    return id if NATIVE_IDS else id.hex


EVENTS_AFTER = 'SELECT seq, "at", data FROM chat_event WHERE stream_id = %s AND seq > %s ORDER BY seq LIMIT %s'


def events_after(key: Any, after: int, most: int) -> Generator[Event, None, None]:
    """The events of a stream after `after`, a few at a time: whoever has enough of large ones stops reading."""
    with connection.cursor() as cursor:
        cursor.execute(EVENTS_AFTER, [key, after, most])
        while some := cursor.fetchmany(16):
            yield from map(Event._make, some)


class Table(NamedTuple):
    """A table, and the columns that a new row has values for; the others are NULL."""

    name: str
    columns: str


CONVERSATIONS = Table("chat_conversation", "id, user_id, title, pinned, system, created_at, updated_at")
MESSAGES = Table("chat_message", "id, conversation_id, parent_id, role, parts, created_at, position")
STREAMS = Table(
    "chat_stream",
    "id, user_id, conversation_id, answer_id, provider, model, request, request_id, status, worker, lease_until, "
    "created_at, last_seq, epoch",
)


def insert(execute: Execute, table: Table, *rows: Sequence[Any]) -> None:
    """One INSERT; a row's values are as the database has them, by `key_of`, `document` and `moment`."""
    execute(_insert_of(table, len(rows)), list(chain.from_iterable(rows)))


@cache
def _insert_of(table: Table, count: int) -> str:
    one = f"({','.join(['%s'] * len(table.columns.split(',')))})"
    return f"INSERT INTO {table.name} ({table.columns}) VALUES {','.join([one] * count)}"


def document(value: Any) -> Any:
    """A JSON column's value as Django keeps it: on SQLite a text, which needs no encoder made for each."""
    if value is None or DIALECT.vendor != "sqlite":
        return value if value is None else DIALECT.ops.adapt_json_value(value, None)
    return events.encode(value)


def moment(value: datetime | None) -> Any:
    """A time as Django keeps it. Ours are all in UTC: for seven a turn the settings need not be asked about zones."""
    if value is None or value.tzinfo is not UTC or DIALECT.vendor != "sqlite":
        return DIALECT.ops.adapt_datetimefield_value(value)
    return str(value.replace(tzinfo=None))
