"""Commits on the event loop, for SQLite files: the fast path from an event to its reader.

A commit without fsync (WAL, `synchronous=NORMAL`) takes tens of microseconds; passing it to a thread and back takes
several times that, and the two threads then compete for the interpreter. So the loop itself commits what it gathered in
one iteration, on a connection that never waits: whatever cannot be done at once (the database is locked, a row is
refused) is left to the commit thread, which can wait, retry, and split a batch.

The short reads of every request use this connection too. Checkpoints wait for the disk: see `checkpoint.py`.
"""

import sqlite3
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, TypeVar

from chat.log import sqlite_file
from chat.log.fence import ROWS_PER_INSERT, Ending, Row, insert_events, update_endings
from chat.log.sql import DIALECT, Database

CACHE_KIB = 16_000
"""Each running stream uses a few pages of the table and its indexes. SQLite's default of 2 MB holds those of a few
hundred streams; with more, every commit rereads pages, and the time to OK was four times as long."""


T = TypeVar("T")

Done = Callable[[Exception | None], None]


class CommitRefused(Exception):
    """The transaction was not committed: the commit thread has to do it."""


def database_file() -> str | None:
    """The path of the SQLite file; None for other databases and for SQLite in memory."""
    path = str(DIALECT.settings_dict["NAME"])
    return path if DIALECT.vendor == "sqlite" and "mode=memory" not in path else None


class SqliteConnection:
    """The event loop's connection: autocommit, no waiting for locks, no checkpoints.

    It is opened by its first statement, so that a missing file is an error like any other. `on_commit` is called after
    each commit.
    """

    one_writer = is_ready = True

    def __init__(self, path: str, on_commit: Callable[[], None]) -> None:
        self._path = path
        self._on_commit = on_commit
        self._connection: sqlite3.Connection | None = None

    def _open(self) -> sqlite3.Connection:
        opened = sqlite_file.connect(self._path, check_same_thread=False)
        try:
            opened.execute("PRAGMA synchronous=NORMAL")
            opened.execute("PRAGMA foreign_keys=ON")
            opened.execute("PRAGMA wal_autocheckpoint=0")
            opened.execute(f"PRAGMA cache_size=-{CACHE_KIB}")
        except sqlite3.Error:
            opened.close()
            raise
        self._connection = opened
        return opened

    def execute(self, statement: str, parameters: Sequence[Any]) -> int:
        """Run one statement; returns the number of rows that it changed."""
        return (self._connection or self._open()).execute(in_sqlite(statement), parameters).rowcount

    def query(self, statement: str, parameters: Sequence[Any]) -> list[Any]:
        """Run one statement; returns its rows as tuples."""
        return (self._connection or self._open()).execute(in_sqlite(statement), parameters).fetchall()

    def verify(self, statement: str, parameters: Sequence[Any], check: Callable[[list[Any]], None]) -> None:
        """Call `check` with the rows of one statement, now."""
        check(self.query(statement, parameters))

    def find(self, statement: str, parameters: Sequence[Any]) -> list[Any] | None:
        """The rows of a short SELECT; None if it cannot run at once."""
        try:
            return self.query(statement, parameters)
        except sqlite3.Error:
            return None

    def run(self, function: Callable[[Database], T]) -> T | None:
        """Commit what `function` does and return its result; None if that cannot be done now."""
        found: list[T] = []
        try:
            self.store((), (), lambda database: found.append(function(database)))
        except CommitRefused:
            return None
        return found[0]

    def commit(self, rows: Sequence[Row], endings: Sequence[tuple[Row, Ending]], done: Done) -> None:
        """`store`, then call `done` with the error or None, before returning."""
        try:
            self.store(rows, endings)
        except CommitRefused as refused:
            return done(refused)
        done(None)

    def store(
        self,
        rows: Sequence[Row],
        endings: Sequence[tuple[Row, Ending]],
        job: Callable[[Database], None] | None = None,
    ) -> None:
        """Run a job and store events and ends of streams in one transaction. CommitRefused if any of it fails.

        A single INSERT is a transaction by itself. If it inserted only some of the rows, because the others belong to
        streams that were taken over, the thread skips those when it repeats the batch (`group_commit._unstored`).
        """
        try:
            connection = self._connection or self._open()
            if job is not None or endings or len(rows) > ROWS_PER_INSERT:
                connection.execute("BEGIN IMMEDIATE")
            if job is not None:
                job(self)
            insert_events(self.execute, rows)
            update_endings(self.execute, endings)
            if connection.in_transaction:
                connection.execute("COMMIT")
        except Exception as error:  # a job may raise anything; in the thread it fails by itself
            self._roll_back()
            raise CommitRefused from error
        self._on_commit()

    def _roll_back(self) -> None:
        if self._connection is not None and self._connection.in_transaction:
            self._connection.execute("ROLLBACK")

    def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._connection.close()


@cache
def in_sqlite(statement: str) -> str:
    """The statement with SQLite's placeholder. Cached: there is one statement for each size of a batch."""
    return statement.replace("%s", "?")
