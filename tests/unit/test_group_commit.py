"""The commit thread: batches, savepoints, outages, and the effect of a refused row."""

import asyncio
import threading
import time
from itertools import islice
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.db import InterfaceError, OperationalError, connection, connections

from chat.log import LeaseLost, Log, Tail, own_connection
from chat.log.fence import FIRST_EPOCH, ROWS_PER_INSERT, HoleInLog
from chat.log.group_commit import GroupCommit
from chat.log.sql import in_thread
from chat.log.sqlite_commit import CommitRefused, SqliteConnection
from chat.models import Event, Stream, User
from chat.protocol import events
from chat.protocol.errors import NotFound
from tests.inside import an_end, new_stream

pytestmark = pytest.mark.usefixtures("log")


@pytest.fixture
def stream(log: Log) -> Stream:
    return new_stream()


@pytest.fixture
def other(log: Log) -> Stream:
    return new_stream("bob")


def tail_of(log: Log, stream: Stream) -> Tail:
    return log.open_tail(stream.pk, FIRST_EPOCH, events.Event(0, 0, events.OK_DATA))


def rows(stream: Stream) -> list[int]:
    return list(Event.objects.filter(stream=stream).order_by("seq").values_list("seq", flat=True))


def in_the_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the thread write everything, also where the loop could do it by itself."""

    def refuse(*_: Any) -> None:
        raise CommitRefused

    monkeypatch.setattr(SqliteConnection, "store", refuse)


def failing(monkeypatch: pytest.MonkeyPatch, *errors: Exception | None, after: bool = False) -> list[int]:
    """Let the next transactions fail so, before they write or `after` their commit; the sizes of all batches."""
    waiting, sizes, write = list(errors), list[int](), GroupCommit._write

    def faulty(self: GroupCommit, batch: Any) -> None:
        sizes.append(len(list(batch)))
        error = waiting.pop(0) if waiting else None
        if error is None or after:
            write(self, batch)
        if error is not None:
            raise error

    monkeypatch.setattr(GroupCommit, "_write", faulty)
    monkeypatch.setattr(own_connection, "database_file", lambda: None)
    return sizes


async def test_what_waits_is_one_transaction(log: Log, stream: Stream, monkeypatch: pytest.MonkeyPatch):
    sizes, gate = failing(monkeypatch), threading.Event()
    held = asyncio.create_task(log.write(gate.wait))
    while not sizes:
        await asyncio.sleep(0)
    tail = tail_of(log, stream)
    for number in range(1, 51):
        tail.append(number, "{}")
    gate.set()
    await tail.settled()
    await held

    assert sizes == [1, 50]


async def test_an_outage_is_waited_out(log: Log, stream: Stream, monkeypatch: pytest.MonkeyPatch):
    failing(monkeypatch, OperationalError("locked"), InterfaceError("gone"), OperationalError("locked"))
    tail = tail_of(log, stream)
    tail.append(1, "{}")
    await tail.settled()

    assert await sync_to_async(rows)(stream) == [0, 1]


async def test_an_outage_is_tried_less_and_less_often_but_twice_a_second(log: Log, monkeypatch: pytest.MonkeyPatch):
    failing(monkeypatch, *[OperationalError("away")] * 9)
    pauses = await in_thread(lambda: list(islice(log._commits._commit([]), 9)))
    assert pauses == [0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.5, 0.5, 0.5]


async def test_an_outage_that_lasts_fails_what_waited_and_nothing_later(
    log: Log, stream: Stream, other: Stream, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(log._commits, "retry_seconds", -1.0)
    failing(monkeypatch, OperationalError("away"))
    tail = tail_of(log, stream)
    tail.append(1, "{}")
    with pytest.raises(OperationalError):
        await tail.settled()
    with pytest.raises(OperationalError):
        tail.append(2, "{}")
    later = tail_of(log, other)
    later.append(1, "{}")
    await later.settled()


@pytest.mark.parametrize("through_the_thread", [True, False])
async def test_after_a_failed_append_nothing_of_its_stream_is_stored(
    log: Log, stream: Stream, other: Stream, through_the_thread: bool, monkeypatch: pytest.MonkeyPatch
):
    """With more of the same stream queued behind the failed commit, in the thread's queue or on the loop."""
    monkeypatch.setattr(log._commits, "retry_seconds", -1.0)
    tail, fine = tail_of(log, stream), tail_of(log, other)
    gate, reached, write, store = threading.Event(), threading.Event(), GroupCommit._write, SqliteConnection.store

    def away_once(self: GroupCommit, batch: Any) -> None:
        if any(work.row and work.row[:2] == (tail.key, 1) for work in batch):
            reached.set()
            gate.wait(10)
            raise OperationalError("away")
        write(self, batch)

    def refuse_the_first(self: SqliteConnection, rows: Any, *others: Any) -> None:
        if any(row[:2] == (tail.key, 1) for row in rows):
            raise CommitRefused
        store(self, rows, *others)

    monkeypatch.setattr(GroupCommit, "_write", away_once)
    monkeypatch.setattr(SqliteConnection, "store", refuse_the_first)
    if through_the_thread:
        monkeypatch.setattr(own_connection, "database_file", lambda: None)
    tail.append(1, "{}")
    await asyncio.to_thread(reached.wait, 10)
    for seq in range(2, 30):
        tail.append(seq, "{}")
        fine.append(seq, "{}")
    gate.set()
    time.sleep(0.3)  # the thread takes its next batch before the loop has heard of the failure
    with pytest.raises(OperationalError):
        await tail.settled()
    await fine.settled()
    with pytest.raises(OperationalError):
        tail.append(30, "{}", an_end())

    assert await sync_to_async(rows)(stream) == [event.seq for event in tail.events] == [0]
    assert await sync_to_async(rows)(other) == list(range(29))


