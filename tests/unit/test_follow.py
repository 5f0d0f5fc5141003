"""`follow`: live reading, resume and replay by one function, also if notifications are lost."""

import asyncio
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio

from chat.log import Log, Tail, eventlog, follow, pages
from chat.log.fence import FIRST_EPOCH, insert_events
from chat.log.interruption import interrupt
from chat.log.pages import Page
from chat.log.sql import django_execute, key_of
from chat.log.subscriber import Deliver
from chat.models import Stream
from chat.protocol import events, sse
from chat.protocol.errors import Interrupted, NotFound
from chat.protocol.events import Event
from chat.views import event_stream
from tests.inside import an_end, new_stream

pytestmark = pytest.mark.usefixtures("log")

OK = Event(0, 0, events.OK_DATA)


@pytest.fixture
def row(log: Log) -> Stream:
    return new_stream()


@pytest_asyncio.fixture
async def tail(log: Log, row: Stream) -> Tail:
    return log.open_tail(row.pk, FIRST_EPOCH, OK)


async def seqs(log: Log, row: Stream, after: int = -1) -> list[int]:
    async with asyncio.timeout(60):
        return [event.seq async for page in log.follow(row.pk, after) for event in page.events]


def seqs_in(found: list[Page]) -> list[list[int]]:
    return [[event.seq for event in page.events] for page in found]


async def write_all(tail: Tail, count: int) -> None:
    for number in range(1, count):
        tail.append(number, "{}")
        await asyncio.sleep(0)
    tail.append(count, "{}", an_end())
    await tail.settled()


def into(pushed: list[Event]) -> Deliver:
    """A reader that takes all that is pushed."""

    def push(batch: list[Event]) -> bool:
        pushed.extend(batch)
        return True

    return push


@pytest.mark.parametrize("after", [-1, 0, 1, 7, 19])
async def test_live_and_late_readers_get_the_same(row: Stream, tail: Tail, after: int, log: Log):
    following = asyncio.create_task(seqs(log, row, after))
    await write_all(tail, 20)

    assert await following == await seqs(log, row, after) == list(range(after + 1, 21))


async def test_a_late_joiner_gets_the_past_in_one_batch(row: Stream, tail: Tail, log: Log):
    await write_all(tail, 500)
    batches = [batch async for batch in log.follow(row.pk)]

    assert [len(page.events) for page in batches] == [501]


async def test_another_worker_s_stream_is_followed_although_nobody_tells(row: Stream, log: Log, other_log: Log):
    following = asyncio.create_task(seqs(log, row))
    await asyncio.sleep(0.05)
    await write_all(other_log.open_tail(row.pk, FIRST_EPOCH, OK), 30)

    assert await following == list(range(31))


@pytest.mark.parametrize("times", [1, 2])
@pytest.mark.parametrize("delay", [0, 0.05])
async def test_notifications_that_lie_change_nothing(
    row: Stream, log: Log, other_log: Log, times: int, delay: float, monkeypatch: pytest.MonkeyPatch
):
    """Doubled ones, late ones, and ones of events that are not there."""
    monkeypatch.setattr(eventlog, "POLL_ALONE", 3600)
    loop = asyncio.get_running_loop()

    class Notifier:
        def reached(self, stream_id: Any, seq: int) -> None:
            for _ in range(times):
                loop.call_later(delay, log.announce, stream_id, seq + 5)

    monkeypatch.setattr(other_log, "_notifier", Notifier())
    following = asyncio.create_task(seqs(log, row))
    await asyncio.sleep(0)
    log.announce(row.pk, 99)
    tail = other_log.open_tail(row.pk, FIRST_EPOCH, OK)
    other_log._followed_elsewhere(row.pk)
    await write_all(tail, 30)

    assert await following == list(range(31))


async def test_other_processes_are_told_of_a_stream_from_when_it_is_followed_there(
    row: Stream, other_log: Log, monkeypatch: pytest.MonkeyPatch
):
    told: list[int] = []

    class Notifier:
        def reached(self, stream_id: Any, seq: int) -> None:
            told.append(seq)

    monkeypatch.setattr(other_log, "_notifier", Notifier())
    tail = other_log.open_tail(row.pk, FIRST_EPOCH, OK)
    for seq in (1, 2):
        tail.append(seq, "{}")
        await tail.settled()
    assert told == []
    other_log._followed_elsewhere(row.pk)
    tail.append(3, "{}")
    await tail.settled()

    assert told == [2, 3]


async def test_silence_is_broken_by_an_empty_batch(row: Stream, tail: Tail, monkeypatch: pytest.MonkeyPatch, log: Log):
    monkeypatch.setattr(follow, "HEARTBEAT", 0.1)
    batches = log.follow(row.pk)
    found = [await anext(batches) for _ in range(3)]
    tail.append(1, "{}", an_end())
    found += [page async for page in batches if page.events]

    assert seqs_in(found) == [[0], [], [], [1]]


