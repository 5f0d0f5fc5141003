"""The table of events on PostgreSQL, a partition at a time (migration 0027): made ahead of time, and dropped whole.

    keep_ahead ── in every process that serves: there are always partitions for the days to come
    drop ──────── all events of a partition at once, where none of its streams is to stay

An event whose partition nobody has made is stored in `REST`, and moved when that is done; so no event is ever refused
for want of one. On SQLite there are no partitions.

Whoever comes after a statement that waits for a table's lock waits, too. So these wait for `LOCK_TIMEOUT` at most, and
try again later.
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
"""What belongs to no other partition."""

LOCK_TIMEOUT = "50ms"
"""For locks that those need who write or read what is new."""

OLD_LOCK_TIMEOUT = "3s"
"""For a lock of one old partition. A vacuum of it gives way after a second (`deadlock_timeout`)."""

ATTEMPTS, PAUSE = 20, 0.5
"""To drop one, before it is left for the next hour; seconds between two."""

AGAIN_SECONDS, EVERY_SECONDS = 60, 3600
"""After making partitions was refused; and from then on."""

MAKER = 7_351_902_644
"""The advisory lock of whoever makes or drops a partition."""

LISTED = """
SELECT c.relname, pg_get_expr(c.relpartbound, c.oid) FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
WHERE i.inhparent = 'chat_event'::regclass
"""

MAKE = (
    "CREATE TABLE {name} (LIKE chat_event INCLUDING ALL)",
    f"LOCK TABLE {REST} IN ACCESS EXCLUSIVE MODE",
    f"WITH moved AS (DELETE FROM {REST} WHERE stream_id >= '{{start}}' AND stream_id < '{{end}}' "
    'RETURNING stream_id, seq, "at", data) INSERT INTO {name} (stream_id, seq, "at", data) SELECT * FROM moved',
    "ALTER TABLE chat_event ATTACH PARTITION {name} FOR VALUES FROM ('{start}') TO ('{end}')",
)


def listed() -> list[Partition]:
    """Those that there are, but for `REST`; none on SQLite."""
    if DIALECT.vendor != "postgresql":
        return []
    with connection.cursor() as cursor:
        cursor.execute(LISTED)
        return [found for row in cursor.fetchall() if (found := Partition.of(*row)) is not None]


async def keep_ahead(keep_days: int) -> None:
    """For as long as the process serves. `keep_days`: for how long recordings are kept; 0 is for ever."""
    while DIALECT.vendor == "postgresql":
        seconds = EVERY_SECONDS
        try:
            await in_thread(partial(make_ahead, timezone.now(), keep_days))
        except Exception as error:  # the table is in use, or the database away
            log.warning("No partition was made for the days to come: %s", error)
            seconds = AGAIN_SECONDS
        await asyncio.sleep(seconds)


def make_ahead(now: datetime, keep_days: int) -> None:
    """Make what is missing, each in a transaction of its own. OperationalError where the table is in use."""
    for new in wanted(listed(), now, keep_days):
        with transaction.atomic(), connection.cursor() as cursor:
            _hold(cursor, LOCK_TIMEOUT)
            if new in wanted(listed(), now, keep_days):  # nobody else has made it meanwhile
                for statement in MAKE:
                    cursor.execute(statement.format(**new._asdict()))


def streams_of(partition: Partition) -> QuerySet[Stream]:
    """Those whose events are there."""
    above = Q() if partition.start is None else Q(pk__gte=partition.start)
    below = Q() if partition.end is None else Q(pk__lt=partition.end)
    return Stream.objects.order_by().filter(above & below)


async def drop(partition: Partition) -> bool:
    """Drop it as soon as nobody is at the table; whether it is gone. It stays where one of its streams is not hidden
    (`deletion.Rows.hide`) or is still written, and where somebody was at the table each time."""
    for _ in range(ATTEMPTS):
        try:
            return await in_thread(partial(_drop, partition))
        except OperationalError as error:
            log.info("Partition %s could not be dropped yet: %s", partition.name, error)
            await asyncio.sleep(PAUSE)
    return False


def _drop(partition: Partition) -> bool:
    with transaction.atomic(), connection.cursor() as cursor:
        _hold(cursor, OLD_LOCK_TIMEOUT)
        if partition not in listed():
            return True
        cursor.execute(f"LOCK TABLE {partition.name} IN SHARE MODE")  # no event comes into it behind the next look
        if streams_of(partition).filter(~Q(user__username=HOLDER) | Q(status=events.RUNNING)).exists():
            return False
        cursor.execute(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'")
        cursor.execute(f"DROP TABLE {partition.name}")
        return True


def _hold(cursor: Any, timeout: str) -> None:
    """Be the only one who makes or drops partitions, to the end of the transaction."""
    cursor.execute(f"SET LOCAL lock_timeout = '{timeout}'")
    cursor.execute("SELECT pg_advisory_xact_lock(%s)", [MAKER])
