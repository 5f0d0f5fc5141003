"""The log: events are shown only after their commit, and are the same from memory and from the table."""

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator
from uuid import UUID, uuid4

import pytest
import pytest_asyncio
from asgiref.sync import sync_to_async
from django.db import connection

from chat.log import LeaseLost, Log, Tail, eventlog, pages
from chat.log.fence import FIRST_EPOCH
from chat.log.follow import page_of
from chat.log.interruption import interrupt
from chat.log.subscriber import Subscriber
from chat.log.tail import MAX_PENDING, TAIL_BYTES
from chat.log.timeouts import Timeouts
from chat.models import Event, Message, Stream
from chat.protocol import errors, events
from tests.inside import an_end, new_stream

pytestmark = pytest.mark.usefixtures("log")


@pytest.fixture
def stream(log: Log) -> Stream:
    return new_stream()


@pytest_asyncio.fixture
async def tail(log: Log, stream: Stream) -> Tail:
    return log.open_tail(stream.pk, FIRST_EPOCH, events.Event(0, 0, events.OK_DATA))


class Listener(Subscriber):
    """Notes what is delivered to it, and takes everything."""

    def __init__(self) -> None:
        super().__init__(0, self.take, Timeouts(asyncio.get_running_loop()))
        self.taken: list[list[int]] = []
        self.wait(10)

    def take(self, found: list[events.Event]) -> bool:
        self.taken.append([event.seq for event in found])
        return True


@pytest_asyncio.fixture
async def listener(log: Log, stream: Stream, tail: Tail) -> AsyncIterator[Listener]:
    found = Listener()
    log.subscribe(stream.pk, found)
    yield found
    log.unsubscribe(stream.pk, found)
    found.close()


def data_of(number: int, size: int = 0) -> str:
    return events.encode(events.delta(f"{number}." + "x" * size))


async def read(log: Log, stream_id: UUID, after: int) -> pages.Page:
    """The page that `follow` would read next: of the tail where there is one, else of the table."""
    return await page_of(log, log.tail_of(stream_id), stream_id, after)


async def write(tail: Tail, count: int, size: int = 0) -> None:
    for _ in range(count):
        tail.append(tail.next_seq, data_of(tail.next_seq, size))
    await tail.settled()


async def test_nothing_is_shown_or_announced_before_its_commit(
    log: Log, stream: Stream, tail: Tail, listener: Listener
):
    gate, reached = threading.Event(), threading.Event()

    def hold() -> None:
        reached.set()
        gate.wait(10)

    held = asyncio.create_task(log.write(hold))
    await asyncio.to_thread(reached.wait, 10)
    tail.append(1, data_of(1))
    await asyncio.sleep(0.05)
    before = (await read(log, stream.pk, 0), list(listener.taken), await log.last_seq(stream.pk))
    gate.set()
    await tail.settled()
    await held

    assert before == (pages.Page([], False), [], 0)
    assert listener.taken == [[1]]
    assert (await read(log, stream.pk, 0)).events == [events.Event(1, 1, data_of(1))]


async def test_what_one_commit_holds_of_a_stream_is_announced_once(
    log: Log, stream: Stream, tail: Tail, listener: Listener
):
    await write(tail, 3)

    assert listener.taken == [[1, 2, 3]]


async def test_a_commit_is_announced_when_another_connection_can_read_it(
    log: Log, stream: Stream, tail: Tail, listener: Listener, monkeypatch: pytest.MonkeyPatch
):
    found: list[int] = []

    def look(delivered: list[events.Event]) -> bool:
        other = sqlite3.connect(str(connection.settings_dict["NAME"]))
        found.extend(other.execute("SELECT COUNT(*) FROM chat_event WHERE seq = ?", [delivered[-1].seq]).fetchone())
        other.close()
        return True

    monkeypatch.setattr(listener, "_deliver", look)
    for _ in range(3):
        await write(tail, 1)

    assert found == [1, 1, 1]


@pytest.mark.parametrize("after", [-1, 0, 1, 49, 50, 51, 98, 99])
async def test_memory_and_table_give_the_same_page(log: Log, stream: Stream, tail: Tail, after: int):
    await write(tail, 99)
    from_memory = await read(log, stream.pk, after)
    from_table = await sync_to_async(pages.read_page)(stream.pk, after)

    assert from_memory == from_table
    assert [event.seq for event in from_memory.events] == list(range(after + 1, 100))


