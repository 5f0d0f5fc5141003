"""SQLite's checkpoints: which thread moves the write-ahead log (WAL) into the database file, and when.

Checkpoints wait for the disk, so no connection that writes makes them: `wal_autocheckpoint` is 0 on all of them. One
thread of one process makes all checkpoints, on connections of its own.

A PASSIVE checkpoint moves what it can and blocks no writer. But a WAL that is written without a pause is never moved
completely, so SQLite never restarts it, and it grows for as long as the load lasts: every page written is then a new
one, which makes a commit cost a fifth more. Restarting the WAL (RESTART) blocks writers while the disk flushes the rest
and the new header. So it is restarted only when the disk has just flushed quickly, or when the WAL is large: from
`LARGE_LOG` bytes on while nobody writes, from `LARGEST_LOG` on otherwise.

After a complete checkpoint SQLite itself would restart the WAL at the next commit, and flush its header there, on the
event loop. A read transaction that this thread always holds open prevents that.
"""

import fcntl
import logging
import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing
from functools import partial
from time import monotonic, sleep

from chat.log import sqlite_file

log = logging.getLogger(__name__)

COMMITS_PER_CHECKPOINT = 1500
"""That many commits make a WAL of 20 to 40 MB. SQLite's own default is a checkpoint every 1,000 pages (4 MB)."""

QUICK_FLUSH = 0.02
"""The longest small checkpoint, in seconds, after which the WAL is restarted: writers wait about as long for that."""

LARGEST_LOG = 256 * 1024 * 1024
"""Bytes of the WAL from which on it is restarted however slow the disk is."""

PAGE_BYTES = 4096

LARGE_LOG = 16 * 1024 * 1024
"""The same while nobody writes."""

IDLE_SECONDS = 2.0
"""Seconds without a commit after which the WAL is moved whatever its size."""

RESTARTS = 8
"""Attempts to restart the WAL while others read or write; after that it is left to the next checkpoint."""


class Checkpointer:
    """The thread that makes checkpoints. `count_commit` does not block: the event loop calls it after every commit."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._due = threading.Event()
        self._closing = False
        self._commits = 0
        self._thread = threading.Thread(target=self._main, name="log-checkpoint", daemon=True)
        self._thread.start()

    def count_commit(self) -> None:
        """Count a commit, and wake the thread at every `COMMITS_PER_CHECKPOINT`-th."""
        self._commits += 1
        if self._commits % COMMITS_PER_CHECKPOINT == 0:
            self._due.set()

    def close(self) -> None:
        """End the thread. SQLite moves the rest of the WAL when the last connection closes."""
        self._closing = True
        self._due.set()
        self._thread.join()

    def _main(self) -> None:
        try:
            with open(f"{self._path}-checkpoint", "a") as lock:
                if self._owns(lock.fileno()):
                    self._try(self._serve)
                while not self._closing:  # it could not connect, such as to a file that somebody has locked
                    self._due.wait(IDLE_SECONDS)
                    self._due.clear()
                    self._try(self._serve)
        except OSError as error:
            log.warning("the write-ahead log is not moved into the database file: %s", error)

    def _owns(self, lock: int) -> bool:
        """Wait until this process is the one that makes checkpoints; False if it closes before that."""
        while not self._closing:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return True
            except BlockingIOError:
                self._due.wait(IDLE_SECONDS)
                self._due.clear()
        return False

    def _serve(self) -> None:
        done = -1  # the process that made them before may have left something
        with closing(_connect(self._path)) as own, closing(_connect(self._path)) as reader:
            self._try(lambda: _hold(own, reader))
            while not self._closing:
                before = self._commits
                woken = self._due.wait(IDLE_SECONDS)
                self._due.clear()
                idle = not woken and self._commits == before
                if woken or (idle and self._commits != done):
                    done = self._commits
                    self._try(partial(_checkpoint, own, reader, idle=idle))

    def _try(self, step: Callable[[], None]) -> None:
        try:
            step()
        except sqlite3.Error as error:
            log.warning("a checkpoint was not made: %s", error)
        except Exception:  # a bug: the thread goes on, or the log would grow for ever
            log.exception("a checkpoint was not made")


def _checkpoint(own: sqlite3.Connection, reader: sqlite3.Connection, *, idle: bool) -> None:
    """Move the WAL twice, the second time for what was written during the first; then restart it if that is due."""
    _hold(own, reader)
    own.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
    _hold(own, reader)
    began = monotonic()
    (_, pages, _) = own.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
    quick = monotonic() - began < QUICK_FLUSH
    if quick or pages * PAGE_BYTES > (LARGE_LOG if idle else LARGEST_LOG):
        reader.execute("COMMIT")
        _restart(own)
        _hold(own, reader)


def _connect(path: str) -> sqlite3.Connection:
    connection = sqlite_file.connect(path)
    connection.execute("PRAGMA wal_autocheckpoint=0")
    connection.execute("PRAGMA synchronous=NORMAL")
    return connection


def _hold(own: sqlite3.Connection, reader: sqlite3.Connection) -> None:
    """Hold a read transaction on the newest state, and on no older one: SQLite moves only what every reader can see.

    A page is written first: a reader that begins after a complete checkpoint reads the file and does not hold the WAL,
    so the next commit could restart it.
    """
    _write_a_page(own)
    if reader.in_transaction:
        reader.execute("COMMIT")
    reader.execute("BEGIN")
    reader.execute("SELECT 1 FROM sqlite_schema LIMIT 1").fetchone()


def _restart(own: sqlite3.Connection) -> None:
    """Restart the WAL. The next `_hold` makes the commit that flushes its header."""
    for _ in range(RESTARTS):
        (busy, *_) = own.execute("PRAGMA wal_checkpoint(RESTART)").fetchone()
        if not busy:
            return
        sleep(0.001)


def _write_a_page(own: sqlite3.Connection) -> None:
    """The smallest commit: write the header's `user_version`, which SQLite leaves to applications, unchanged."""
    (version,) = own.execute("PRAGMA user_version").fetchone()
    own.execute("PRAGMA busy_timeout=1000")
    own.execute(f"PRAGMA user_version={version}")
    own.execute("PRAGMA busy_timeout=0")
