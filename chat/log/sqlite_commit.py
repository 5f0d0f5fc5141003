"""Commits on the event loop, where the database is SQLite: the quickest way from an event to its reader.

A commit without fsync (WAL, `synchronous=NORMAL`) takes tens of microseconds; handing it to a thread and back takes
several times that, and the two threads then fight for the interpreter. So what the loop has gathered in one turn is
committed by the loop itself, on a connection that waits for nobody: whatever it cannot do at once (the database is
locked, a row is refused) is left to the writer's thread, which can wait, try again and take a batch apart.

Short reads that every request makes are made here too (`find`).

Checkpoints, which do wait for the disk, are made by another thread.
"""

import asyncio
import logging
import sqlite3
import time
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

from chat.log.sql import DIALECT, ROWS_PER_INSERT, Database, Ending, Row, insert_events, update_ending

log = logging.getLogger(__name__)

COMMITS_PER_CHECKPOINT = 1500
"""As many make a write-ahead log of 20 to 40 MB, a commit writing some pages. SQLite's own default is 1,000 pages."""

RESTARTS = 8
"""How often the second step is tried while somebody reads or writes; then the next checkpoint may do it."""

CACHE_KIB = 16_000
"""Each running stream keeps a few pages of the table and its indexes warm. SQLite's default of 2 MB holds those of a
few hundred streams; beyond it every commit reads pages again, and time to OK was four times as long."""


class Refused(Exception):
    """Not now, or not like this: nothing is stored, and the writer's thread is to do it."""


class QuickConnection:
    """The event loop's own connection: autocommit, no waiting for locks, no checkpoints."""

    def __init__(self) -> None:
        self._path = str(DIALECT.settings_dict["NAME"])
        self._connection = sqlite3.connect(self._path, timeout=0, isolation_level=None, check_same_thread=False)
        self._connection.execute("PRAGMA synchronous=NORMAL")
        self._connection.execute("PRAGMA foreign_keys=ON")
        self._connection.execute("PRAGMA wal_autocheckpoint=0")
        self._connection.execute(f"PRAGMA cache_size=-{CACHE_KIB}")
        self._commits = 0
        self._checkpoint: asyncio.Future[None] | None = None

    @staticmethod
    def is_possible() -> bool:
        """Whether the database is a SQLite file."""
        return DIALECT.vendor == "sqlite" and "mode=memory" not in str(DIALECT.settings_dict["NAME"])

    def execute(self, statement: str, parameters: Sequence[Any]) -> int:
        """Run one statement; the number of rows that it changed."""
        return self._connection.execute(in_sqlite(statement), parameters).rowcount

    def query(self, statement: str, parameters: Sequence[Any]) -> list[Any]:
        """The rows that one statement finds, as tuples."""
        return self._connection.execute(in_sqlite(statement), parameters).fetchall()

    def store(
        self,
        rows: Sequence[Row],
        endings: Sequence[tuple[Row, Ending]],
        job: Callable[[Database], None] | None = None,
    ) -> None:
        """Run a job, store events and the ends of streams, in one transaction; Refused, with nothing stored, where any
        of it fails."""
        try:
            if job is not None or endings or len(rows) > ROWS_PER_INSERT:
                self._connection.execute("BEGIN IMMEDIATE")
            if job is not None:
                job(self)
            insert_events(self.execute, rows)  # one statement is a transaction by itself
            for (key, seq, _, _), ending in endings:
                update_ending(self.execute, key, seq, ending)
            if self._connection.in_transaction:
                self._connection.execute("COMMIT")
        except Exception as error:  # a job may raise anything; in the thread it fails alone
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise Refused from error
        self._commits += 1
        if self._commits >= COMMITS_PER_CHECKPOINT and (self._checkpoint is None or self._checkpoint.done()):
            self._commits = 0
            self._checkpoint = asyncio.get_running_loop().run_in_executor(None, checkpoint, self._path)

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


_own: QuickConnection | None = None
_serving = False


def own() -> QuickConnection | None:
    """The loop's connection, opened where it is first asked for; None where the database is no SQLite file."""
    global _own
    if _own is None and QuickConnection.is_possible():
        _own = QuickConnection()
    return _own


def close() -> None:
    """Close it."""
    global _own
    if _own is not None:
        _own.close()
        _own = None


def serve_reads(serving: bool) -> None:
    """Let `find` read, from now on or no more: it does in a process that serves."""
    global _serving
    _serving = serving


def find(statement: str, parameters: Sequence[Any]) -> list[Any] | None:
    """The rows of one short SELECT, at once and without a hop; None where it cannot be done here: ask in a thread.

    On the connection that commits: another one would have to read again what each commit has changed.
    """
    connection = own() if _serving else None
    if connection is None:
        return None
    try:
        return connection.query(statement, parameters)
    except sqlite3.Error:
        return None


@cache
def in_sqlite(statement: str) -> str:
    """The statement with SQLite's own mark for a parameter; there are as many statements as sizes of a batch."""
    return statement.replace("%s", "?")


def checkpoint(path: str) -> None:
    """Move what the write-ahead log holds into the database file, and let it be written from its start again.

    The first step waits for the disk, and for no reader or writer. But a log that is written to without a pause is
    never moved as a whole, and grows for as long as the load lasts: every page of it is then a new one, which costs a
    commit a fifth more. So the second step keeps writers out while it moves the rest, a few milliseconds; what the
    loop cannot commit meanwhile the writer's thread does.
    """
    try:
        with sqlite3.connect(path, timeout=0, isolation_level=None) as own:
            own.execute("PRAGMA wal_checkpoint(PASSIVE)")
            for _ in range(RESTARTS):
                (busy, *_) = own.execute("PRAGMA wal_checkpoint(RESTART)").fetchone()
                if not busy:
                    break
                time.sleep(0.001)
        own.close()
    except sqlite3.Error as error:
        log.warning("a checkpoint was not made: %s", error)