@pytest.mark.parametrize("through_the_thread", [True, False])
async def test_a_writer_whose_epoch_is_over_is_refused_by_the_database(
    log: Log, stream: Stream, other: Stream, through_the_thread: bool, monkeypatch: pytest.MonkeyPatch
):
    if through_the_thread:
        monkeypatch.setattr(own_connection, "database_file", lambda: None)
    await Stream.objects.filter(pk=stream.pk).aupdate(epoch=2)
    lost, fine = tail_of(log, stream), tail_of(log, other)
    lost.append(1, "{}")
    fine.append(1, "{}")
    with pytest.raises(LeaseLost):
        await lost.settled()
    await fine.settled()

    assert await sync_to_async(rows)(stream) == [0]
    assert await sync_to_async(rows)(other) == [0, 1]


@pytest.mark.parametrize("status", [events.COMPLETE, events.STOPPED, events.FAILED])
async def test_an_end_is_refused_where_an_event_before_it_is_missing(log: Log, stream: Stream, status: str):
    tail = tail_of(log, stream)
    tail.next_seq = 2
    tail.append(1, "{}", an_end(status))
    with pytest.raises(HoleInLog):
        await tail.settled()
    await stream.arefresh_from_db()

    assert stream.status == events.RUNNING
    assert await sync_to_async(rows)(stream) == [0]


async def test_an_end_ends_the_epoch(log: Log, stream: Stream):
    tail = tail_of(log, stream)
    tail.append(1, "{}", an_end())
    await tail.settled()
    await stream.arefresh_from_db()

    assert stream.epoch == FIRST_EPOCH + 1


async def test_more_events_than_one_statement_takes_are_one_transaction(log: Log, stream: Stream):
    tail = tail_of(log, stream)
    for number in range(1, 2 * ROWS_PER_INSERT + 2):
        tail.append(number, "{}")
    await tail.settled()

    assert await sync_to_async(rows)(stream) == list(range(2 * ROWS_PER_INSERT + 2))


async def test_a_commit_whose_answer_was_lost_is_not_written_twice(
    log: Log, stream: Stream, monkeypatch: pytest.MonkeyPatch
):
    failing(monkeypatch, OperationalError("the connection broke"), after=True)
    tail = tail_of(log, stream)
    tail.append(1, '{"a":1}', an_end())
    await tail.settled()

    assert await sync_to_async(rows)(stream) == [0, 1]
    assert (tail.ended, tail.error) == (True, None)


