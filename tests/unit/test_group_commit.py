"""The thread that writes: batches, savepoints, outages, and what a refused row takes with it."""

import asyncio
import threading
from typing import Any

import pytest
from django.db import InterfaceError, OperationalError, connections

from chat.log import eventlog, group_commit
from chat.log.sql import LeaseLost
from chat.log.sqlite_commit import QuickConnection, Refused
from chat.models import Event, Stream, User
from chat.protocol import events
from chat.protocol.errors import NotFound
from tests.inside import an_end, new_stream

pytestmark = pytest.mark.usefixtures("log")


@pytest.fixture
def stream(log: Any) -> Stream:
    return new_stream()


@pytest.fixture
def other(log: Any) -> Stream:
    return new_stream("bob")


def tail_of(stream: Stream) -> eventlog.Tail:
    return eventlog.open_tail(stream.pk, events.Event(0, 0, events.OK_DATA))


def rows(stream: Stream) -> list[int]:
    return list(Event.objects.filter(stream=stream).order_by("seq").values_list("seq", flat=True))


def in_the_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the thread write everything, also where the loop could do it by itself."""

    def refuse(*_: Any) -> None:
        raise Refused

    monkeypatch.setattr(QuickConnection, "store", refuse)


def failing(monkeypatch: pytest.MonkeyPatch, *errors: Exception | None, after: bool = False) -> list[int]:
    """Let the next transactions fail so, before they write or `after` their commit; the sizes of all batches."""
    waiting, sizes, write = list(errors), list[int](), group_commit.Writer._write

    def faulty(self: group_commit.Writer, batch: Any) -> None:
        sizes.append(len(list(batch)))
        error = waiting.pop(0) if waiting else None
        if error is None or after:
            write(self, batch)
        if error is not None:
            raise error

    monkeypatch.setattr(group_commit.Writer, "_write", faulty)
    monkeypatch.setattr(QuickConnection, "is_possible", staticmethod(lambda: False))
    return sizes


async def test_what_waits_is_one_transaction(stream: Stream, monkeypatch: pytest.MonkeyPatch):
    sizes, gate = failing(monkeypatch), threading.Event()
    held = asyncio.create_task(eventlog.write(gate.wait))
    while not sizes:
        await asyncio.sleep(0)
    tail = tail_of(stream)
    for number in range(1, 51):
        tail.append(number, "{}")
    gate.set()
    await tail.settled()
    await held

    assert sizes == [1, 50]


async def test_an_outage_is_waited_out(stream: Stream, monkeypatch: pytest.MonkeyPatch):
    failing(monkeypatch, OperationalError("locked"), InterfaceError("gone"), OperationalError("locked"))
    tail = tail_of(stream)
    tail.append(1, "{}")
    await tail.settled()

    assert await asyncio.to_thread(rows, stream) == [0, 1]


async def test_an_outage_that_lasts_fails_what_waited_and_nothing_later(
    stream: Stream, other: Stream, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(group_commit, "PATIENCE", -1.0)
    failing(monkeypatch, OperationalError("away"))
    tail = tail_of(stream)
    tail.append(1, "{}")
    with pytest.raises(OperationalError):
        await tail.settled()
    with pytest.raises(OperationalError):
        tail.append(2, "{}")
    later = tail_of(other)
    later.append(1, "{}")
    await later.settled()


async def test_a_commit_whose_answer_was_lost_is_not_written_twice(stream: Stream, monkeypatch: pytest.MonkeyPatch):
    failing(monkeypatch, OperationalError("the connection broke"), after=True)
    tail = tail_of(stream)
    tail.append(1, '{"a":1}', an_end())
    await tail.settled()

    assert await asyncio.to_thread(rows, stream) == [0, 1]
    assert (tail.ended, tail.error) == (True, None)


async def test_a_connection_that_breaks_after_a_refusal_leaves_the_writer_alive(
    stream: Stream, other: Stream, monkeypatch: pytest.MonkeyPatch
):
    await asyncio.to_thread(Event.objects.create, stream=stream, seq=1, at=0, data="another worker's")
    failing(monkeypatch, None, InterfaceError("closed"))
    lost, fine = tail_of(stream), tail_of(other)
    gate = threading.Event()
    held = asyncio.create_task(eventlog.write(gate.wait))
    await asyncio.sleep(0)
    lost.append(1, "{}")
    fine.append(1, "{}")
    gate.set()
    await held
    with pytest.raises(LeaseLost):
        await lost.settled()
    await fine.settled()

    assert await asyncio.to_thread(rows, other) == [0, 1]


async def test_one_stream_s_refused_row_fails_that_stream_alone(stream: Stream, other: Stream):
    await asyncio.to_thread(Event.objects.create, stream=stream, seq=1, at=0, data="another worker's")
    lost, fine = tail_of(stream), tail_of(other)
    lost.append(1, "{}")
    fine.append(1, "{}")
    with pytest.raises(LeaseLost):
        await lost.settled()
    await fine.settled()

    assert await asyncio.to_thread(rows, other) == [0, 1]


async def test_a_stream_that_somebody_else_has_ended_takes_no_second_end(stream: Stream):
    await Stream.objects.filter(pk=stream.pk).aupdate(status=events.INTERRUPTED)
    tail = tail_of(stream)
    tail.append(1, "{}", an_end())
    with pytest.raises(LeaseLost):
        await tail.settled()

    assert await asyncio.to_thread(rows, stream) == [0]


async def test_a_job_that_raises_takes_nothing_else_with_it(stream: Stream):
    def refuse() -> None:
        User.objects.create(username="nobody")
        raise NotFound("no")

    tail = tail_of(stream)
    tail.append(1, "{}")
    with pytest.raises(NotFound):
        await eventlog.write(refuse)
    await tail.settled()

    assert not await User.objects.filter(username="nobody").aexists()


async def test_a_fault_of_ours_fails_its_stream_and_the_writer_lives(stream: Stream, other: Stream):
    broken, fine = tail_of(stream), tail_of(other)
    broken.append(object(), "{}")  # type: ignore[arg-type]
    fine.append(1, "{}")
    await fine.settled()
    with pytest.raises(Exception, match=r"object|type"):
        await broken.settled()


async def test_closing_writes_what_is_pending(stream: Stream):
    tail = tail_of(stream)
    for number in range(1, 20):
        tail.append(number, "{}")
    await asyncio.to_thread(eventlog.close)
    await tail.settled()

    assert await asyncio.to_thread(rows, stream) == list(range(20))


async def test_the_writer_has_a_connection_of_its_own(log: Any):
    assert await eventlog.write(lambda: connections["default"]) is not connections["default"]
