"""SQLite's checkpoints: who moves the write-ahead log into the database file, and when.

Checkpoints wait for the disk, so none is made by a connection that writes: `wal_autocheckpoint` is 0 on all of them.
They belong to one thread of one process, with connections of its own.

A PASSIVE checkpoint moves what it can and stops no writer. But a log that is written to without a pause is never moved
as a whole, so it is never begun anew, and grows for as long as the load lasts: every page of it is then a new one,
which costs a commit a fifth more. Beginning it anew (RESTART) keeps writers out for as long as the disk takes to flush
what is left and the new header. That is done when the disk has just shown that it flushes quickly, or when the log has
grown large: to `LARGE_LOG` while nobody writes, to `LARGEST_LOG` while somebody does.

SQLite would begin a log that was moved as a whole anew by itself, at the next commit, and flush its header there: on
the event loop. A read transaction that is always open in this thread prevents that.
"""

import fcntl
import logging
import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing
from functools import partial
from time import monotonic, sleep

log = logging.getLogger(__name__)

COMMITS_PER_CHECKPOINT = 1500
"""As many make a write-ahead log of 20 to 40 MB, a commit writing some pages. SQLite's own default is 1,000 pages."""

QUICK_FLUSH = 0.02
"""Seconds that a small checkpoint may take if the log is to be begun anew while streams run: writers wait that long."""

LARGEST_LOG = 256 * 1024 * 1024
"""Bytes of the log from which on it is begun anew however slow the disk is."""

PAGE_BYTES = 4096

LARGE_LOG = 16 * 1024 * 1024
"""The same while nobody writes."""

IDLE_SECONDS = 2.0
"""Without a commit, after which the log is moved whatever its size."""

RESTARTS = 8
"""How often a log is tried to be begun anew while somebody reads or writes; then the next checkpoint may do it."""


class Checkpointer:
    """The thread. `count_commit` may be called on the event loop after every commit; it never waits."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._due = threading.Event()
        self._closing = False
        self._commits = 0
        self._thread = threading.Thread(target=self._main, name="log-checkpoint", daemon=True)
        self._thread.start()

    def count_commit(self) -> None:
        """Note a commit; every `COMMITS_PER_CHECKPOINT` of them the thread is woken."""
        self._commits += 1
        if self._commits % COMMITS_PER_CHECKPOINT == 0:
            self._due.set()

    def close(self) -> None:
        """End the thread. What is left of the log is moved when the last connection closes."""
        self._closing = True
        self._due.set()
        self._thread.join()

    def _main(self) -> None:
        try:
            with open(f"{self._path}-checkpoint", "a") as lock:
                if self._owns(lock.fileno()):
                    self._serve()
        except OSError as error:
            log.warning("the write-ahead log is not moved into the database file: %s", error)

    def _owns(self, lock: int) -> bool:
        """Wait until this process is the one that makes the checkpoints; False when it closes before."""
        while not self._closing:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return True
            except BlockingIOError:
                self._due.wait(IDLE_SECONDS)
                self._due.clear()
        return False

    def _serve(self) -> None:
        done = -1  # whoever made them before may have left something
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


def _checkpoint(own: sqlite3.Connection, reader: sqlite3.Connection, *, idle: bool) -> None:
    """Move the log twice, what was written during the first time with the second; then begin it anew or not."""
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
    connection = sqlite3.connect(path, timeout=0, isolation_level=None)
    connection.execute("PRAGMA wal_autocheckpoint=0")
    connection.execute("PRAGMA synchronous=NORMAL")
    return connection


def _hold(own: sqlite3.Connection, reader: sqlite3.Connection) -> None:
    """Hold the newest state open for reading, and no older one: only what every reader has can be moved.

    A page is written first: a reader that begins when all of the log was moved reads the file and holds no log, and
    between two readers the next commit might begin the log anew.
    """
    _write_a_page(own)
    if reader.in_transaction:
        reader.execute("COMMIT")
    reader.execute("BEGIN")
    reader.execute("SELECT 1 FROM sqlite_schema LIMIT 1").fetchone()


def _restart(own: sqlite3.Connection) -> None:
    """Let the log be written from its start again. `_hold` is the commit that flushes its header."""
    for _ in range(RESTARTS):
        (busy, *_) = own.execute("PRAGMA wal_checkpoint(RESTART)").fetchone()
        if not busy:
            return
        sleep(0.001)


def _write_a_page(own: sqlite3.Connection) -> None:
    """The smallest commit: a number in the file's header that SQLite leaves to its users, as it is."""
    (version,) = own.execute("PRAGMA user_version").fetchone()
    own.execute("PRAGMA busy_timeout=1000")
    own.execute(f"PRAGMA user_version={version}")
    own.execute("PRAGMA busy_timeout=0")