async def test_a_connection_that_breaks_after_a_refusal_leaves_the_writer_alive(
    log: Log, stream: Stream, other: Stream, monkeypatch: pytest.MonkeyPatch
):
    await sync_to_async(Event.objects.create)(stream=stream, seq=1, at=0, data="another worker's")
    failing(monkeypatch, None, InterfaceError("closed"))
    lost, fine = tail_of(log, stream), tail_of(log, other)
    gate = threading.Event()
    held = asyncio.create_task(log.write(gate.wait))
    await asyncio.sleep(0)
    lost.append(1, "{}")
    fine.append(1, "{}")
    gate.set()
    await held
    with pytest.raises(LeaseLost):
        await lost.settled()
    await fine.settled()

    assert await sync_to_async(rows)(other) == [0, 1]


async def test_one_stream_s_refused_row_fails_that_stream_alone(log: Log, stream: Stream, other: Stream):
    await sync_to_async(Event.objects.create)(stream=stream, seq=1, at=0, data="another worker's")
    lost, fine = tail_of(log, stream), tail_of(log, other)
    lost.append(1, "{}")
    fine.append(1, "{}")
    with pytest.raises(LeaseLost):
        await lost.settled()
    await fine.settled()

    assert await sync_to_async(rows)(other) == [0, 1]


async def test_a_stream_that_somebody_else_has_ended_takes_no_second_end(log: Log, stream: Stream):
    await Stream.objects.filter(pk=stream.pk).aupdate(status=events.INTERRUPTED)
    tail = tail_of(log, stream)
    tail.append(1, "{}", an_end())
    with pytest.raises(LeaseLost):
        await tail.settled()

    assert await sync_to_async(rows)(stream) == [0]


async def test_a_job_that_raises_takes_nothing_else_with_it(log: Log, stream: Stream):
    def refuse() -> None:
        User.objects.create(username="nobody")
        raise NotFound("no")

    tail = tail_of(log, stream)
    tail.append(1, "{}")
    with pytest.raises(NotFound):
        await log.write(refuse)
    await tail.settled()

    assert not await User.objects.filter(username="nobody").aexists()


async def test_a_job_that_raises_is_judged_by_its_last_run(log: Log, monkeypatch: pytest.MonkeyPatch):
    """Its transaction is repeated after an outage."""
    failing(monkeypatch, OperationalError("away"), after=True)
    runs: list[int] = []

    def job() -> str:
        runs.append(1)
        if len(runs) == 1:
            raise NotFound("no")
        return "done"

    assert await log.write(job) == "done"
    assert len(runs) == 2


async def test_a_fault_of_ours_fails_its_stream_and_the_writer_lives(log: Log, stream: Stream, other: Stream):
    broken, fine = tail_of(log, stream), tail_of(log, other)
    broken.append(object(), "{}")  # type: ignore[arg-type]
    fine.append(1, "{}")
    await fine.settled()
    with pytest.raises(Exception, match=r"object|type"):
        await broken.settled()


async def test_closing_writes_what_is_pending(log: Log, stream: Stream):
    tail = tail_of(log, stream)
    for number in range(1, 20):
        tail.append(number, "{}")
    await asyncio.to_thread(log.end)
    await tail.settled()

    assert await sync_to_async(rows)(stream) == list(range(20))


async def test_the_writer_has_a_connection_of_its_own(log: Log):
    assert await log.write(lambda: connections["default"]) is not connections["default"]


async def test_with_debug_the_log_s_threads_keep_no_statement(log: Log, stream: Stream, settings: Any):
    settings.DEBUG = True

    def kept() -> int:
        return sum("SELECT 1" in query["sql"] for query in connection.queries)

    for thread in (in_thread, log.write):
        await thread(lambda: connection.cursor().execute("SELECT 1"))
        assert await thread(kept) == 0
