"""`follow`: live, resume and replay are one function, whatever becomes of the hints."""

import asyncio
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio

from chat.log import eventlog, follow, notifier, pages
from chat.log.sql import django_execute, insert_events, key_of
from chat.models import Stream
from chat.protocol import events, sse
from chat.protocol.events import Event
from chat.views import event_stream
from tests.inside import an_end, new_stream

pytestmark = pytest.mark.usefixtures("log")


@pytest.fixture
def row(log: Any) -> Stream:
    return new_stream()


@pytest_asyncio.fixture
async def tail(row: Stream) -> eventlog.Tail:
    return eventlog.open_tail(row.pk, Event(0, 0, events.OK_DATA))


async def seqs(row: Stream, after: int = -1) -> list[int]:
    async with asyncio.timeout(10):
        return [event.seq async for batch in follow.follow(row.pk, after) for event in batch]


async def write_all(tail: eventlog.Tail, count: int) -> None:
    for number in range(1, count):
        tail.append(number, "{}")
        await asyncio.sleep(0)
    tail.append(count, "{}", an_end())
    await tail.settled()


@pytest.mark.parametrize("after", [-1, 0, 1, 7, 19])
async def test_live_and_late_readers_get_the_same(row: Stream, tail: eventlog.Tail, after: int):
    following = asyncio.create_task(seqs(row, after))
    await write_all(tail, 20)

    assert await following == await seqs(row, after) == list(range(after + 1, 21))


async def test_a_late_joiner_gets_the_past_in_one_batch(row: Stream, tail: eventlog.Tail):
    await write_all(tail, 500)
    batches = [batch async for batch in follow.follow(row.pk)]

    assert [len(batch) for batch in batches] == [501]


def dropped(ring: Callable[[Any], None]) -> Callable[[Any], None]:
    return lambda stream_id: None


def doubled(ring: Callable[[Any], None]) -> Callable[[Any], None]:
    def twice(stream_id: Any) -> None:
        ring(stream_id)
        ring(stream_id)

    return twice


def late(ring: Callable[[Any], None]) -> Callable[[Any], None]:
    def later(stream_id: Any) -> None:
        asyncio.get_running_loop().call_later(0.05, ring, stream_id)

    return later


