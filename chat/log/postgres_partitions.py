"""Creates and drops partitions of the event table on PostgreSQL (migration 0027). SQLite has none.

    keep_ahead ── in every process that serves: creates partitions for the coming days
    drop ──────── drops a partition, unless one of its streams has to be kept

An event without a partition is stored in `REST`, the default partition, and moved when its partition is created. So no
event is refused.

A query that comes after a statement that waits for a table's lock waits, too. So statements here wait for
`LOCK_TIMEOUT` at most, and are tried again later.
"""

import asyncio
import logging
from datetime import datetime
from functools import partial
from typing import Any

from django.db import OperationalError, connection, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from chat.log.deletion import HOLDER
from chat.log.partitions import Partition, wanted
from chat.log.sql import DIALECT, in_thread
from chat.models import Stream
from chat.protocol import events

log = logging.getLogger(__name__)

REST = "chat_event_rest"
"""The default partition."""

LOCK_TIMEOUT = "50ms"
"""For locks that block writers or readers of current events."""

VACUUM_LOCK_TIMEOUT = "3s"
"""For locks that block neither: on an old partition, and in SHARE UPDATE EXCLUSIVE MODE. Autovacuum, which may hold its
lock for minutes, is cancelled when somebody has waited for a second (`deadlock_timeout`)."""

ATTEMPTS, PAUSE = 20, 0.5
"""Attempts to drop a partition before the next hourly run; seconds between two."""

AGAIN_SECONDS, EVERY_SECONDS = 60, 3600
"""Between two runs of `keep_ahead`: after a failed one, and otherwise."""

MAKER = 7_351_902_644
"""The key of the advisory lock under which partitions are created and dropped."""

LISTED = """
SELECT c.relname, pg_get_expr(c.relpartbound, c.oid) FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
WHERE i.inhparent = 'chat_event'::regclass AND pg_has_role(c.relowner, 'USAGE')
"""

MAKE = (
    "CREATE TABLE {name} (LIKE chat_event INCLUDING ALL)",
    f"LOCK TABLE {REST} IN ACCESS EXCLUSIVE MODE",
    f"WITH moved AS (DELETE FROM {REST} WHERE stream_id >= '{{start}}' AND stream_id < '{{end}}' "
    'RETURNING stream_id, seq, "at", data) INSERT INTO {name} (stream_id, seq, "at", data) SELECT * FROM moved',
    "ALTER TABLE chat_event ATTACH PARTITION {name} FOR VALUES FROM ('{start}') TO ('{end}')",
)


def listed() -> list[Partition]:
    """The partitions that this role may drop, without `REST`; none on SQLite."""
    if DIALECT.vendor != "postgresql":
        return []
    with connection.cursor() as cursor:
        cursor.execute(LISTED)
        return [found for row in cursor.fetchall() if (found := Partition.of(*row)) is not None]


async def keep_ahead(keep_days: int) -> None:
    """Runs until cancelled. `keep_days`: how long recordings are kept; 0 is for ever."""
    while DIALECT.vendor == "postgresql":
        seconds = EVERY_SECONDS
        try:
            await in_thread(partial(make_ahead, timezone.now(), keep_days))
        except Exception as error:  # the table is in use, or the database is unreachable
            log.warning("Partitions for the coming days could not be created: %s", error)
            seconds = AGAIN_SECONDS
        await asyncio.sleep(seconds)


def make_ahead(now: datetime, keep_days: int) -> None:
    """Create the missing partitions, each in its own transaction. OperationalError if the table is in use."""
    for new in wanted(listed(), now, keep_days):
        with transaction.atomic(), connection.cursor() as cursor:
            _hold(cursor)
            cursor.execute(f"LOCK TABLE {REST}, chat_stream IN SHARE UPDATE EXCLUSIVE MODE")
            cursor.execute(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'")
            if new in wanted(listed(), now, keep_days):  # no other process has created it meanwhile
                for statement in MAKE:
                    cursor.execute(statement.format(**new._asdict()))


def streams_of(partition: Partition) -> QuerySet[Stream]:
    """The streams whose events are in it."""
    above = Q() if partition.start is None else Q(pk__gte=partition.start)
    below = Q() if partition.end is None else Q(pk__lt=partition.end)
    return Stream.objects.order_by().filter(above & below)


async def drop(partition: Partition) -> bool:
    """Drop it as soon as its lock is free; True if it is gone. False if one of its streams is not hidden
    (`deletion.Rows.hide`) or still running, or if the lock was taken at each attempt."""
    for _ in range(ATTEMPTS):
        try:
            return await in_thread(partial(_drop, partition))
        except OperationalError as error:
            log.info("Partition %s could not be dropped yet: %s", partition.name, error)
            await asyncio.sleep(PAUSE)
    return False


def _drop(partition: Partition) -> bool:
    with transaction.atomic(), connection.cursor() as cursor:
        _hold(cursor)
        if partition not in listed():
            return True
        cursor.execute(f"LOCK TABLE {partition.name} IN SHARE MODE")  # no event is added after the next query
        if streams_of(partition).filter(~Q(user__username=HOLDER) | Q(status=events.RUNNING)).exists():
            return False
        cursor.execute(f"LOCK TABLE {REST} IN SHARE UPDATE EXCLUSIVE MODE")
        cursor.execute(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'")
        cursor.execute(f"DROP TABLE {partition.name}")
        return True


def _hold(cursor: Any) -> None:
    """Take the advisory lock until the end of the transaction."""
    cursor.execute(f"SET LOCAL lock_timeout = '{VACUUM_LOCK_TIMEOUT}'")
    cursor.execute("SELECT pg_advisory_xact_lock(%s)", [MAKER])
