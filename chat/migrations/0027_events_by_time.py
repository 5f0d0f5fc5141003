"""On PostgreSQL, partition the log by the ids of its streams, which begin with the time of their making.

The table becomes the first partition as it is, and is neither read nor written for it while it is locked: that its ids
are below the partition's end is a constraint, which is checked beforehand while others write. Then names change, for
some milliseconds, once nobody is at the table. Only where recordings were imported under ids of another kind, which seem
to be of the far future, are their events moved and the table is read under the lock.

Nothing has to be undone to go back: what reads and writes one table reads and writes a partitioned one.
"""

from datetime import UTC, datetime
from time import sleep
from typing import Any
from uuid import UUID

from django.db import OperationalError, migrations, transaction

DAYS_AHEAD = 7
"""The first partition takes what comes in the meantime."""

LOCK_TIMEOUT, ATTEMPTS, PAUSE = "100ms", 60, 1.0
"""Whoever comes after a statement that waits for the table waits, too: so it waits for so long, again and again."""

BOUND = "chat_event_before"
FOREIGN_KEY = "chat_event_stream_id_a951f0f6_fk_chat_stream_id"
PARTITIONED = "SELECT relkind = 'p' FROM pg_class WHERE oid = 'chat_event'::regclass"
BEYOND = "SELECT EXISTS (SELECT 1 FROM chat_event WHERE stream_id >= %s)"

TABLE = f"""
CREATE TABLE chat_event (
    seq integer NOT NULL CONSTRAINT chat_event_seq_check CHECK (seq >= 0),
    "at" bigint NOT NULL CONSTRAINT chat_event_at_check CHECK ("at" >= 0),
    data text NOT NULL,
    stream_id uuid NOT NULL
        CONSTRAINT {FOREIGN_KEY} REFERENCES chat_stream (id) DEFERRABLE INITIALLY DEFERRED,
    PRIMARY KEY (stream_id, seq)
) PARTITION BY RANGE (stream_id)
"""

MOVE = """
WITH moved AS (DELETE FROM chat_event_history WHERE stream_id >= '{end}' RETURNING seq, "at", data, stream_id)
INSERT INTO chat_event_rest (seq, "at", data, stream_id) SELECT * FROM moved
"""

SWAP = (
    "ALTER TABLE chat_event RENAME TO chat_event_history",
    "ALTER INDEX chat_event_pkey RENAME TO chat_event_history_pkey",
    TABLE,
    "CREATE TABLE chat_event_rest PARTITION OF chat_event DEFAULT",
    MOVE,
    "SET CONSTRAINTS ALL IMMEDIATE",
    "ALTER TABLE chat_event ATTACH PARTITION chat_event_history FOR VALUES FROM (MINVALUE) TO ('{end}')",
    f"ALTER TABLE chat_event_history DROP CONSTRAINT IF EXISTS {BOUND}",
)


def partition(apps: Any, editor: Any) -> None:
    """Make the table that there is the first partition of the new one."""
    connection = editor.connection
    if connection.vendor != "postgresql":
        return
    day = int(datetime.now(UTC).timestamp()) // 86_400 + DAYS_AHEAD
    end = UUID(int=day * 86_400_000 << 80)
    with connection.cursor() as cursor:
        cursor.execute(PARTITIONED)
        if cursor.fetchone()[0]:
            return
        try:
            check(cursor, end)
            swap(connection, cursor, end)
        except BaseException:
            cursor.execute(f"ALTER TABLE chat_event DROP CONSTRAINT IF EXISTS {BOUND}")
            raise


def check(cursor: Any, end: UUID) -> None:
    """Have it proven that all ids are below `end`, while others write; not where they are not."""
    cursor.execute(f"ALTER TABLE chat_event DROP CONSTRAINT IF EXISTS {BOUND}")
    cursor.execute(BEYOND, [end])
    if not cursor.fetchone()[0]:
        cursor.execute(f"ALTER TABLE chat_event ADD CONSTRAINT {BOUND} CHECK (stream_id < '{end}') NOT VALID")
        cursor.execute(f"ALTER TABLE chat_event VALIDATE CONSTRAINT {BOUND}")


def swap(connection: Any, cursor: Any, end: UUID) -> None:
    """In one transaction, as soon as nobody is at the table."""
    for attempt in range(1, ATTEMPTS + 1):
        try:
            with transaction.atomic(connection.alias):
                cursor.execute(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'")
                for statement in SWAP:
                    cursor.execute(statement.format(end=end))
            return
        except OperationalError:
            if attempt == ATTEMPTS:
                raise
            sleep(PAUSE)


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("chat", "0026_sign_ins_in_the_audit_log")]

    operations = [migrations.RunPython(partition, migrations.RunPython.noop)]
