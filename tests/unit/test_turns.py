"""Turns: started once, stopped at any time, drained, and always ended."""

import asyncio
import subprocess
import time
from datetime import timedelta
from typing import Any

import pytest
from django.db import InterfaceError, OperationalError
from django.utils import timezone

from chat import limits
from chat.log import MAX_PENDING, group_commit
from chat.log.interruption import interrupt
from chat.log.sql import DIALECT, DJANGO
from chat.log.sqlite_commit import CommitRefused, SqliteConnection
from chat.models import Message, Stream
from chat.process import this_process
from chat.protocol import errors, events, prompt
from chat.providers.catalogue import Catalogue
from chat.turns import leases, turn
from chat.turns.leases import Reaper, WorkerName, machine
from chat.turns.start import Start
from chat.turns.turn import without_nul
from tests.faults.upstream import Script
from tests.inside import Core, new_stream, on_a_connection_of_its_own
from tests.unit.test_group_commit import in_the_thread


def end_of(log: list[events.Event]) -> Any:
    return (events.decode(log[-1].data).get("wondercam") or {}).get("end", events.COMPLETE)


async def row_of(started: Stream) -> Stream:
    return await Stream.objects.aget(pk=started.pk)


async def seen(core: Core, started: Stream, seq: int) -> None:
    """Wait until event `seq` is there."""
    async for page in core.log.follow(started.pk):
        if page.events and page.events[-1].seq >= seq:
            return


async def test_an_answer_is_stored_as_it_was_followed(core: Core):
    started = await core.ask("seed=3 words=40")
    log = await core.ended(started)
    answer = await Message.objects.aget(pk=started.answer_id)

    assert [event.seq for event in log] == list(range(42))
    assert log[0].data == events.OK_DATA
    assert answer.text == events.answer_text(log) == Script(3, 40).text
    assert (await row_of(started)).status == events.COMPLETE
    assert core.turns.running() == []


async def test_an_answer_that_has_just_ended_is_read_from_memory(core: Core):
    started = await core.ask("seed=2 words=5")
    running = core.turns.turn_of(started.pk)
    assert running is not None
    assert running.task is not None
    log = await core.ended(started)
    await running.task
    tail = core.log.tail_of(started.pk)

    assert tail is not None
    assert tail.since(0) == log[1:]
    assert started.pk not in core.log.read_elsewhere()  # no other process is told of its readers


async def test_a_stop_before_the_turn_s_first_step_is_an_end_like_any_other(core: Core):
    begun = asyncio.get_running_loop().create_task(core.ask("words=5 then=stall"))
    while not core.turns.running():
        await asyncio.sleep(0)
    core.turns.stop_here(core.turns.running()[0])
    started = await begun
    log = await core.ended(started)

    assert (end_of(log), len(log)) == (events.STOPPED, 2)
    assert (await row_of(started)).status == events.STOPPED
    assert core.model.asked == []


async def test_a_stop_before_the_first_token_ends_the_upstream(core: Core):
    started = await core.ask("words=0 then=stall")
    while not core.model.asked:
        await asyncio.sleep(0.01)
    assert await core.turns.stop(started) == events.STOPPED
    while not core.model.left:
        await asyncio.sleep(0.01)

    assert end_of(await core.ended(started)) == events.STOPPED


async def test_what_came_before_a_stop_stays(core: Core):
    started = await core.ask("seed=5 words=3 then=stall")
    await seen(core, started, 3)
    statuses = [await core.turns.stop(started) for _ in range(3)]
    log = await core.ended(started)

    assert statuses == [events.STOPPED] * 3
    assert events.answer_text(log) == Script(5, 3).text
    assert (await Message.objects.aget(pk=started.answer_id)).text == Script(5, 3).text


async def test_text_that_came_with_a_finish_reason_is_kept_when_the_stop_comes_before_the_end(
    core: Core, monkeypatch: pytest.MonkeyPatch
):
    async def answer(asked: prompt.Prompt, give: events.Give) -> None:
        give(events.chunk(events.delta("all but ")))
        last = events.finish("STOP")
        last["candidates"][0]["content"]["parts"] = [{"text": "done"}]
        give(events.chunk(last))
        await asyncio.Event().wait()

    monkeypatch.setattr(Catalogue, "answer", staticmethod(answer))
    started = await core.ask("anything")
    await seen(core, started, 1)
    await core.turns.stop(started)
    log = await core.ended(started)

    assert end_of(log) == events.STOPPED
    assert events.answer_text(log) == (await Message.objects.aget(pk=started.answer_id)).text == "all but done"


