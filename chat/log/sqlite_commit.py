"""Commits on the event loop, where the database is a SQLite file: the fast path from an event to its reader.

A commit without fsync (WAL, `synchronous=NORMAL`) takes tens of microseconds; handing it to a thread and back takes
several times that, and the two threads then compete for the interpreter. So what the loop has gathered in one iteration
is committed by the loop itself, on a connection that waits for nobody: whatever it cannot do at once (the database is
locked, a row is refused) is left to the commit thread, which can wait, try again and take a batch apart.

Short reads that every request makes are made here too. Checkpoints, which wait for the disk, are `checkpoint.py`'s.
"""

import sqlite3
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, TypeVar

from chat.log.fence import ROWS_PER_INSERT, Ending, Row, insert_events, update_endings
from chat.log.sql import DIALECT, Database

CACHE_KIB = 16_000
"""Each running stream keeps a few pages of the table and its indexes in use. SQLite's default of 2 MB holds those of a
few hundred streams; beyond it every commit reads pages again, and time to OK was four times as long."""


T = TypeVar("T")

Done = Callable[[Exception | None], None]


class CommitRefused(Exception):
    """Not now, or not like this: nothing is stored as a whole, and the commit thread is to do it."""


def database_file() -> str | None:
    """The path of the SQLite file, or None where the database is another one."""
    path = str(DIALECT.settings_dict["NAME"])
    return path if DIALECT.vendor == "sqlite" and "mode=memory" not in path else None


class SqliteConnection:
    """The event loop's own connection: autocommit, no waiting for locks, no checkpoints.

    It is opened with its first statement, which fails as any other may while the file is out of reach. `on_commit` is
    called after each commit.
    """

    one_writer = is_ready = True

    def __init__(self, path: str, on_commit: Callable[[], None]) -> None:
        self._path = path
        self._on_commit = on_commit
        self._connection: sqlite3.Connection | None = None

    def _open(self) -> sqlite3.Connection:
        opened = sqlite3.connect(self._path, timeout=0, isolation_level=None, check_same_thread=False)
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
        """Run one statement; the number of rows that it changed."""
        return (self._connection or self._open()).execute(in_sqlite(statement), parameters).rowcount

    def query(self, statement: str, parameters: Sequence[Any]) -> list[Any]:
        """The rows that one statement finds, as tuples."""
        return (self._connection or self._open()).execute(in_sqlite(statement), parameters).fetchall()

    def verify(self, statement: str, parameters: Sequence[Any], check: Callable[[list[Any]], None]) -> None:
        """Check the rows that one statement finds, at once."""
        check(self.query(statement, parameters))

    def find(self, statement: str, parameters: Sequence[Any]) -> list[Any] | None:
        """The same for a short SELECT; None where it cannot be done at once."""
        try:
            return self.query(statement, parameters)
        except sqlite3.Error:
            return None

    def run(self, function: Callable[[Database], T]) -> T | None:
        """`function`'s result, once its transaction is committed; None where that cannot be done now."""
        found: list[T] = []
        try:
            self.store((), (), lambda database: found.append(function(database)))
        except CommitRefused:
            return None
        return found[0]

    def commit(self, rows: Sequence[Row], endings: Sequence[tuple[Row, Ending]], done: Done) -> None:
        """`store`; `done` is called before this returns, with what it was refused for."""
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
        """Run a job, store events and the ends of streams, in one transaction; Refused where any of it fails.

        A single INSERT is a transaction by itself. Where it stores some rows and not those that belong to others, the
        thread finds them stored when it does it again (`group_commit._unstored`).
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
        except Exception as error:  # a job may raise anything; in the thread it fails alone
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
    """The statement with SQLite's own mark for a parameter; there are as many statements as sizes of a batch."""
    return statement.replace("%s", "?")
