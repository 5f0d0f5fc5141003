"""The lines of feeds: changes in a user's conversations, stored in the transactions that make the changes.

A line's position is its id, and the lines of a user are in the order of their commits: SQLite has one writer at a time,
and on PostgreSQL a transaction locks the user's feed from its first line to its commit. The event loop's transactions
lock what is a user's in the order of the users, so that they are in no deadlock (`fence.py`, `postgres_jobs.py`). Those
of the commit thread may be: then the database aborts one transaction after a second, and it is retried.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import Any, NamedTuple
from uuid import UUID

from django.utils import timezone

from chat.log.sql import DIALECT, Execute, django_execute, key_of, moment
from chat.models import Change
from chat.protocol import events

MESSAGE, STARTED, ENDED = "message", "started", "ended"
RENAMED, PINNED, INSTRUCTED, DELETED = "renamed", "pinned", "instructed", "deleted"
FEEDBACK, QUEUE = "feedback", "queue"

KEPT = timedelta(days=2)
"""How long lines are kept. A reader that was away for longer cannot resume and gets the current state instead."""

PRUNED_AT_ONCE = 500

FEED_LOCK = 0x66656564
"""The first key of the PostgreSQL advisory locks of users' feeds; the second is the user's id."""


class ChangeRow(NamedTuple):
    """A line to add about a stream or a conversation, given by its `key_of`."""

    key: Any
    kind: str
    data: dict[str, Any]


def tell_of_streams(execute: Execute, at: Any, lines: Sequence[ChangeRow]) -> None:
    """Add lines about streams to the feeds of their users, in one statement; `at` is the time as `moment` writes it."""
    _tell(execute, _insert_of("chat_stream", "s.conversation_id", len(lines)), at, lines)


def tell_of_conversation(conversation: UUID, kind: str, data: dict[str, Any]) -> None:
    """Add a line about a conversation to its user's feed, in a job of `Log.write`. Call it before an owner changes."""
    line = ChangeRow(key_of(conversation), kind, data)
    _tell(django_execute, _insert_of("chat_conversation", "s.id", 1), moment(timezone.now()), [line])


def _tell(execute: Execute, statement: str, at: Any, lines: Sequence[ChangeRow]) -> None:
    values: list[Any] = []
    for number, (key, kind, data) in enumerate(lines):
        values += (number, key, kind, events.encode(data), at)
    execute(statement, values)


# A materialized CTE is complete before the first id is assigned, so ids are assigned while the feed is locked.
_STATEMENTS = {
    "sqlite": (
        "(%s,%s,%s,%s,%s)",
        "INSERT INTO chat_change (user_id, conversation_id, kind, data, at) "
        "SELECT s.user_id, {conversation}, n.column3, n.column4, n.column5 FROM (VALUES {values}) n "
        "CROSS JOIN {table} s ON s.id = n.column2 ORDER BY s.user_id, n.column1",
    ),
    "postgresql": (
        "(%s::integer,%s::uuid,%s::text,%s::text,%s::timestamptz)",
        "WITH held AS MATERIALIZED (SELECT o.*, pg_advisory_xact_lock({lock}, o.user_id::integer) FROM ("
        "SELECT s.user_id, {conversation} AS conversation, n.* FROM (VALUES {values}) n "
        "JOIN {table} s ON s.id = n.column2 ORDER BY s.user_id, n.column1) o) "
        "INSERT INTO chat_change (user_id, conversation_id, kind, data, at) "
        "SELECT user_id, conversation, column3, column4, column5 FROM held ORDER BY user_id, column1",
    ),
}


@cache
def _insert_of(table: str, conversation: str, count: int) -> str:
    one, statement = _STATEMENTS[DIALECT.vendor]
    return statement.format(values=",".join([one] * count), table=table, conversation=conversation, lock=FEED_LOCK)


LINES = "SELECT id, conversation_id, kind, data FROM chat_change WHERE user_id = %s AND id > %s ORDER BY id LIMIT %s"
LINES_OF_ONE = LINES.replace("WHERE", "WHERE conversation_id = %s AND")
BOUNDS = "SELECT COALESCE(MIN(id), 0), COALESCE(MAX(id), 0) FROM chat_change WHERE user_id = %s"
GENERATING = "SELECT id, conversation_id FROM chat_stream WHERE status = 'running' AND +user_id = %s"


def newest_of(users: Sequence[int]) -> str:
    """The query for the newest line of each of these users."""
    return _newest_of(len(users))


@cache
def _newest_of(count: int) -> str:
    marks = ",".join(["%s"] * count)
    return f"SELECT user_id, MAX(id) FROM chat_change WHERE user_id IN ({marks}) GROUP BY user_id"


def id_of(key: Any) -> str:
    """A `key_of` as ids are written in JSON; SQLite's hexadecimal text is formatted without making a UUID."""
    if isinstance(key, UUID):
        return str(key)
    return f"{key[:8]}-{key[8:12]}-{key[12:16]}-{key[16:20]}-{key[20:]}"


def prune(before: datetime) -> bool:
    """Delete some lines older than `before`; returns whether there may be more. A job of `Log.write`."""
    some = list(Change.objects.order_by("id").values_list("id", "at")[:PRUNED_AT_ONCE])
    old = [id for id, at in some if at < before]
    if old:
        Change.objects.filter(id__in=old).delete()
    return bool(old) and len(old) == PRUNED_AT_ONCE
