"""Commits on the event loop: as durable and ordered as the commit thread's, which is the fallback."""

import asyncio
import sqlite3
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from asgiref.sync import sync_to_async
from django.db import connection
from django.utils import timezone

from chat.log import LeaseLost, Log, Tail, own_connection
from chat.log.batch import Job
from chat.log.fence import FIRST_EPOCH
from chat.log.group_commit import GroupCommit
from chat.log.sql import DIALECT, EVENTS_AFTER, Database, moment
from chat.log.sqlite_commit import SqliteConnection
from chat.models import Event, Message, Stream
from chat.protocol import events
from tests.inside import an_end, new_stream, on_a_connection_of_its_own

pytestmark = [
    pytest.mark.usefixtures("log"),
    pytest.mark.skipif("connection.vendor != 'sqlite'", reason="the fast path is SQLite's"),
]


@pytest.fixture
def stream(log: Log) -> Stream:
    return new_stream()


def tail_of(log: Log, stream: Stream) -> Tail:
    return log.open_tail(stream.pk, FIRST_EPOCH, events.Event(0, 0, events.OK_DATA))


def stored(stream: Stream) -> list[int]:
    return list(Event.objects.filter(stream=stream).order_by("seq").values_list("seq", flat=True))


def threads() -> set[str]:
    return {thread.name for thread in threading.enumerate()}


class Notes:
    """Notes the seqs that other processes would be told, in place of the notifier."""

    def __init__(self, seqs: list[int]) -> None:
        self.seqs = seqs

    def reached(self, stream_id: Any, seq: int) -> None:
        self.seqs.append(seq)


