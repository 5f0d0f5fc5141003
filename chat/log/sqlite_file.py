"""Connections to an SQLite file that is there: SQLite itself would create one that is missing."""

import sqlite3
from pathlib import Path


def connect(path: str | Path, *, timeout: float = 0, check_same_thread: bool = True) -> sqlite3.Connection:
    """Return an autocommit connection to the file at `path`, which waits `timeout` s for locks.

    Raises sqlite3.OperationalError if there is no file.
    """
    return sqlite3.connect(
        f"{Path(path).absolute().as_uri()}?mode=rw",
        uri=True,
        timeout=timeout,
        isolation_level=None,
        check_same_thread=check_same_thread,
    )
