"""The way from a process to the database file: it can be cut, and a commit can fail before or after it is stored.

The statements, the locks and the transactions are SQLite's own. That another process holds the write lock is no fault
of this file's: it really holds it (`faults.py`).
"""

import sqlite3
from typing import Any, ClassVar, Protocol

WRITES = ("INSERT", "UPDATE", "DELETE")

CUT, FAILS, ANSWER_LOST = "cut", "fails", "answer lost"


class Disk(Protocol):
    """What becomes of the process that is at work just now."""

    def is_cut(self) -> bool: ...
    def fate_of_commit(self) -> str: ...


class ConnectionOnDisk(sqlite3.Connection):
    """A connection that asks `disk` before it does anything."""

    disk: ClassVar[Disk]

    def execute(self, statement: str, parameters: Any = (), /) -> sqlite3.Cursor:
        """Run it; a COMMIT, and a statement that is a transaction by itself, may have the fate of a commit."""
        if statement == "ROLLBACK":
            return super().execute(statement)
        self._reach()
        is_commit = statement == "COMMIT" or (not self.in_transaction and statement.lstrip().startswith(WRITES))
        if not is_commit:
            return super().execute(statement, parameters)
        fate = self.disk.fate_of_commit()
        if fate == FAILS:
            raise sqlite3.OperationalError("disk I/O error")
        done = super().execute(statement, parameters)
        if fate == ANSWER_LOST:
            raise sqlite3.OperationalError("disk I/O error")
        return done

    def cursor(self, *given: Any, **options: Any) -> Any:
        """Django runs everything by cursors, in transactions that it commits itself."""
        self._reach()
        return super().cursor(*given, **options)

    def commit(self) -> None:
        """Django's commit."""
        self._reach()
        fate = self.disk.fate_of_commit()
        if fate == FAILS:
            raise sqlite3.OperationalError("disk I/O error")
        super().commit()
        if fate == ANSWER_LOST:
            raise sqlite3.OperationalError("disk I/O error")

    def _reach(self) -> None:
        if self.disk.is_cut():
            raise sqlite3.OperationalError("unable to open database file")
