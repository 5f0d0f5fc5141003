"""The log: shown only once stored, read from memory or from the table to the same effect."""

import asyncio
import threading
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio

from chat.log import eventlog, pages
from chat.log.sql import LeaseLost
from chat.models import Event, Message, Stream
from chat.protocol import errors, events
from chat.turns import leases
from tests.inside import Ears, an_end, new_stream

pytestmark = pytest.mark.usefixtures("log")


@pytest.fixture
def stream(log: Any) -> Stream:
    return new_stream()


@pytest_asyncio.fixture
async def tail(stream: Stream) -> eventlog.Tail:
    return eventlog.open_tail(stream.pk, events.Event(0, 0, events.OK_DATA))


def data_of(number: int, size: int = 0) -> str:
    return events.encode(events.delta(f"{number}." + "x" * size))


async def write(tail: eventlog.Tail, count: int, size: int = 0) -> None:
    for _ in range(count):
        tail.append(tail.next_seq, data_of(tail.next_seq, size))
    await tail.settled()


async def test_nothing_is_shown_or_announced_before_its_commit(stream: Stream, tail: eventlog.Tail, ears: Ears):
    gate, reached = threading.Event(), threading.Event()

    def hold() -> None:
        reached.set()
        gate.wait(10)

    held = asyncio.create_task(eventlog.write(hold))
    await asyncio.to_thread(reached.wait, 10)
    tail.append(1, data_of(1))
    await asyncio.sleep(0.05)
    before = (await eventlog.read(stream.pk, 0), list(ears.heard), await eventlog.last_seq(stream.pk))
    gate.set()
    await tail.settled()
    await held

    assert before == (pages.Page([], False), [], 0)
    assert ears.heard == [(stream.pk, 1)]
    assert (await eventlog.read(stream.pk, 0)).events == [events.Event(1, 1, data_of(1))]


async def test_what_one_commit_holds_of_a_stream_is_announced_once(stream: Stream, tail: eventlog.Tail, ears: Ears):
    await write(tail, 3)

    assert ears.heard == [(stream.pk, 3)]


async def test_a_commit_is_announced_when_another_connection_can_read_it(stream: Stream, tail: eventlog.Tail):
    found: list[int] = []
    seen = asyncio.Event()

    def look(stream_id: Any, seq: int) -> None:
        found.append(Event.objects.filter(stream=stream_id, seq=seq).count())
        seen.set()

    before, eventlog.on_commit = eventlog.on_commit, lambda *args: worker.append(args)
    worker: list[Any] = []
    try:
        for _ in range(3):
            await write(tail, 1)
        for args in worker:
            await asyncio.to_thread(look, *args)
    finally:
        eventlog.on_commit = before

    assert found == [1, 1, 1]


@pytest.mark.parametrize("after", [-1, 0, 1, 49, 50, 51, 98, 99])
async def test_memory_and_table_give_the_same_page(stream: Stream, tail: eventlog.Tail, after: int):
    await write(tail, 99)
    from_memory = await eventlog.read(stream.pk, after)
    from_table = await asyncio.to_thread(pages.read_table, stream.pk, after)

    assert from_memory == from_table
    assert [event.seq for event in from_memory.events] == list(range(after + 1, 100))


