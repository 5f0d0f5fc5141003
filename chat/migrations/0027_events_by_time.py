"""On PostgreSQL, partition the event table by stream id, which begins with the time of the stream's creation.

The existing table becomes the first partition, without being scanned or rewritten under a lock: a CHECK constraint that
proves its bounds is validated beforehand, while others write. Then tables are renamed in a transaction of milliseconds.
If recordings were imported under ids of another kind, which look like times in the far future, their events are moved,
and the table is scanned under the lock.

There is nothing to reverse: the statements for one table work for a partitioned one.
"""

from datetime import UTC, datetime
from time import sleep
from typing import Any
from uuid import UUID

from django.db import OperationalError, migrations, transaction

DAYS_AHEAD = 7
"""The end of the first partition: it also takes the events of the days until then."""

LOCK_TIMEOUT, ATTEMPTS, PAUSE = "100ms", 60, 1.0
"""A query that comes after a statement that waits for the lock waits, too, so each attempt is short."""

WITHOUT_VACUUM = (
    "SET LOCAL lock_timeout = '5s'",
    "LOCK TABLE chat_event, chat_stream IN SHARE UPDATE EXCLUSIVE MODE",
    f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'",
)
"""Autovacuum holds its lock for minutes, and is cancelled when somebody has waited for a second (`deadlock_timeout`). This
lock conflicts with its lock, and with none of a reader or writer."""

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

REMOVE_BOUND = f"ALTER TABLE chat_event DROP CONSTRAINT IF EXISTS {BOUND}"
ADD_BOUND = f"ALTER TABLE chat_event ADD CONSTRAINT {BOUND} CHECK (stream_id < '{{end}}') NOT VALID"
VALIDATE_BOUND = f"ALTER TABLE chat_event VALIDATE CONSTRAINT {BOUND}"

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
    """Make the existing table the first partition of a new one; nothing if it is partitioned already."""
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
            cursor.execute(BEYOND, [end])
            if not cursor.fetchone()[0]:
                soon(connection, end, REMOVE_BOUND, ADD_BOUND)
                cursor.execute(VALIDATE_BOUND)
            soon(connection, end, *SWAP)
        except BaseException:
            soon(connection, end, REMOVE_BOUND)
            raise


def soon(connection: Any, end: UUID, *statements: str) -> None:
    """Execute the statements in one transaction, as soon as the locks that they need are free."""
    for attempt in range(1, ATTEMPTS + 1):
        try:
            with transaction.atomic(connection.alias), connection.cursor() as cursor:
                for statement in (*WITHOUT_VACUUM, *statements):
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
