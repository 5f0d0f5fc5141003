"""Plain SQL for the few statements that run for every turn and every event: a tenth of the ORM's cost, as measured.

The functions take `execute(statement, parameters) -> rows changed`, with `%s` for parameters as in Django's cursors, so
that the same statements run on Django's connection and on the event loop's own (`chat/log/sqlite_commit.py`). They
store the same values as the ORM.
"""

from collections.abc import Callable, Generator, Sequence
from datetime import UTC, datetime
from functools import cache
from itertools import chain
from typing import Any, NamedTuple, Protocol, TypeVar
from uuid import UUID

from asgiref.sync import sync_to_async
from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, close_old_connections, connection, connections, reset_queries, transaction

from chat.protocol import events
from chat.protocol.events import Event

T = TypeVar("T")

Execute = Callable[[str, Sequence[Any]], int]


class Database(Protocol):
    """A connection inside a transaction: Django's in this thread, or the event loop's
    (`chat/log/sqlite_commit.py`, `chat/log/postgres_jobs.py`)."""

    def execute(self, statement: str, parameters: Sequence[Any]) -> int:
        """Run one statement; returns the number of rows that it changed."""
        ...

    def query(self, statement: str, parameters: Sequence[Any]) -> list[Any]:
        """Run one statement; returns its rows as tuples."""
        ...

    def verify(self, statement: str, parameters: Sequence[Any], check: Callable[[list[Any]], None]) -> None:
        """Call `check` with the rows of one statement, now or before the commit. An error that it raises rolls the
        transaction back and is raised to the caller of the job."""
        ...


class NotOnTheLoop(Exception):
    """The job needs Django's connection: the commit thread has to run it."""


DIALECT: Any = connections[DEFAULT_DB_ALIAS]
"""Tells how values are written for this database; it is never connected. Not `connection`, which makes a wrapper for
every task that uses it: two per stream, in reference cycles that only the garbage collector removed."""

NATIVE_IDS = DIALECT.features.has_native_uuid_field
"""Whether the database has a type for UUIDs; if not, they are stored as hexadecimal text."""


def django_execute(statement: str, parameters: Sequence[Any]) -> int:
    """`Database.execute` on Django's connection of this thread."""
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return int(cursor.rowcount)


class DjangoConnection:
    """Django's connection of this thread."""

    execute = staticmethod(django_execute)

    @staticmethod
    def query(statement: str, parameters: Sequence[Any]) -> list[Any]:
        """Run one statement; returns its rows as tuples."""
        with connection.cursor() as cursor:
            cursor.execute(statement, parameters)
            return list(cursor.fetchall())

    def verify(self, statement: str, parameters: Sequence[Any], check: Callable[[list[Any]], None]) -> None:
        """Call `check` with the rows of one statement, now."""
        check(self.query(statement, parameters))


DJANGO = DjangoConnection()


async def in_thread(function: Callable[[], T]) -> T:
    """Run a function that uses Django's connection in a thread, for tasks that belong to no request.

    Django gives connections back at the end of a request. These tasks have none, so it is done here: otherwise the
    thread would keep a connection of the pool for good.
    """

    def run() -> T:
        try:
            return function()
        finally:
            forget_statements()
            close_old_connections()

    return await sync_to_async(run)()


def forget_statements() -> None:
    """With DEBUG: drop the statements that Django keeps of this thread's connection, the newest 9,000. It drops them at
    the beginning of a request, and these threads have none."""
    if settings.DEBUG:
        reset_queries()


async def in_transaction(job: Callable[[], T]) -> T:
    """`job`'s result, run in a transaction of its own: for commands, beside which a server writes."""

    def run() -> T:
        with transaction.atomic():
            return job()

    return await in_thread(run)


def key_of(id: UUID) -> Any:
    """An id as the database stores it. Compute it once per stream: it costs as much as the rest of a row."""
    return id if NATIVE_IDS else id.hex


EVENTS_AFTER = 'SELECT seq, "at", data FROM chat_event WHERE stream_id = %s AND seq > %s ORDER BY seq LIMIT %s'


def events_after(key: Any, after: int, most: int) -> Generator[Event, None, None]:
    """At most `most` events of a stream after `after`, fetched a few at a time, so that the caller can stop early."""
    with connection.cursor() as cursor:
        cursor.execute(EVENTS_AFTER, [key, after, most])
        while some := cursor.fetchmany(16):
            yield from map(Event._make, some)


class Table(NamedTuple):
    """A table, and the columns for which a new row has values; the others are NULL."""

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
    """Insert rows with one statement; their values are as the database stores them (`key_of`, `document`, `moment`)."""
    execute(_insert_of(table, len(rows)), list(chain.from_iterable(rows)))


@cache
def _insert_of(table: Table, count: int) -> str:
    one = f"({','.join(['%s'] * len(table.columns.split(',')))})"
    return f"INSERT INTO {table.name} ({table.columns}) VALUES {','.join([one] * count)}"


def document(value: Any) -> Any:
    """A JSON column's value, as text: PostgreSQL takes a parameter for the column's type."""
    return None if value is None else events.encode(value)


def moment(value: datetime | None) -> Any:
    """A time as Django stores it; for SQLite and UTC without Django's look-ups of time zones, seven times a turn."""
    if value is None or value.tzinfo is not UTC or DIALECT.vendor != "sqlite":
        return DIALECT.ops.adapt_datetimefield_value(value)
    return str(value)[: -len("+00:00")]
