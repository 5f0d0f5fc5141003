"""`Tail` and `Subscriber`: what a stream's writing end keeps in memory, and whom it notifies when."""

import asyncio
import gc
import weakref
from typing import Any

import pytest
import pytest_asyncio

from chat.log import Log, Tail, eventlog, pages
from chat.log.fence import FIRST_EPOCH
from chat.log.subscriber import Subscriber
from chat.log.tail import TAIL_BYTES
from chat.log.timeouts import Timeouts
from chat.models import Stream
from chat.protocol import events
from chat.protocol.errors import GoesOnElsewhere
from chat.protocol.events import Event
from tests.inside import new_stream

pytestmark = pytest.mark.usefixtures("log")

OK = Event(0, 0, events.OK_DATA)


@pytest.fixture
def stream(log: Log) -> Stream:
    return new_stream()


@pytest_asyncio.fixture
async def tail(log: Log, stream: Stream) -> Tail:
    return log.open_tail(stream.pk, FIRST_EPOCH, OK)


@pytest_asyncio.fixture
async def timeouts() -> Timeouts:
    return Timeouts(asyncio.get_running_loop())


@pytest.fixture
def reached(log: Log, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The seqs that other processes are notified of."""
    told: list[int] = []

    class Notifier:
        def reached(self, stream_id: Any, seq: int) -> None:
            told.append(seq)

    monkeypatch.setattr(log, "_notifier", Notifier())
    return told


def take(found: list[Event]) -> bool:
    return True


async def test_the_newest_event_is_kept_however_large_it_is(log: Log, stream: Stream, tail: Tail):
    tail.append(1, events.encode(events.delta("x" * TAIL_BYTES)))
    await tail.settled()

    assert [event.seq for event in tail.since(0) or []] == [1]
    assert await log.last_seq(stream.pk) == 1


async def test_an_abandoned_tail_gives_no_events(tail: Tail):
    tail.append(1, "{}")
    await tail.settled()
    tail.abandon()

    assert tail.since(0) is None


async def test_other_processes_are_notified_once_of_what_one_commit_holds(log: Log, stream: Stream, reached: list[int]):
    tail = log.open_tail(stream.pk, FIRST_EPOCH, OK)
    log._followed_elsewhere(stream.pk)
    for seq in (1, 2, 3):
        tail.append(seq, "{}")
    await tail.settled()

    assert reached == [0, 3]


async def test_other_processes_are_notified_of_a_stream_that_was_taken_over(
    log: Log, stream: Stream, reached: list[int]
):
    """Its readers there are not known: they followed it while another worker wrote it."""
    taken_over = log.open_tail(stream.pk, FIRST_EPOCH, Event(1, 1, "{}"))
    taken_over.append(2, "{}")
    await taken_over.settled()

    assert reached == [2]


async def test_all_that_is_stored_is_read_although_it_takes_several_pages(
    log: Log, stream: Stream, tail: Tail, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(pages, "PAGE_ROWS", 2)
    for seq in range(1, 6):
        tail.append(seq, "{}")
    await tail.settled()
    log.abandon(tail)
    found = [[event.seq for event in page.events] async for page in log.follow(stream.pk, 0, live=False)]

    assert found == [[1, 2], [3, 4], [5]]


async def test_a_reader_of_an_abandoned_tail_counts_as_one_of_another_process_s_stream(
    log: Log, stream: Stream, tail: Tail, timeouts: Timeouts
):
    """Also if it leaves before anybody asks: for a guest's answer it is a reader all the same."""
    reader = Subscriber(0, take, timeouts)
    log.subscribe(stream.pk, reader)
    log.abandon(tail)
    log.unsubscribe(stream.pk, reader)

    assert stream.pk in log.read_elsewhere()
    assert stream.pk not in log.read_elsewhere()


async def test_readers_that_leave_before_the_end_are_counted(log: Log, stream: Stream, tail: Tail, timeouts: Timeouts):
    before = log.state().cuts
    reader = Subscriber(0, take, timeouts)
    log.subscribe(stream.pk, reader)
    log.unsubscribe(stream.pk, reader)

    assert log.state().cuts == before + 1


async def test_a_reader_at_a_process_that_goes_down_resumes_at_another_one(log: Log, stream: Stream):
    log.leave()
    stored = await log.read(stream.pk, -1)
    with pytest.raises(GoesOnElsewhere):
        await log.read(stream.pk, 0)

    assert [event.seq for event in stored.events] == [0]


@pytest.mark.parametrize(("redis", "seconds"), [(False, eventlog.POLL_ALONE), (True, eventlog.POLL_NOTIFIED)])
async def test_readers_poll_more_often_where_nobody_notifies_them(
    log: Log, monkeypatch: pytest.MonkeyPatch, redis: bool, seconds: float
):
    monkeypatch.setattr(log, "_notifier", object() if redis else None)

    assert log.poll_seconds(None) == seconds
    assert eventlog.POLL_ALONE < eventlog.POLL_NOTIFIED


async def test_a_subscriber_is_not_ended_by_the_timeout_of_an_earlier_wait(timeouts: Timeouts):
    subscriber = Subscriber(0, None, timeouts)
    subscriber.wait(0.01)
    subscriber.wake()
    subscriber.clear()
    later = subscriber.wait(0.2)
    begun = timeouts.loop.time()
    await later

    assert timeouts.loop.time() - begun >= 0.15


async def test_a_delivery_counts_as_something_heard(timeouts: Timeouts):
    subscriber = Subscriber(0, take, timeouts)
    subscriber.heard = 0.0
    subscriber.wait(10)

    assert subscriber.deliver([Event(1, 1, "{}")])
    assert subscriber.heard > 0
    assert subscriber.after == 1
    subscriber.close()


async def test_a_subscriber_that_has_left_keeps_its_reader_no_longer(timeouts: Timeouts):
    """Its timeout, which holds the subscriber, may come seconds later."""

    class Reader:
        def take(self, found: list[Event]) -> bool:
            return True

    reader = Reader()
    subscriber = Subscriber(0, reader.take, timeouts)
    subscriber.wait(10)
    gone = weakref.ref(reader)
    subscriber.close()
    del reader
    gc.collect()

    assert gone() is None