def lock() -> sqlite3.Connection:
    """Another process's transaction, as far as SQLite can tell."""
    other = sqlite3.connect(str(connection.settings_dict["NAME"]), isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    return other


async def test_events_are_committed_without_the_thread(stream: Stream, log: Log):
    tail = tail_of(log, stream)
    tail.append(1, "{}")
    tail.append(2, "{}")
    await tail.settled()

    assert "log-commit" not in threads()
    assert await sync_to_async(stored)(stream) == [0, 1, 2]


async def test_nothing_is_shown_before_its_commit(stream: Stream, monkeypatch: pytest.MonkeyPatch, log: Log):
    shown: list[int] = []
    store = SqliteConnection.store

    def spied(self: SqliteConnection, rows: Any, endings: Any, job: Any = None) -> None:
        assert shown == []
        store(self, rows, endings, job)

    monkeypatch.setattr(SqliteConnection, "store", spied)
    monkeypatch.setattr(log, "_notifier", Notes(shown))
    tail = tail_of(log, stream)
    tail.followed_elsewhere = True
    tail.append(1, "{}")
    await tail.settled()

    assert shown == [1]


async def test_the_end_of_a_stream_is_stored_with_its_last_event(stream: Stream, log: Log):
    tail = tail_of(log, stream)
    tail.append(1, "{}", an_end())
    await tail.settled()

    ended = await Stream.objects.aget(pk=stream.pk)
    answer = await Message.objects.aget(stream=stream)
    assert (ended.status, ended.last_seq, ended.lease_until) == (an_end().status, 1, None)
    assert answer.parts == an_end().parts
    assert "log-commit" not in threads()


async def test_while_somebody_else_writes_the_thread_waits_and_the_order_is_kept(
    stream: Stream, monkeypatch: pytest.MonkeyPatch, log: Log
):
    other = await asyncio.to_thread(lock)
    shown = list[int]()
    monkeypatch.setattr(log, "_notifier", Notes(shown))
    tail = tail_of(log, stream)
    tail.followed_elsewhere = True
    try:
        for number in range(1, 31):
            tail.append(number, "{}")
            await asyncio.sleep(0)
        assert shown == []
        await asyncio.to_thread(other.execute, "ROLLBACK")
        tail.append(31, "{}")
        await tail.settled()
    finally:
        other.close()

    assert shown == sorted(set(shown))
    assert shown[-1] == 31
    assert await sync_to_async(stored)(stream) == list(range(32))


async def test_what_was_gathered_goes_to_the_thread_before_what_came_after_it(stream: Stream, log: Log):
    tail, order = tail_of(log, stream), list[str]()
    tail.append(1, "{}")
    job = asyncio.create_task(log.write(lambda: order.append(f"{stored(stream)}")))
    await asyncio.sleep(0)
    tail.append(2, "{}")
    await tail.settled()
    await job

    assert await sync_to_async(stored)(stream) == [0, 1, 2]


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """Holds the commit thread before its next transaction."""
    opened, write = threading.Event(), GroupCommit._write

    def held(self: GroupCommit, batch: Any) -> None:
        opened.wait(10)
        write(self, batch)

    monkeypatch.setattr(GroupCommit, "_write", held)
    yield opened
    opened.set()


async def test_while_the_thread_has_work_the_loop_commits_nothing_behind_it(
    stream: Stream, log: Log, gate: threading.Event
):
    tail = tail_of(log, stream)
    tail.append(1, "{}")
    job = asyncio.create_task(log.write(lambda: None))
    await asyncio.sleep(0)  # the loop has committed the event, the thread has the job
    tail.append(2, "{}")
    await asyncio.sleep(0.05)
    before = await on_a_connection_of_its_own(stored, stream)
    gate.set()
    await tail.settled()
    await job

    assert before == [0, 1]
    assert [event.seq for event in tail.events] == await on_a_connection_of_its_own(stored, stream) == [0, 1, 2]


async def test_what_the_loop_flushes_in_the_same_iteration_comes_behind_what_the_thread_was_given(
    stream: Stream, log: Log, gate: threading.Event
):
    tail = tail_of(log, stream)
    tail.append(1, "{}")  # its flush is due at the end of this iteration
    job = Job(lambda: None)
    log._commits.submit(job)
    tail.append(2, "{}")
    await asyncio.sleep(0.05)
    before = await on_a_connection_of_its_own(stored, stream)
    gate.set()
    await tail.settled()
    await job.future

    assert before == [0]
    assert [event.seq for event in tail.events] == await on_a_connection_of_its_own(stored, stream) == [0, 1, 2]


async def test_nothing_is_written_now_while_the_thread_has_work(stream: Stream, log: Log, gate: threading.Event):
    job = asyncio.create_task(log.write(lambda: None))
    await asyncio.sleep(0)
    ran: list[bool] = []

    def run(database: Database) -> str:
        ran.append(True)
        return "written"

    during = log.write_now(run)
    before = len(ran)
    gate.set()
    await job

    assert (during, before, log.write_now(run)) == (None, 0, "written")


async def test_a_stream_that_somebody_else_has_ended_is_refused_as_by_the_thread(stream: Stream, log: Log):
    await Stream.objects.filter(pk=stream.pk).aupdate(status=events.INTERRUPTED)
    tail = tail_of(log, stream)
    tail.append(1, "{}", an_end())

    with pytest.raises(LeaseLost):
        await tail.settled()
    assert await sync_to_async(stored)(stream) == [0]


async def test_after_the_thread_is_done_the_loop_commits_again(
    stream: Stream, monkeypatch: pytest.MonkeyPatch, log: Log
):
    batches: list[int] = []
    store = SqliteConnection.store

    def spied(self: SqliteConnection, rows: Any, endings: Any, job: Any = None) -> None:
        batches.append(len(rows))
        store(self, rows, endings, job)

    monkeypatch.setattr(SqliteConnection, "store", spied)
    tail = tail_of(log, stream)
    await log.write(lambda: None)
    await asyncio.sleep(0)
    tail.append(1, "{}")
    await tail.settled()

    assert batches == [1]


def test_the_log_is_kept_in_the_order_of_arrival_and_found_by_stream(log: Log):
    with connection.cursor() as cursor:
        cursor.execute("SELECT sql FROM sqlite_master WHERE name = 'chat_event'")
        (statement,) = cursor.fetchone()
        cursor.execute("EXPLAIN QUERY PLAN " + EVENTS_AFTER, ["", 0, 10])
        plan = " ".join(row[3] for row in cursor.fetchall())

    assert "ROWID" not in statement
    assert "USING INDEX" in plan
    assert "TEMP B-TREE" not in plan  # rows come from the index in the order of seq


@pytest.mark.parametrize(
    "value",
    [
        None,
        timezone.now(),
        datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
        datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=ZoneInfo("Asia/Tokyo")),
    ],
)
def test_a_time_is_written_as_django_writes_it(value: datetime | None):
    assert moment(value) == DIALECT.ops.adapt_datetimefield_value(value)


async def test_a_file_that_is_out_of_reach_at_first_is_the_threads_and_the_loops_as_soon_as_it_is_there(
    log: Log, stream: Stream, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    folder = tmp_path / "not mounted yet"
    monkeypatch.setattr(own_connection, "database_file", lambda: str(folder / "site.sqlite3"))
    before = log.write_now(lambda database: True)
    tail = tail_of(log, stream)
    tail.append(1, "{}")
    await tail.settled()
    folder.mkdir()
    in_an_empty_folder = log.write_now(lambda database: True)
    (folder / "site.sqlite3").touch()
    after = log.write_now(lambda database: True)

    assert (before, in_an_empty_folder, after) == (None, None, True)
    assert await sync_to_async(stored)(stream) == [0, 1]