async def test_stop_racing_the_finish_leaves_one_end(core: Core):
    for number in range(12):
        started = await core.ask(f"seed={number} words=6 gap=1")
        await seen(core, started, number // 2)
        await core.turns.stop(started)
        log = await core.ended(started)

        assert end_of(log) == (await row_of(started)).status
        assert end_of(log) in (events.STOPPED, events.COMPLETE)
        assert events.answer_text(log) == (await Message.objects.aget(pk=started.answer_id)).text


async def test_the_same_request_id_joins_and_starts_nothing(core: Core):
    first, *others = await asyncio.gather(*(core.ask("words=5 gap=5", request_id="r") for _ in range(8)))
    await core.ended(first)

    assert {other.pk for other in others} == {first.pk}
    assert len(core.model.asked) == 1
    assert await Message.objects.acount() == 2


async def test_a_question_whose_commit_was_answered_too_late_is_stored_and_answered_once(
    core: Core, monkeypatch: pytest.MonkeyPatch
):
    write, broken = group_commit.GroupCommit._write, list[bool]()

    def lose_the_answer(self: group_commit.GroupCommit, batch: Any) -> None:
        write(self, batch)
        if not broken:
            broken.append(True)
            raise OperationalError("the connection broke after the commit")

    monkeypatch.setattr(group_commit.GroupCommit, "_write", lose_the_answer)
    in_the_thread(monkeypatch)
    started = await core.ask("seed=2 words=3")
    log = await core.ended(started)

    assert broken
    assert events.answer_text(log) == Script(2, 3).text
    assert await Stream.objects.acount() == 1


@pytest.mark.parametrize("request_id", [None, "r"])
async def test_a_lost_answer_to_a_commit_does_not_leave_a_turn_unbegun(
    core: Core, monkeypatch: pytest.MonkeyPatch, request_id: str | None
):
    write, broken = group_commit.GroupCommit._write, list[bool]()

    def lose_the_answer(self: group_commit.GroupCommit, batch: Any) -> None:
        write(self, batch)
        if not broken:
            broken.append(True)
            raise InterfaceError("the connection broke after the commit")

    monkeypatch.setattr(group_commit.GroupCommit, "_write", lose_the_answer)
    in_the_thread(monkeypatch)
    started = await core.ask("seed=2 words=3", request_id=request_id)

    assert end_of(await core.ended(started)) == events.COMPLETE


async def test_a_turn_that_could_not_be_written_to_its_end_is_found_and_ended(
    core: Core, monkeypatch: pytest.MonkeyPatch
):
    started = await core.ask("words=3 then=stall")
    await seen(core, started, 3)
    monkeypatch.setattr(core.log._commits, "retry_seconds", -1.0)
    in_the_thread(monkeypatch)

    def away(*_: Any) -> None:
        raise OperationalError("no database")

    def refuse(*_: Any) -> None:
        raise CommitRefused

    with monkeypatch.context() as outage:
        outage.setattr(group_commit.GroupCommit, "_write", away)
        outage.setattr(SqliteConnection, "store", refuse)
        outage.setattr(turn, "GIVE_UP_SECONDS", 0)
        core.turns.stop_here(started.pk)
        while core.turns.running():
            await asyncio.sleep(0.01)
    reaper = Reaper(core.log, WorkerName())
    for _ in range(leases.LOOKS):
        assert await reaper.beat(core.turns.running()) == []
    assert await reaper.beat(core.turns.running()) == [started.pk]
    assert end_of(await core.ended(started)) == events.INTERRUPTED


async def test_a_turn_whose_log_failed_ends_as_interrupted_once_that_can_be_stored(
    core: Core, monkeypatch: pytest.MonkeyPatch
):
    """An outage that outlasts the retries, with more of the answer on its way: nothing may be stored behind the gap."""
    monkeypatch.setattr(core.log._commits, "retry_seconds", -1.0)
    in_the_thread(monkeypatch)
    started = await core.ask("seed=3 words=400 gap=5")
    await seen(core, started, 3)
    write, failures = group_commit.GroupCommit._write, [OperationalError("no database")] * 5

    def away(self: group_commit.GroupCommit, batch: Any) -> None:
        if failures:
            raise failures.pop()
        write(self, batch)

    monkeypatch.setattr(group_commit.GroupCommit, "_write", away)
    log = await core.ended(started)
    row = await row_of(started)
    answer = await Message.objects.aget(pk=started.answer_id)

    assert not failures
    assert [event.seq for event in log] == list(range(len(log)))
    assert end_of(log) == row.status == events.INTERRUPTED
    assert row.last_seq == len(log) - 1 < 400
    assert Script(3, 400).text.startswith(answer.text)
    assert answer.text == events.answer_text(log) != ""


async def test_a_turn_whose_stream_another_worker_has_ended_stops_its_upstream(core: Core):
    started = await core.ask("words=3 then=stall")
    await seen(core, started, 3)
    await core.log.write(lambda: interrupt(started.pk, errors.Interrupted("gone")))
    for stream_id in await core.log.write(lambda: leases.wanted_stops(core.turns.running(), core.turns.worker.name)):
        core.turns.stop_here(stream_id)
    log = await core.ended(started)
    while not core.model.left:
        await asyncio.sleep(0.01)

    assert end_of(log) == events.INTERRUPTED
    assert [event.seq for event in log] == [0, 1, 2, 3, 4]


async def test_drain_lets_turns_finish_within_the_grace(core: Core):
    started = [await core.ask(f"seed={number} words=10 gap=10") for number in range(5)]
    await core.turns.drain(60)

    assert [(await row_of(each)).status for each in started] == [events.COMPLETE] * 5


async def test_drain_ends_what_is_left_as_interrupted_and_takes_nothing_new(core: Core):
    started = await core.ask("words=3 then=stall")
    await seen(core, started, 3)
    await core.turns.drain(0.05)
    with pytest.raises(errors.Unavailable):
        await core.ask("words=1")
    log = await core.ended(started)

    assert end_of(log) == events.INTERRUPTED == (await row_of(started)).status
    assert events.answer_text(log) == Script(0, 3).text


async def second_question(core: Core, question: str) -> "asyncio.Task[Stream]":
    """A question that the writer's thread is just storing: one into a conversation. Any other is stored at once."""
    first = await core.ask("words=1")
    await core.ended(first)
    asking = asyncio.create_task(core.ask(question, conversation_id=first.conversation_id))
    while not core.turns._starting:
        await asyncio.sleep(0)
    return asking


async def test_drain_waits_for_a_question_that_is_being_stored(core: Core):
    asking = await second_question(core, "words=3 then=stall")
    await core.turns.drain(0)
    log = await core.ended(await asking)

    assert end_of(log) == events.INTERRUPTED
    assert core.turns.running() == []


async def test_a_reader_that_goes_while_its_question_is_stored_leaves_a_turn_that_runs(core: Core):
    asking = await second_question(core, "words=3")
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)
    while core.turns._starting or core.turns.running():
        await asyncio.sleep(0.01)

    assert [row.status async for row in Stream.objects.all()] == [events.COMPLETE] * 2