async def test_what_the_tail_no_longer_holds_is_read_from_the_table(stream: Stream, tail: eventlog.Tail):
    await write(tail, 60, size=10_000)

    assert tail.since(0) is None
    assert tail.size <= eventlog.TAIL_BYTES
    assert [event.seq for event in (await eventlog.read(stream.pk, 0)).events] == list(
        range(1, pages.PAGE_BYTES // 10_000 + 1)
    )
    assert [event.seq for event in (await eventlog.read(stream.pk, 50)).events] == list(range(51, 61))


async def test_a_page_that_is_not_the_last_does_not_say_that_the_stream_has_ended(
    stream: Stream, tail: eventlog.Tail, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(pages, "PAGE_ROWS", 10)
    await write(tail, 15)
    tail.append(16, data_of(16), an_end())
    await tail.settled()
    first = await asyncio.to_thread(pages.read_table, stream.pk, -1)
    second = await asyncio.to_thread(pages.read_table, stream.pk, 9)

    assert ([event.seq for event in first.events], first.ended) == (list(range(10)), False)
    assert ([event.seq for event in second.events], second.ended) == (list(range(10, 17)), True)


async def test_a_page_of_large_events_is_a_small_one(stream: Stream, tail: eventlog.Tail):
    await write(tail, 20, size=pages.PAGE_BYTES // 4)
    page = await asyncio.to_thread(pages.read_table, stream.pk, 0)
    await write(tail, 1, size=pages.PAGE_BYTES * 2)
    large = await asyncio.to_thread(pages.read_table, stream.pk, 20)

    assert ([event.seq for event in page.events], page.ended) == ([1, 2, 3], False)
    assert [event.seq for event in large.events] == [21]


async def test_the_end_is_stored_in_one_step_with_the_last_event(stream: Stream, tail: eventlog.Tail):
    tail.append(5, data_of(1), an_end(events.STOPPED, "1."))
    await tail.settled()
    await stream.arefresh_from_db()
    answer = await Message.objects.aget(pk=stream.answer_id)

    assert (stream.status, stream.last_seq, answer.text) == (events.STOPPED, 1, "1.")
    assert stream.lease_until is None
    assert await eventlog.read(stream.pk, 1) == pages.Page([], True)


async def test_an_unknown_stream_has_ended_and_has_no_events(log: Any):
    assert await eventlog.read(uuid4(), -1) == pages.Page([], True)
    assert await eventlog.last_seq(uuid4()) == -1


async def test_finished_tails_are_forgotten_in_turn(log: Any, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(eventlog, "ENDED_TAILS", 2)
    ended = []
    for number in range(4):
        row = await asyncio.to_thread(new_stream, f"user{number}")
        tail = eventlog.open_tail(row.pk, events.Event(0, 0, events.OK_DATA))
        tail.append(1, data_of(1), an_end())
        await tail.settled()
        ended.append(row.pk)

    assert list(eventlog._ended) == ended[2:]
    assert (await eventlog.read(ended[0], 0)).ended


async def test_an_interrupted_stream_keeps_what_was_stored_and_ends_after_it(stream: Stream, tail: eventlog.Tail):
    await write(tail, 3)
    eventlog.abandon(tail)
    seq = await eventlog.write(lambda: eventlog.interrupt(stream.pk, errors.Interrupted("gone")))
    again = await eventlog.write(lambda: eventlog.interrupt(stream.pk, errors.Interrupted("gone")))
    page = await eventlog.read(stream.pk, 0)
    await stream.arefresh_from_db()

    assert (seq, again) == (4, None)
    assert [event.seq for event in page.events] == [1, 2, 3, 4]
    assert page.ended
    assert (stream.status, stream.last_seq) == (events.INTERRUPTED, 4)
    assert (await Message.objects.aget(pk=stream.answer_id)).text == "1.2.3."


async def test_a_worker_that_comes_back_to_an_interrupted_stream_writes_nothing_more(
    stream: Stream, tail: eventlog.Tail
):
    await write(tail, 2)
    await eventlog.write(lambda: eventlog.interrupt(stream.pk, errors.Interrupted("gone")))
    tail.append(3, data_of(3))
    with pytest.raises(LeaseLost):
        await tail.settled()
    eventlog.abandon(tail)

    log = (await eventlog.read(stream.pk, -1)).events
    assert [event.seq for event in log] == [0, 1, 2, 3]
    assert events.decode(log[-1].data)["wondercam"] == {"end": events.INTERRUPTED}


async def test_a_turn_waits_while_too_much_of_it_is_uncommitted(tail: eventlog.Tail):
    room = tail.room()
    tail.append(0, "x" * eventlog.MAX_PENDING)
    full = tail.room()
    assert (room, full is not None) == (None, True)
    assert full is not None
    await full

    assert tail.room() is None


async def test_a_dead_worker_s_stream_without_any_event_is_ended_too(stream: Stream):
    await Event.objects.filter(stream=stream).adelete()
    assert await eventlog.write(lambda: eventlog.interrupt(stream.pk, errors.Interrupted("gone"))) == 0
    assert leases.worker()
