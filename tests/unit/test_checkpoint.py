"""Checkpoints: the write-ahead log is copied and restarted by the checkpoint thread of one process, not by commits."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from django.db import connection

from chat.log import checkpoint
from chat.log.checkpoint import Checkpointer
from tests.servers.process import wait_until

pytestmark = pytest.mark.core


@pytest.fixture
def path(tmp_path: Path) -> Iterator[Path]:
    """A database whose log holds what was written; nobody moves it."""
    found = tmp_path / "x.sqlite3"
    with closing(writer(found)) as own:
        own.execute("PRAGMA journal_mode=WAL")
        own.execute("CREATE TABLE t (n, filler)")
        write(own, 500)
        yield found


def writer(path: Path) -> sqlite3.Connection:
    own = sqlite3.connect(path, isolation_level=None)
    own.execute("PRAGMA wal_autocheckpoint=0")
    return own


def write(own: sqlite3.Connection, rows: int) -> None:
    own.executemany("INSERT INTO t VALUES (?, ?)", [(n, "x" * 500) for n in range(rows)])


def frames(path: Path) -> int:
    """How many pages the log holds that readers may need: as `wal_checkpoint` counts them."""
    with closing(writer(path)) as own:
        (_, pages, _) = own.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
    return int(pages)


def log_size(path: Path) -> int:
    return Path(f"{path}-wal").stat().st_size


def one_checkpoint(path: Path, *, idle: bool) -> None:
    with closing(checkpoint._connect(str(path))) as own, closing(checkpoint._connect(str(path))) as reader:
        checkpoint._checkpoint(own, reader, idle=idle)


def test_a_file_that_is_locked_at_the_start_is_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(checkpoint, "IDLE_SECONDS", 0.05)
    file = tmp_path / "x.sqlite3"
    with closing(writer(file)) as alone:
        alone.execute("PRAGMA locking_mode=EXCLUSIVE")
        alone.execute("PRAGMA journal_mode=WAL")
        alone.execute("CREATE TABLE t (n, filler)")
        refused = threading.Event()
        monkeypatch.setattr(checkpoint.log, "warning", lambda *_: refused.set())
        thread = Checkpointer(str(file))
        assert refused.wait(60)
    with closing(writer(file)) as own:
        write(own, 500)
        before = file.stat().st_size
        wait_until(lambda: file.stat().st_size > before, "what was written is moved into the file")
        thread.close()


def test_the_log_is_moved_into_the_file(path: Path):
    before = path.stat().st_size
    one_checkpoint(path, idle=True)

    assert path.stat().st_size > before


def test_a_log_that_was_moved_is_written_from_its_start_again(path: Path):
    size = log_size(path)
    one_checkpoint(path, idle=True)
    with closing(writer(path)) as own:
        write(own, 400)

    assert log_size(path) < size + 4 * 4096


def test_where_the_disk_is_slow_the_log_is_moved_and_not_begun_anew(path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(checkpoint, "QUICK_FLUSH", -1)
    with closing(checkpoint._connect(str(path))) as own, closing(checkpoint._connect(str(path))) as reader:
        checkpoint._checkpoint(own, reader, idle=False)

        assert frames(path) > 100


def test_but_a_log_that_has_grown_large_is(path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(checkpoint, "QUICK_FLUSH", -1)
    monkeypatch.setattr(checkpoint, "LARGEST_LOG", 1000)
    one_checkpoint(path, idle=False)

    assert frames(path) == 1  # the one that is written to hold the log


def test_while_the_thread_lives_no_commit_begins_the_log_anew(path: Path, monkeypatch: pytest.MonkeyPatch):
    """Its header would be flushed by that commit, on the event loop."""
    monkeypatch.setattr(checkpoint, "QUICK_FLUSH", -1)
    with closing(checkpoint._connect(str(path))) as own, closing(checkpoint._connect(str(path))) as reader:
        checkpoint._checkpoint(own, reader, idle=False)
        held = frames(path)
        with closing(writer(path)) as other:
            write(other, 1)

        assert frames(path) > held


def test_where_the_disk_is_slow_a_small_log_is_left_also_while_nobody_writes(
    path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(checkpoint, "QUICK_FLUSH", -1)
    with closing(checkpoint._connect(str(path))) as own, closing(checkpoint._connect(str(path))) as reader:
        checkpoint._checkpoint(own, reader, idle=True)

        assert frames(path) > 100


def test_the_thread_makes_one_after_enough_commits(path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(checkpoint, "COMMITS_PER_CHECKPOINT", 10)
    made = threading.Event()
    monkeypatch.setattr(checkpoint, "_checkpoint", lambda *_, **__: made.set())
    checkpointer = Checkpointer(str(path))
    for _ in range(9):
        checkpointer.count_commit()
    before = made.is_set()
    checkpointer.count_commit()
    found = made.wait(60)
    checkpointer.close()

    assert (before, found) == (False, True)


def test_of_two_processes_one_makes_them_and_the_other_takes_over(path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(checkpoint, "IDLE_SECONDS", 0.05)
    made: list[str] = []
    monkeypatch.setattr(checkpoint, "_checkpoint", lambda *_, **__: made.append(threading.current_thread().name))
    first, second = Checkpointer(str(path)), Checkpointer(str(path))
    first._thread.name, second._thread.name = "first", "second"
    first.count_commit()
    second.count_commit()
    wait_until(lambda: bool(made), "a checkpoint is made")
    owner, other = (first, second) if made[0] == "first" else (second, first)
    owner.close()
    wait_until(lambda: other._thread.name in made, "the other one makes them")
    other.close()


@pytest.mark.django_db
@pytest.mark.skipif(connection.vendor != "sqlite", reason="the pragma is SQLite's")
def test_no_connection_of_django_s_makes_one():
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA wal_autocheckpoint")
        assert cursor.fetchone() == (0,)