@pytest.mark.skipif(DIALECT.vendor != "sqlite", reason="the fast path is SQLite's")
async def test_a_plain_question_is_stored_and_begun_in_one_step(core: Core):
    asking = asyncio.create_task(core.ask("words=3"))
    await asyncio.sleep(0)  # its one step: nothing can come between its commit and its turn

    assert asking.done()
    assert core.turns.running() == [asking.result().pk]
    assert end_of(await core.ended(asking.result())) == events.COMPLETE


async def test_the_output_has_a_limit_and_what_came_is_kept(core: Core, settings: Any):
    settings.LIMITS = {**settings.LIMITS, "OUTPUT_BYTES": 50}
    started = await core.ask("seed=1 words=100")
    log = await core.ended(started)
    answer = await Message.objects.aget(pk=started.answer_id)

    assert events.decode(log[-1].data)["error"]["code"] == 413
    assert answer.text == events.answer_text(log) != ""
    assert Script(1, 100).text.startswith(answer.text)


@pytest.mark.slow
async def test_an_answer_has_a_longest_duration(core: Core, settings: Any):
    settings.LIMITS = {**settings.LIMITS, "STREAM_SECONDS": 1}
    log = await core.ended(await core.ask("words=2 then=stall"))

    assert events.decode(log[-1].data)["error"]["code"] == 504
    assert events.answer_text(log) == Script(0, 2).text


async def test_the_time_in_which_a_model_is_loaded_is_no_part_of_that_duration(core: Core):
    started = await core.ask("words=0 then=stall")
    running = core.turns._turns[started.pk]
    while running._limit is None:
        await asyncio.sleep(0)
    loop, most = asyncio.get_running_loop(), limits.of("STREAM_SECONDS")
    assert running._limit.when() - loop.time() <= most
    running._take(events.chunk(events.notice(events.LOADING, "It is being loaded.")))
    assert running._limit.when() - loop.time() > 1.5 * most
    assert await core.turns.stop(started) == events.STOPPED