async def test_what_is_committed_between_the_look_and_the_wait_is_not_waited_for(row: Stream, tail: Tail, log: Log):
    async with asyncio.timeout(60):
        batches = log.follow(row.pk)
        found = [await anext(batches)]  # it has looked, and waits next
        tail.append(1, "{}")
        await tail.settled()
        found.append(await anext(batches))
        await batches.aclose()

    assert seqs_in(found) == [[0], [1]]


def taking(written: list[bytes]) -> Callable[[bytes], bool]:
    """A `Push` that takes everything."""

    def write(piece: bytes) -> bool:
        written.append(piece)
        return True

    return write


TAKERS = {"all": lambda seq: True, "none": lambda seq: False, "some": lambda seq: seq % 3 > 0}


@pytest.mark.parametrize("takes", TAKERS.values(), ids=TAKERS)
async def test_what_is_pushed_and_what_is_yielded_are_one_stream(
    row: Stream, tail: Tail, takes: Callable[[int], bool], log: Log
):
    got, pushed = list[int](), list[int]()

    def push(batch: list[Event]) -> bool:
        if not takes(batch[-1].seq):
            return False
        pushed.extend(event.seq for event in batch)
        got.extend(event.seq for event in batch)
        return True

    async def read() -> None:
        async for page in log.follow(row.pk, deliver=push):
            got.extend(event.seq for event in page.events)

    reading = asyncio.create_task(read())
    await asyncio.sleep(0)
    for number in range(1, 31):
        tail.append(number, "{}")
        await tail.settled()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
    await write_all(tail, 31)
    await asyncio.wait_for(reading, 60)

    assert got == list(range(62))
    assert pushed == [seq for seq in range(1, 31) if takes(seq)] + [seq for seq in pushed if seq > 30]


async def test_nothing_is_pushed_past_a_reader_that_is_still_busy(row: Stream, tail: Tail, log: Log):
    pushed = list[Event]()
    batches = log.follow(row.pk, deliver=into(pushed))
    found = [await anext(batches)]
    tail.append(1, "{}")
    await tail.settled()
    found.append(await anext(batches))
    await batches.aclose()

    assert seqs_in(found) == [[0], [1]]
    assert pushed == []


async def test_nothing_is_pushed_past_a_reader_that_was_woken_and_is_busy(row: Stream, tail: Tail, log: Log):
    offered = list[int]()
    taking_all = False

    def push(batch: list[Event]) -> bool:
        offered.extend(event.seq for event in batch)
        return taking_all

    batches = log.follow(row.pk, deliver=push)
    found = [await anext(batches), await anext(batches)]
    tail.append(1, "{}")
    await tail.settled()
    taking_all = True
    tail.append(2, "{}")
    await tail.settled()
    found.append(await anext(batches))
    await batches.aclose()

    assert seqs_in(found) == [[0], [], [1, 2]]
    assert offered == [1]


async def test_a_reader_that_has_all_may_be_left_alone_until_it_is_woken(row: Stream, tail: Tail, log: Log):
    """It needs no task meanwhile: what is pushed does not wake it, the end does."""
    pushed = list[Event]()
    batches = log.follow(row.pk, deliver=into(pushed))
    first, pause = await anext(batches), await anext(batches)
    assert pause.until is not None
    tail.append(1, "{}")
    await tail.settled()
    assert not pause.until.done()
    tail.append(2, "{}", an_end())
    await asyncio.wait_for(pause.until, 60)
    last = await anext(batches)

    assert seqs_in([first, pause, last]) == [[0], [], [2]]
    assert [event.seq for event in pushed] == [1]
    assert last.ended


async def test_a_reader_to_whom_nothing_is_pushed_gets_no_pauses(row: Stream, tail: Tail, log: Log):
    batches = log.follow(row.pk)
    found = [await anext(batches)]
    waiting = asyncio.ensure_future(anext(batches))
    await asyncio.sleep(0)
    tail.append(1, "{}")
    found.append(await waiting)
    await batches.aclose()

    assert seqs_in(found) == [[0], [1]]


async def test_a_hint_that_comes_during_a_look_is_followed_by_another_look(
    row: Stream, monkeypatch: pytest.MonkeyPatch, log: Log, other_log: Log
):
    """Of another worker's stream, whose looks take a while."""
    monkeypatch.setattr(eventlog, "POLL_ALONE", 3600)
    read, looks = log.read, list[int]()

    async def slowly(stream_id: Any, after: int) -> pages.Page:
        page = await read(stream_id, after)
        looks.append(after)
        if len(looks) == 1:
            await other_log.write(lambda: insert_events(django_execute, [(key_of(row.pk), 1, 1, "{}", FIRST_EPOCH)]))
            log.announce(row.pk, 1)
        return page

    monkeypatch.setattr(log, "read", slowly)
    batches = log.follow(row.pk)
    found = [await anext(batches), await asyncio.wait_for(anext(batches), 5)]
    await batches.aclose()

    assert seqs_in(found) == [[0], [1]]


