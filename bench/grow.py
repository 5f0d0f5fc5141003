"""A database that has been used for long: the streams it holds, copied under new ids until it has enough events."""

import sqlite3
from pathlib import Path

AT_ONCE = 100
"""Streams that seem to have run beside each other: their events lie among each other's."""


def grow(database: Path, events: int) -> None:
    """Copy the longest finished stream, with its message, until the table has `events` rows."""
    connection = sqlite3.connect(database, isolation_level=None)
    connection.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF; PRAGMA cache_size=-400000")
    longest = "SELECT stream_id FROM chat_event GROUP BY 1 ORDER BY count(*) DESC LIMIT 1"
    (stream,) = connection.execute(longest).fetchone()
    (length,) = connection.execute("SELECT count(*) FROM chat_event WHERE stream_id = ?", (stream,)).fetchone()
    (have,) = connection.execute("SELECT count(*) FROM chat_event").fetchone()
    copies = max((events - have) // length, 0)
    while copies > 0:
        copy(connection, stream, min(copies, AT_ONCE))
        copies -= AT_ONCE
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()


def copy(connection: sqlite3.Connection, stream: str, copies: int) -> None:
    """`copies` of one stream, its answer and its events, in one transaction."""
    connection.execute("BEGIN")
    connection.execute("CREATE TEMP TABLE twin (stream TEXT, answer TEXT)")
    numbers = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)"
    ids = "lower(hex(randomblob(16)))"
    connection.execute(f"INSERT INTO twin {numbers} SELECT {ids}, {ids} FROM n", (copies,))
    (answer,) = connection.execute("SELECT answer_id FROM chat_stream WHERE id = ?", (stream,)).fetchone()
    copy_rows(connection, "chat_message", {"id": "twin.answer"}, "id", answer)
    own = {"id": "twin.stream", "answer_id": "twin.answer", "request_id": "NULL"}
    copy_rows(connection, "chat_stream", own, "id", stream)
    copy_rows(connection, "chat_event", {"stream_id": "twin.stream"}, "stream_id", stream)
    connection.execute("DROP TABLE twin")
    connection.execute("COMMIT")


def copy_rows(connection: sqlite3.Connection, table: str, changed: dict[str, str], key: str, value: str) -> None:
    """Every row of `table` where `key` is `value`, once for each twin, with the `changed` columns."""
    columns = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
    taken = ", ".join(changed.get(name, f'{table}."{name}"') for name in columns)
    names = ", ".join(f'"{name}"' for name in columns)
    order = " ORDER BY chat_event.seq" if table == "chat_event" else ""
    connection.execute(
        f"INSERT INTO {table} ({names}) SELECT {taken} FROM {table}, twin WHERE {table}.{key} = ?{order}", (value,)
    )


def some(database: Path, number: int) -> list[str]:
    """The ids (with hyphens) of some finished streams, the longest first, given to the newest guest to be read by."""
    connection = sqlite3.connect(database, timeout=30)
    finished = "SELECT id FROM chat_stream WHERE status = 'complete' ORDER BY last_seq DESC LIMIT ?"
    newest = "(SELECT max(id) FROM chat_user)"
    with connection:
        connection.execute(f"UPDATE chat_stream SET user_id = {newest} WHERE id IN ({finished})", (number,))
    found = [row[0] for row in connection.execute(finished, (number,))]
    connection.close()
    return [f"{i[:8]}-{i[8:12]}-{i[12:16]}-{i[16:20]}-{i[20:]}" for i in found]