@pytest.mark.parametrize("hours", [1, -1])
async def test_a_clock_that_jumps_in_the_middle_changes_no_order_and_no_duration(
    core: Core, hours: int, monkeypatch: pytest.MonkeyPatch
):
    started = await core.ask("seed=4 words=20 gap=10")
    await seen(core, started, 5)
    now, time_of_day = timezone.now, time.time
    monkeypatch.setattr(timezone, "now", lambda: now() + timedelta(hours=hours))
    monkeypatch.setattr(time, "time", lambda: time_of_day() + 3600 * hours)
    log = await core.ended(started)
    times = [event.at for event in log]

    assert times == sorted(times)
    assert times[-1] < 20e6
    assert events.answer_text(log) == Script(4, 20).text


@pytest.mark.parametrize(
    ("text", "kept"),
    [("a\0b", "a\ufffdb"), ("\\u0000", "\\u0000"), ("\\\0", "\\\ufffd"), ("\0\0", "\ufffd\ufffd"), ("plain", "plain")],
)
def test_nul_is_replaced_and_what_only_looks_like_it_is_not(text: str, kept: str):
    assert events.text_of(events.decode(without_nul(events.encode(events.delta(text))))) == kept


async def begun(core: Core, monkeypatch: pytest.MonkeyPatch, **fields: Any) -> tuple[Stream, list[str]]:
    """A question, and the kinds of database that its beginning was tried on."""
    tried: list[str] = []
    store = Start.store

    def spied(self: Start, database: Any = DJANGO) -> Any:
        tried.append(type(database).__name__)
        return store(self, database)

    monkeypatch.setattr(Start, "store", spied)
    return await core.ask("words=2", **fields), tried


@pytest.mark.skipif(DIALECT.vendor != "sqlite", reason="the fast path is SQLite's")
async def test_a_plain_question_is_stored_by_the_loop_itself(core: Core, monkeypatch: pytest.MonkeyPatch):
    started, tried = await begun(core, monkeypatch, request_id="mine")

    assert tried == ["SqliteConnection"]
    assert end_of(await core.ended(started)) == events.COMPLETE
    stored = await Stream.objects.select_related("conversation", "answer__parent").aget(pk=started.pk)
    assert (stored.request_id, stored.user_id) == ("mine", core.user.pk)
    assert stored.conversation.title == "words=2"
    assert stored.answer.parent is not None
    assert stored.answer.parent.text == "words=2"


@pytest.mark.skipif(DIALECT.vendor != "sqlite", reason="the fast path is SQLite's")
async def test_what_the_loop_cannot_store_the_thread_does(core: Core, monkeypatch: pytest.MonkeyPatch):
    first, _ = await begun(core, monkeypatch, request_id="mine")
    second, tried = await begun(core, monkeypatch, request_id="mine")

    assert tried[0] == "SqliteConnection"
    assert tried[-1] == "DjangoConnection"
    assert first.pk == second.pk


@pytest.mark.skipif(DIALECT.vendor != "sqlite", reason="the fast path is SQLite's")
async def test_a_question_into_a_conversation_is_the_thread_s(core: Core, monkeypatch: pytest.MonkeyPatch):
    first = await core.ask("words=1")
    await core.ended(first)
    _, tried = await begun(core, monkeypatch, conversation_id=first.conversation_id)

    assert tried == ["DjangoConnection"]


async def test_a_provider_is_told_to_wait_while_too_much_is_uncommitted(core: Core, monkeypatch: pytest.MonkeyPatch):
    asked = list[Any]()

    async def answer(asked_prompt: prompt.Prompt, give: events.Give) -> None:
        large = events.chunk(events.delta("x" * (MAX_PENDING // 2 + 1)))
        asked.append(give(large))
        asked.append(give(large))
        await asked[-1]
        asked.append(give(large))
        give(events.chunk(events.finish("STOP")))

    monkeypatch.setattr(Catalogue, "answer", staticmethod(answer))
    await core.ended(await core.ask("anything"))

    assert [full is None for full in asked] == [True, False, True]


async def test_a_process_that_starts_ends_the_streams_of_dead_workers_of_its_machine(log: Any):
    gone = subprocess.Popen(["/bin/true"])
    gone.wait()
    dead = await on_a_connection_of_its_own(new_stream, "ann", f"{machine()}:{gone.pid}:x")
    turns = this_process().turns
    await turns.open()
    await turns.close(0)

    assert (await row_of(dead)).status == events.INTERRUPTED