async def test_all_that_one_commit_held_is_pushed_in_one_piece(row: Stream, tail: Tail, log: Log):
    pieces, written = list[bytes](), list[bytes]()

    async def read() -> None:
        body = event_stream.event_stream(log, row.pk, push=taking(written))
        pieces.extend([piece async for piece in body if piece])

    reading = asyncio.create_task(read())
    await asyncio.sleep(0)
    for number in range(1, 4):
        tail.append(number, "{}")
    await tail.settled()
    tail.append(4, "{}", an_end())
    await asyncio.wait_for(reading, 60)

    assert [piece.count(b"id: ") for piece in written] == [3]
    assert [piece.count(b"id: ") for piece in pieces] == [1, 1]
    assert pieces[-1].endswith(sse.DONE)  # the end is one piece with the last event


async def test_a_reader_whose_right_is_to_be_looked_at_again_is_not_pushed_to(
    row: Stream, tail: Tail, monkeypatch: pytest.MonkeyPatch, log: Log
):
    monkeypatch.setattr(event_stream, "RECHECK", -1)
    looks, written = list[int](), list[bytes]()

    async def may_read() -> None:
        looks.append(1)

    async def read() -> None:
        async for _ in event_stream.event_stream(log, row.pk, may_read=may_read, push=taking(written)):
            pass

    reading = asyncio.create_task(read())
    await asyncio.sleep(0)
    tail.append(1, "{}")
    await tail.settled()
    await asyncio.sleep(0)
    tail.append(2, "{}", an_end())
    await asyncio.wait_for(reading, 60)

    assert written == []
    assert len(looks) == 3


async def test_an_unknown_stream_is_not_found(log: Log):
    with pytest.raises(NotFound):
        await anext(log.follow(uuid4()))


async def test_the_readers_of_a_stream_that_is_deleted_learn_it(row: Stream, log: Log):
    pieces = event_stream.event_stream(log, row.pk)
    first = await anext(pieces)
    await Stream.objects.filter(pk=row.pk).adelete()
    rest = [piece async for piece in pieces]

    assert first.count(b"id: ") == 1
    assert rest[-1] == b"data: %s\n\ndata: [DONE]\n\n" % events.encode(NotFound(follow.DELETED).as_json()).encode()


async def test_what_is_stored_now_is_read_without_waiting_for_more(row: Stream, tail: Tail, log: Log):
    tail.append(1, "{}")
    await tail.settled()
    found = [page async for page in log.follow(row.pk, 0, live=False)]
    nothing = [page async for page in log.follow(row.pk, 1, live=False)]

    assert seqs_in(found) == [[1]]
    assert seqs_in(nothing) == [[]]
    assert not found[-1].ended


async def test_readers_of_a_stream_whose_worker_gave_up_go_on_from_the_table(row: Stream, tail: Tail, log: Log):
    following = asyncio.create_task(seqs(log, row))
    tail.append(1, "{}")
    await tail.settled()
    await log.write(lambda: interrupt(row.pk, Interrupted("gone")))
    log.abandon(tail)

    assert await following == [0, 1, 2]


async def test_readers_of_a_stream_that_its_worker_takes_up_again_are_told_of_each_event(
    row: Stream, tail: Tail, log: Log, monkeypatch: pytest.MonkeyPatch
):
    """As after an outage of the database, where there is one worker."""
    before = log.state().readers
    monkeypatch.setattr(follow, "HEARTBEAT", 3600.0)  # at which they look by themselves
    taken = asyncio.Queue[int]()

    async def read() -> None:
        async for page in log.follow(row.pk):
            for event in page.events:
                taken.put_nowait(event.seq)

    following = asyncio.create_task(read())
    tail.append(1, "{}")
    await tail.settled()
    assert [await taken.get(), await taken.get()] == [0, 1]
    log.abandon(tail)
    again = log.open_tail(row.pk, FIRST_EPOCH, tail.events[-1])
    again.append(2, "{}")
    assert await asyncio.wait_for(taken.get(), 60) == 2
    again.append(3, "{}", an_end())
    await following

    assert taken.get_nowait() == 3
    assert log.state().readers == before


async def test_a_reader_that_does_not_read_holds_nobody_up(row: Stream, tail: Tail, log: Log):
    idle = log.follow(row.pk)
    await anext(idle)
    following = asyncio.create_task(seqs(log, row))
    await write_all(tail, 50)
    assert await following == list(range(51))
    rest = [event.seq async for page in idle for event in page.events]

    assert rest == list(range(1, 51))


async def test_a_reader_that_leaves_is_forgotten(row: Stream, tail: Tail, log: Log):
    before = log.state().readers
    batches = log.follow(row.pk)
    await anext(batches)
    assert log.state().readers == before + 1
    await batches.aclose()

    assert log.state().readers == before