async def test_what_the_tail_no_longer_holds_is_read_from_the_table(log: Log, stream: Stream, tail: Tail):
    await write(tail, 60, size=10_000)

    assert tail.since(0) is None
    assert tail.size <= TAIL_BYTES
    assert [event.seq for event in (await read(log, stream.pk, 0)).events] == list(
        range(1, pages.PAGE_BYTES // 10_000 + 1)
    )
    assert [event.seq for event in (await read(log, stream.pk, 50)).events] == list(range(51, 61))


async def test_a_page_that_is_not_the_last_does_not_say_that_the_stream_has_ended(
    log: Log, stream: Stream, tail: Tail, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(pages, "PAGE_ROWS", 10)
    await write(tail, 15)
    tail.append(16, data_of(16), an_end())
    await tail.settled()
    first = await sync_to_async(pages.read_page)(stream.pk, -1)
    second = await sync_to_async(pages.read_page)(stream.pk, 9)

    assert ([event.seq for event in first.events], first.ended) == (list(range(10)), False)
    assert ([event.seq for event in second.events], second.ended) == (list(range(10, 17)), True)


async def test_a_page_of_large_events_is_a_small_one(log: Log, stream: Stream, tail: Tail):
    await write(tail, 20, size=pages.PAGE_BYTES // 4)
    page = await sync_to_async(pages.read_page)(stream.pk, 0)
    await write(tail, 1, size=pages.PAGE_BYTES * 2)
    large = await sync_to_async(pages.read_page)(stream.pk, 20)

    assert ([event.seq for event in page.events], page.ended) == ([1, 2, 3], False)
    assert [event.seq for event in large.events] == [21]


async def test_the_end_is_stored_in_one_step_with_the_last_event(log: Log, stream: Stream, tail: Tail):
    tail.append(5, data_of(1), an_end(events.STOPPED, "1."))
    await tail.settled()
    await stream.arefresh_from_db()
    answer = await Message.objects.aget(pk=stream.answer_id)

    assert (stream.status, stream.last_seq, answer.text) == (events.STOPPED, 1, "1.")
    assert stream.lease_until is None
    assert await read(log, stream.pk, 1) == pages.Page([], True)


async def test_an_unknown_stream_has_ended_and_has_no_events(log: Log):
    assert await read(log, uuid4(), -1) == pages.Page([], True, deleted=True)
    assert await log.last_seq(uuid4()) == -1


async def test_finished_tails_are_forgotten_in_turn(log: Log, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(eventlog, "ENDED_TAILS", 2)
    ended = []
    for number in range(4):
        row = await sync_to_async(new_stream)(f"user{number}")
        tail = log.open_tail(row.pk, FIRST_EPOCH, events.Event(0, 0, events.OK_DATA))
        tail.append(1, data_of(1), an_end())
        await tail.settled()
        ended.append(row.pk)

    assert list(log._ended) == ended[2:]
    assert (await read(log, ended[0], 0)).ended


async def test_an_interrupted_stream_keeps_what_was_stored_and_ends_after_it(log: Log, stream: Stream, tail: Tail):
    await write(tail, 3)
    log.abandon(tail)
    seq = await log.write(lambda: interrupt(stream.pk, errors.Interrupted("gone")))
    again = await log.write(lambda: interrupt(stream.pk, errors.Interrupted("gone")))
    page = await read(log, stream.pk, 0)
    await stream.arefresh_from_db()

    assert (seq, again) == (4, None)
    assert [event.seq for event in page.events] == [1, 2, 3, 4]
    assert page.ended
    assert (stream.status, stream.last_seq) == (events.INTERRUPTED, 4)
    assert (await Message.objects.aget(pk=stream.answer_id)).text == "1.2.3."


async def test_a_turn_that_gives_up_late_takes_nothing_from_the_one_that_has_taken_its_stream_up(
    log: Log, stream: Stream, tail: Tail
):
    again = log.open_tail(stream.pk, FIRST_EPOCH + 1, tail.events[-1])
    log.abandon(tail)

    assert log.tail_of(stream.pk) is again


async def test_a_worker_that_comes_back_to_an_interrupted_stream_writes_nothing_more(
    log: Log, stream: Stream, tail: Tail
):
    await write(tail, 2)
    await log.write(lambda: interrupt(stream.pk, errors.Interrupted("gone")))
    tail.append(3, data_of(3))
    with pytest.raises(LeaseLost):
        await tail.settled()
    log.abandon(tail)

    stored = (await read(log, stream.pk, -1)).events
    assert [event.seq for event in stored] == [0, 1, 2, 3]
    assert events.decode(stored[-1].data)["wondercam"] == {"end": events.INTERRUPTED}


async def test_a_turn_waits_while_too_much_of_it_is_uncommitted(log: Log, tail: Tail):
    room = tail.backpressure()
    tail.append(0, "x" * MAX_PENDING)
    full = tail.backpressure()
    assert (room, full is not None) == (None, True)
    assert full is not None
    await full

    assert tail.backpressure() is None


async def test_a_dead_worker_s_stream_without_any_event_is_ended_too(log: Log, stream: Stream):
    await Event.objects.filter(stream=stream).adelete()
    assert await log.write(lambda: interrupt(stream.pk, errors.Interrupted("gone"))) == 0


async def test_a_tail_gives_what_a_reader_misses_and_no_event_more_or_less(tail: Tail):
    await write(tail, 5)
    tail.events = tail.events[2:]  # as when older ones no longer fit

    assert [[event.seq for event in tail.since(after) or []] for after in (1, 2, 4, 5, 6)] == [
        [2, 3, 4, 5],
        [3, 4, 5],
        [5],
        [],
        [],
    ]
    assert tail.since(0) is None


async def test_a_reader_behind_its_tail_reads_on_without_waiting(log: Log, stream: Stream, tail: Tail):
    """From the table, page by page, until the tail reaches back to it: nobody would wake it in between."""
    await write(tail, 60, size=10_000)
    found: list[int] = []
    async with asyncio.timeout(60):
        async for page in log.follow(stream.pk, 0):
            found += [event.seq for event in page.events]
            if found[-1] == 60:
                break

    assert found == list(range(1, 61))
