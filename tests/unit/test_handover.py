"""A process that is told to stop hands over what it cannot finish: another one goes on with it at once."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from functools import partial
from time import monotonic
from typing import Any
from uuid import UUID, uuid4

import pytest
import pytest_asyncio
from asgiref.sync import sync_to_async
from django.utils import timezone

from chat import limits
from chat.log import Log
from chat.log.feeds import FeedKey
from chat.log.fence import FIRST_EPOCH
from chat.log.interruption import interrupt
from chat.log.takeover import MOST_DEATHS, MOST_WORKERS, NOBODY
from chat.models import Stream
from chat.process import this_process
from chat.protocol import errors, events, sse
from chat.protocol.events import Event
from chat.protocol.prompt import Prompt
from chat.protocol.request import Ask
from chat.providers.catalogue import Catalogue
from chat.turns.drain import drain
from chat.turns.runner import Turns
from chat.turns.start import Door
from chat.turns.turn import HANDED_OVER
from chat.views import event_stream
from tests.catalogue import providers
from tests.faults.arena import environment
from tests.faults.upstream import Script
from tests.inside import Core, new_stream
from tests.unit.test_continuation import dies, going_on, is_missed, is_sound, seen, words_of

__all__ = ["going_on"]


def another(log: Log) -> Turns:
    """The turns of another process."""
    return Turns(log, lambda: this_process().catalogue, this_process().metrics, 5)


async def read(log: Log, started: Stream) -> list[Event]:
    async with asyncio.timeout(90):
        return [event async for page in log.follow(started.pk) for event in page.events]


async def row_of(started: Stream) -> Stream:
    return await Stream.objects.aget(pk=started.pk)


async def begun(core: Core, question: str, count: int) -> Stream:
    """A turn of which so many events are stored, while the model waits."""
    started = await core.ask(question)
    await seen(core, started, count)
    return started


async def test_what_the_grace_is_too_short_for_is_handed_over_and_ends_complete(going_on: Core, other_log: Log):
    core, other = going_on, another(other_log)
    started = await begun(core, "seed=3 words=30 hold=6", 6)
    await core.turns.drain(0)
    left = await row_of(started)
    assert (left.status, left.worker, core.turns.running()) == (events.RUNNING, NOBODY, [])

    core.model.let()
    assert await other._reaper.end_dead_neighbours() == []
    log = await read(other_log, started)
    row = await is_sound(started, log)
    assert row.status == events.COMPLETE
    assert events.answer_text(log) == Script(3, 30).text
    assert [ours["picked_up"]["handed_over"] for ours in words_of(log)] == [True]
    await other.drain(60)


async def test_a_process_that_starts_again_goes_on_with_what_it_had_handed_over(going_on: Core):
    core = going_on
    started = await begun(core, "seed=4 words=20 hold=3", 3)
    await core.turns.close(0)
    core.model.let()
    await core.turns.open()
    log = await core.ended(started)

    assert (await is_sound(started, log)).status == events.COMPLETE
    assert events.answer_text(log) == Script(4, 20).text


async def test_what_was_handed_over_and_taken_by_nobody_in_time_ends_as_interrupted(
    going_on: Core, monkeypatch: pytest.MonkeyPatch
):
    core = going_on
    started = await begun(core, "seed=5 words=20 hold=3", 3)
    await core.turns.close(0)
    too_late = timezone.now() - timedelta(seconds=limits.of("STREAM_SECONDS") + 1)
    await Stream.objects.filter(pk=started.pk).aupdate(created_at=too_late)
    await core.turns.open()
    log = await core.ended(started)

    assert (await is_sound(started, log)).status == events.INTERRUPTED
    assert Script(5, 20).text.startswith(events.answer_text(log))


@pytest.mark.parametrize("reason", ["not allowed", "through a door", "disabled account"])
async def test_what_nobody_may_go_on_with_ends_as_interrupted_at_once(going_on: Core, reason: str):
    core = going_on
    if reason == "not allowed":
        providers.configure(environment(core.model.url))
    door = Door({}) if reason == "through a door" else None
    question = [{"text": "words=9 hold=2"}]
    ask = Ask(contents=[{"role": "user", "parts": question}] if door else question)
    started = await core.turns.start(core.user, ask, monotonic(), door=door)
    await seen(core, started, 2)
    if reason == "disabled account":
        core.user.is_active = False
        await core.user.asave()
    await core.turns.drain(0)

    assert (await is_sound(started, await core.ended(started))).status == events.INTERRUPTED


async def test_a_clock_that_jumps_keeps_no_answer_from_being_handed_over(going_on: Core):
    core = going_on
    started = await begun(core, "words=9 hold=2", 2)
    await Stream.objects.filter(pk=started.pk).aupdate(created_at=timezone.now() - timedelta(days=1))
    await core.turns.drain(0)

    assert (await row_of(started)).worker == NOBODY
    await core.log.write(lambda: interrupt(started.pk, errors.Interrupted("over")))


async def test_a_handover_is_no_failed_try(going_on: Core, other_log: Log):
    core, processes = going_on, [going_on.turns, another(other_log)]
    started = await core.ask("seed=6 words=60 hold=2")
    hands = 1
    while hands < MOST_WORKERS:
        await seen(core, started, hands)
        core.model.let(1)
        turns = processes[hands % 2]
        await processes[1 - hands % 2].drain(0)
        turns._draining = False
        assert await turns._reaper.end_dead_neighbours() == []
        hands += 1
        assert turns.running() == [started.pk]
    await turns.drain(0)
    log = await read(other_log, started)

    assert MOST_WORKERS > MOST_DEATHS + 1
    assert (await is_sound(started, log)).status == events.INTERRUPTED
    assert [list(ours) for ours in words_of(log)] == [["picked_up"]] * (MOST_WORKERS - 1) + [["end"]]


async def test_deaths_are_counted_over_handovers(going_on: Core):
    core = going_on
    started = await core.ask("seed=7 words=90 gap=30")
    for _ in range(MOST_DEATHS):
        log = [event async for page in core.log.follow(started.pk, live=False) for event in page.events]
        await seen(core, started, log[-1].seq + 1)
        await core.turns.close(0)
        await core.turns.open()
        await dies(core, started, log[-1].seq + 3)
        await is_missed(core)
        assert core.turns.running() == [started.pk]
    await dies(core, started, 0)
    await is_missed(core)

    row = await is_sound(started, await core.ended(started))
    assert row.status == events.INTERRUPTED
    assert row.epoch == FIRST_EPOCH + 2 * MOST_DEATHS + 1


async def test_an_answer_that_is_all_said_is_ended_and_not_handed_over(going_on: Core):
    core = going_on
    started = await begun(core, "seed=8 words=4 then=stall", 4)
    turn = core.turns.turn_of(started.pk)
    assert turn is not None
    turn._take(events.chunk(events.finish("STOP")))
    await core.turns.drain(0)

    assert (await is_sound(started, await core.ended(started))).status == events.COMPLETE


async def test_a_stop_that_arrives_with_the_handover_is_a_stop(going_on: Core):
    core = going_on
    started = await begun(core, "seed=9 words=9 hold=2", 2)
    await core.log.write(started.request_stop)
    await core.turns.drain(0)

    assert (await is_sound(started, await core.ended(started))).status == events.STOPPED


async def test_a_stop_between_two_processes_is_a_stop(going_on: Core, other_log: Log):
    core, other = going_on, another(other_log)
    started = await begun(core, "seed=9 words=9 hold=2", 2)
    await core.turns.drain(0)
    await core.log.write(started.request_stop)

    assert await other._reaper.end_dead_neighbours() == [started.pk]
    log = await read(other_log, started)
    assert (await is_sound(started, log)).status == events.STOPPED
    assert events.answer_text(log) == Script(9, 2).text
    assert len(core.model.asked) == 1


async def test_who_drains_ends_nothing_that_another_may_take_up(going_on: Core, other_log: Log):
    core, other = going_on, another(other_log)
    started = await begun(core, "seed=1 words=9 hold=2", 2)
    await core.turns.drain(0)
    await other.drain(0)

    assert await other._reaper.end_dead_neighbours() == []
    assert (await row_of(started)).status == events.RUNNING
    await core.log.write(lambda: interrupt(started.pk, errors.Interrupted("over")))


async def test_a_turn_that_is_being_taken_up_is_waited_for_and_handed_over_too(
    going_on: Core, other_log: Log, monkeypatch: pytest.MonkeyPatch
):
    core, other = going_on, another(other_log)
    started = await begun(core, "seed=1 words=9 hold=2", 2)
    await core.turns.drain(0)
    looking = asyncio.create_task(other._reaper.end_dead_neighbours())
    while not other._starting:
        await asyncio.sleep(0)
    await other.drain(0)
    await looking

    assert (other.running(), (await row_of(started)).worker) == ([], NOBODY)
    await core.log.write(lambda: interrupt(started.pk, errors.Interrupted("over")))


@pytest_asyncio.fixture
async def left(going_on: Core, other_log: Log) -> AsyncIterator[Turns]:
    """Another process, which is left by a test."""
    yield another(other_log)
    for stream in [each async for each in Stream.objects.filter(status=events.RUNNING)]:
        await going_on.log.write(partial(interrupt, stream.pk, errors.Interrupted("over")))


async def asked_of(turns: Turns, log: Log, core: Core) -> Stream:
    """A question to that process, at which it is held behind event 3."""
    ask = Ask(contents=[{"text": "seed=2 words=9 hold=3"}])
    started = await turns.start(core.user, ask, monotonic())
    async for page in log.follow(started.pk):
        if page.events and page.events[-1].seq >= 3:
            return started
    raise AssertionError("it has ended")


async def test_readers_of_what_was_handed_over_are_cut_behind_all_that_is_stored(
    going_on: Core, left: Turns, other_log: Log
):
    started = await asked_of(left, other_log, going_on)

    async def body() -> bytes:
        return b"".join([piece async for piece in event_stream.event_stream(other_log, started.pk)])

    reading = asyncio.create_task(body())
    await left.drain(0)
    other_log.leave()
    read = await asyncio.wait_for(reading, 90)

    assert sse.DONE not in read
    assert b'"error"' not in read
    assert read.count(b"\nid: ") == await going_on.log.last_seq(started.pk) + 1


async def test_who_waits_for_a_whole_answer_is_told_to_ask_again(going_on: Core, left: Turns, other_log: Log):
    started = await asked_of(left, other_log, going_on)
    waiting = asyncio.create_task(event_stream.whole(other_log, started.pk))
    await left.drain(0)
    other_log.leave()
    with pytest.raises(errors.GoesOnElsewhere) as told:
        await asyncio.wait_for(waiting, 90)

    assert told.value.retry_after == 1


async def test_a_reader_who_asks_for_what_is_there_is_not_told_of_an_end(going_on: Core, left: Turns, other_log: Log):
    started = await asked_of(left, other_log, going_on)
    await left.drain(0)
    other_log.leave()
    last = await going_on.log.last_seq(started.pk)

    assert [piece async for piece in event_stream.so_far(other_log, started.pk, last, start=b"")] == [b""]


@pytest.mark.django_db(transaction=True)
async def test_a_log_that_was_closed_and_is_used_again_sends_nobody_elsewhere():
    stream = await sync_to_async(new_stream)()
    log = Log()
    log.leave()
    log.feeds.leave()
    await log.close()

    assert (await log.read(stream.pk, 0)).events == []
    assert (await log.feeds.read(FeedKey(stream.user_id), 0)).events == []
    await log.close()


async def test_an_answer_that_fails_as_it_is_to_be_handed_over_ends_as_failed(
    going_on: Core, monkeypatch: pytest.MonkeyPatch
):
    async def answer(asked: Prompt, give: events.Give) -> None:
        give(events.chunk(events.delta("Some ")))
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            raise errors.Unavailable("It is overloaded.") from None

    monkeypatch.setattr(Catalogue, "answer", staticmethod(answer))
    started = await begun(going_on, "anything", 1)
    await going_on.turns.drain(0)
    row = await row_of(started)

    assert row.status == events.FAILED
    assert row.error is not None
    assert row.error["message"] == "It is overloaded."


class SlowTurn:
    """A turn that ends some iterations of the loop after it was cut short; it counts how often it was."""

    def __init__(self, iterations: int) -> None:
        self.stream_id = uuid4()
        self.cuts: list[str] = []
        self.iterations = iterations
        self._cut = asyncio.Event()
        self.task = asyncio.create_task(self._run())

    def cut_short(self, reason: str) -> None:
        self.cuts.append(reason)
        self._cut.set()

    async def _run(self) -> None:
        await self._cut.wait()
        for _ in range(self.iterations):
            await asyncio.sleep(0)


async def test_each_turn_is_released_once_though_another_ends_before_it():
    turns = {turn.stream_id: turn for turn in (SlowTurn(1), SlowTurn(50))}
    ended: list[SlowTurn] = []

    def note(stream_id: UUID, task: object) -> None:
        ended.append(turns.pop(stream_id))

    for turn in turns.values():
        turn.task.add_done_callback(partial(note, turn.stream_id))

    async def may_go_on(turn: Any) -> bool:
        return True

    await drain(turns, (), 0, may_go_on)  # type: ignore[arg-type]
    assert [(turn.iterations, turn.cuts) for turn in ended] == [(1, [HANDED_OVER]), (50, [HANDED_OVER])]