@pytest.mark.parametrize("lie", [dropped, doubled, late])
async def test_hints_that_lie_change_nothing(
    row: Stream, tail: eventlog.Tail, lie: Any, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(notifier, "wake", lie(notifier.wake))
    monkeypatch.setattr(eventlog, "on_commit", notifier.announce)
    monkeypatch.setattr(eventlog, "tail_of", lambda stream_id: None)
    following = asyncio.create_task(seqs(row))
    await write_all(tail, 30)

    assert await following == list(range(31))


async def test_without_any_hint_another_worker_s_stream_is_seen_within_its_patience(
    row: Stream, monkeypatch: pytest.MonkeyPatch
):
    # As a worker would see it that does not write the stream: rows appear, nobody rings.
    monkeypatch.setattr(eventlog, "on_commit", lambda stream_id, seq: None)
    following = asyncio.create_task(seqs(row))
    await asyncio.sleep(0.05)
    began = asyncio.get_running_loop().time()
    tail = eventlog.Tail(row.pk, Event(0, 0, events.OK_DATA))
    tail.append(1, "{}", an_end())

    assert await following == [0, 1]
    assert asyncio.get_running_loop().time() - began < notifier.PATIENCE_ALONE + 0.5


async def test_silence_is_broken_by_an_empty_batch(row: Stream, tail: eventlog.Tail, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(follow, "HEARTBEAT", 0.1)
    batches = follow.follow(row.pk)
    found = [await anext(batches) for _ in range(3)]
    tail.append(1, "{}", an_end())
    found += [batch async for batch in batches if batch]

    assert [[event.seq for event in batch] for batch in found] == [[0], [], [], [1]]


async def test_what_is_committed_between_the_look_and_the_wait_is_not_waited_for(
    row: Stream, tail: eventlog.Tail, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(eventlog, "on_commit", notifier.announce)
    async with asyncio.timeout(5):
        batches = follow.follow(row.pk)
        found = [await anext(batches)]  # it has looked, and waits next
        tail.append(1, "{}")
        await tail.settled()
        found.append(await anext(batches))
        await batches.aclose()

    assert [[event.seq for event in batch] for batch in found] == [[0], [1]]


def taking(written: list[bytes]) -> Callable[[bytes], bool]:
    """An outlet's `write` that takes everything."""

    def write(piece: bytes) -> bool:
        written.append(piece)
        return True

    return write


TAKERS = {"all": lambda seq: True, "none": lambda seq: False, "some": lambda seq: seq % 3 > 0}


@pytest.mark.parametrize("takes", TAKERS.values(), ids=TAKERS)
async def test_what_is_pushed_and_what_is_yielded_are_one_stream(
    row: Stream, tail: eventlog.Tail, takes: Callable[[int], bool], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(eventlog, "on_commit", notifier.announce)
    got, pushed = list[int](), list[int]()

    def push(batch: list[Event]) -> bool:
        if not takes(batch[-1].seq):
            return False
        pushed.extend(event.seq for event in batch)
        got.extend(event.seq for event in batch)
        return True

    async def read() -> None:
        async for batch in follow.follow(row.pk, push=push):
            got.extend(event.seq for event in batch)

    reading = asyncio.create_task(read())
    await asyncio.sleep(0)
    for number in range(1, 31):
        tail.append(number, "{}")
        await tail.settled()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
    await write_all(tail, 31)
    await asyncio.wait_for(reading, 5)

    assert got == list(range(62))
    assert pushed == [seq for seq in range(1, 31) if takes(seq)] + [seq for seq in pushed if seq > 30]


async def test_nothing_is_pushed_past_a_reader_that_is_still_busy(
    row: Stream, tail: eventlog.Tail, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(eventlog, "on_commit", notifier.announce)
    pushed = list[Event]()

    def push(batch: list[Event]) -> bool:
        pushed.extend(batch)
        return True

    batches = follow.follow(row.pk, push=push)
    found = [await anext(batches)]
    tail.append(1, "{}")
    await tail.settled()
    found.append(await anext(batches))
    await batches.aclose()

    assert [[event.seq for event in batch] for batch in found] == [[0], [1]]
    assert pushed == []


async def test_nothing_is_pushed_past_a_reader_that_was_woken_and_is_busy(
    row: Stream, tail: eventlog.Tail, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(eventlog, "on_commit", notifier.announce)
    offered = list[int]()
    taking_all = False

    def push(batch: list[Event]) -> bool:
        offered.extend(event.seq for event in batch)
        return taking_all

    batches = follow.follow(row.pk, push=push)
    found = [await anext(batches)]
    waiting = asyncio.ensure_future(anext(batches))
    await asyncio.sleep(0)
    tail.append(1, "{}")
    await tail.settled()
    found.append(await waiting)
    taking_all = True
    tail.append(2, "{}")
    await tail.settled()
    found.append(await anext(batches))
    await batches.aclose()

    assert [[event.seq for event in batch] for batch in found] == [[0], [1], [2]]
    assert offered == [1]


async def test_a_hint_that_comes_during_a_look_is_followed_by_another_look(
    row: Stream, monkeypatch: pytest.MonkeyPatch
):
    """Of another worker's stream, whose looks take a while."""
    monkeypatch.setattr(notifier, "PATIENCE_ALONE", 3600)
    read, looks = eventlog.read, list[int]()

    async def slowly(stream_id: Any, after: int) -> pages.Page:
        page = await read(stream_id, after)
        looks.append(after)
        if len(looks) == 1:
            await eventlog.write(lambda: insert_events(django_execute, [(key_of(row.pk), 1, 1, "{}")]))
            notifier.wake(row.pk)
        return page

    monkeypatch.setattr(eventlog, "read", slowly)
    batches = follow.follow(row.pk)
    found = [await anext(batches), await asyncio.wait_for(anext(batches), 5)]
    await batches.aclose()

    assert [[event.seq for event in batch] for batch in found] == [[0], [1]]


async def test_all_that_one_commit_held_is_pushed_in_one_piece(
    row: Stream, tail: eventlog.Tail, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(eventlog, "on_commit", notifier.announce)
    pieces, written = list[bytes](), list[bytes]()
    outlet = event_stream.Outlet()

    async def read() -> None:
        pieces.extend([piece async for piece in event_stream.event_stream(row.pk, outlet=outlet)])

    reading = asyncio.create_task(read())
    await asyncio.sleep(0)
    outlet.write = taking(written)
    for number in range(1, 4):
        tail.append(number, "{}")
    await tail.settled()
    tail.append(4, "{}", an_end())
    await asyncio.wait_for(reading, 5)

    assert [piece.count(b"id: ") for piece in written] == [3]
    assert [piece.count(b"id: ") for piece in pieces] == [1, 1]
    assert pieces[-1].endswith(sse.DONE)  # the end is one piece with the last event


async def test_a_reader_whose_right_is_to_be_looked_at_again_is_not_pushed_to(
    row: Stream, tail: eventlog.Tail, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(eventlog, "on_commit", notifier.announce)
    monkeypatch.setattr(event_stream, "RECHECK", -1)
    looks, written = list[int](), list[bytes]()
    outlet = event_stream.Outlet()
    outlet.write = taking(written)

    async def may_read() -> None:
        looks.append(1)

    async def read() -> None:
        async for _ in event_stream.event_stream(row.pk, may_read=may_read, outlet=outlet):
            pass

    reading = asyncio.create_task(read())
    await asyncio.sleep(0)
    tail.append(1, "{}")
    await tail.settled()
    await asyncio.sleep(0)
    tail.append(2, "{}", an_end())
    await asyncio.wait_for(reading, 5)

    assert written == []
    assert len(looks) == 3


async def test_an_unknown_stream_is_over_at_once(log: Any):
    assert [batch async for batch in follow.follow(uuid4())] == []


async def test_readers_of_a_stream_whose_worker_gave_up_go_on_from_the_table(row: Stream, tail: eventlog.Tail):
    from chat.protocol.errors import Interrupted

    following = asyncio.create_task(seqs(row))
    tail.append(1, "{}")
    await tail.settled()
    await eventlog.write(lambda: eventlog.interrupt(row.pk, Interrupted("gone")))
    eventlog.abandon(tail)
    notifier.wake(row.pk)

    assert await following == [0, 1, 2]


async def test_a_reader_that_does_not_read_holds_nobody_up(row: Stream, tail: eventlog.Tail):
    idle = follow.follow(row.pk)
    await anext(idle)
    following = asyncio.create_task(seqs(row))
    await write_all(tail, 50)
    assert await following == list(range(51))
    rest = [event.seq async for batch in idle for event in batch]

    assert rest == list(range(1, 51))


async def test_a_reader_that_leaves_is_forgotten(row: Stream, tail: eventlog.Tail):
    batches = follow.follow(row.pk)
    await anext(batches)
    assert row.pk.int in notifier._hints
    await batches.aclose()

    assert row.pk.int not in notifier._hints
