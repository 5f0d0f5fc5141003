"""Continuation of an answer whose worker died: by one other worker, under the same stream id."""

import asyncio
from collections.abc import AsyncIterator
from time import monotonic
from typing import Any

import pytest
import pytest_asyncio
from django.conf import settings

from chat.log import Log, eventlog
from chat.log.fence import FIRST_EPOCH
from chat.log.takeover import MOST_DEATHS
from chat.models import Message, Stream
from chat.process import this_process
from chat.protocol import events
from chat.protocol.events import Event
from chat.protocol.request import Ask
from chat.providers.catalogue import NAMES, chosen
from chat.turns import leases
from chat.turns.continuation import rest_of
from chat.turns.runner import Turns
from chat.turns.start import Door
from tests.catalogue import providers
from tests.faults.arena import environment
from tests.faults.upstream import Script
from tests.inside import Core, on_a_connection_of_its_own


@pytest_asyncio.fixture
async def going_on(core: Core) -> AsyncIterator[Core]:
    """A process whose answers are all continued."""
    providers.configure(environment(core.model.url, WONDERCAM_CONTINUE="all"))
    yield core


async def seen(core: Core, started: Stream, seq: int) -> None:
    """Wait until event `seq` is there."""
    async for page in core.log.follow(started.pk):
        if page.events and page.events[-1].seq >= seq:
            return


async def dies(core: Core, started: Stream, seq: int) -> None:
    """Once event `seq` is there the worker dies: nothing more of its turn is done or written."""
    await seen(core, started, seq)
    task = core.turns._turns[started.pk].task
    assert task is not None
    task.cancel()
    await asyncio.wait([task])


async def is_missed(core: Core) -> None:
    """Its lease lapses, and is looked at until what is not taken up is ended."""
    for _ in range(leases.LOOKS + leases.grace_of(core.log.retry_seconds, settings.LEASE_SECONDS) + 1):
        await core.turns._reaper.beat(core.turns.running())


def words_of(log: list[Event]) -> list[dict[str, Any]]:
    """What is said in the field `wondercam`, event by event, where it is."""
    return [ours for event in log if (ours := events.decode(event.data).get("wondercam"))]


async def is_sound(started: Stream, log: list[Event]) -> Stream:
    """The log has no hole and one end, and its text is the stored one; the stream's row."""
    row = await Stream.objects.aget(pk=started.pk)
    assert [event.seq for event in log] == list(range(len(log)))
    assert [event.at for event in log] == sorted(event.at for event in log)
    assert row.last_seq == log[-1].seq
    assert (await Message.objects.aget(pk=started.answer_id)).text == events.answer_text(log)
    return row


async def test_a_dead_worker_s_turn_goes_on_from_the_text_so_far(going_on: Core):
    core = going_on
    started = await core.ask("seed=3 words=30 gap=30")
    reader = asyncio.create_task(core.ended(started))
    await dies(core, started, 6)
    await is_missed(core)
    log = await reader
    row = await is_sound(started, log)
    first, second = (request.json()["messages"] for request in core.model.asked)
    so_far = second[-1]["content"]

    assert row.status == events.COMPLETE
    assert events.answer_text(log) == Script(3, 30).text
    assert second[:-1] == first
    assert second[-1]["role"] == "assistant"
    assert so_far
    assert Script(3, 30).text.startswith(so_far)
    assert [list(ours) for ours in words_of(log)] == [["picked_up"]]
    assert "picked it up again" in words_of(log)[0]["picked_up"]["message"]
    assert core.turns.running() == []


async def test_where_the_model_does_not_go_on_the_answer_begins_anew_and_says_so(going_on: Core):
    core = going_on
    started = await core.ask("seed=4 words=20 gap=5 then=refuse")
    await dies(core, started, 5)
    await is_missed(core)
    log = await core.ended(started)

    assert (await is_sound(started, log)).status == events.COMPLETE
    assert [list(ours) for ours in words_of(log)] == [["picked_up"], ["superseded_from"]]
    assert words_of(log)[1] == {"superseded_from": 1}
    assert events.answer_text(log) == Script(4, 20).text
    assert "".join(events.text_of(events.decode(event.data)) for event in log[1:]) != Script(4, 20).text


async def test_nothing_is_superseded_where_nothing_had_come(going_on: Core):
    core = going_on
    started = await core.ask("seed=5 words=4 gap=60000")
    while not core.model.asked:
        await asyncio.sleep(0)
    core.model.asked.clear()
    await dies(core, started, 0)
    await is_missed(core)
    while not core.model.asked:
        await asyncio.sleep(0)
    await core.turns.stop(started)
    log = await core.ended(started)

    assert [list(ours) for ours in words_of(log)] == [["picked_up"], ["end"]]
    assert core.model.asked[0].json()["messages"][-1]["role"] == "user"


async def test_a_turn_that_goes_on_keeps_its_system_prompt_its_settings_and_its_conversation(going_on: Core):
    core = going_on
    before = await core.ask("seed=1 words=2")
    await core.ended(before)
    started = await core.ask(
        "seed=6 words=12 gap=5",
        conversation_id=before.conversation_id,
        system="Be brief.",
        language="de",
        generation={"temperature": 0.5},
    )
    await dies(core, started, 4)
    await is_missed(core)
    await core.ended(started)
    _, first, second = (request.json() for request in core.model.asked)

    assert second["messages"][:-1] == first["messages"]
    assert second["temperature"] == first["temperature"] == 0.5
    assert [message["role"] for message in first["messages"]] == ["system", "user", "assistant", "user"]


async def test_it_is_off_for_models_that_cost_unless_the_operator_says_so(core: Core):
    started = await core.ask("seed=3 words=30 gap=30")
    await dies(core, started, 2)
    await is_missed(core)
    log = await core.ended(started)

    assert (await is_sound(started, log)).status == events.INTERRUPTED
    assert len(core.model.asked) == 1


async def test_a_question_that_kills_its_worker_every_time_is_given_up(going_on: Core):
    core = going_on
    started = await core.ask("seed=7 words=60 gap=30")
    for take in range(MOST_DEATHS + 1):
        log = [event async for page in core.log.follow(started.pk, live=False) for event in page.events]
        await dies(core, started, log[-1].seq + 2)
        await is_missed(core)
        assert bool(core.turns.running()) == (take < MOST_DEATHS)
    log = await core.ended(started)

    assert (await is_sound(started, log)).status == events.INTERRUPTED
    assert [list(ours) for ours in words_of(log)] == [["picked_up"]] * MOST_DEATHS + [["end"]]
    assert Script(7, 60).text.startswith(events.answer_text(log))


async def test_an_answer_that_its_reader_cannot_resume_is_not_continued(going_on: Core):
    core = going_on
    ask = Ask(contents=[{"role": "user", "parts": [{"text": "words=9 gap=5"}]}])
    started = await core.turns.start(core.user, ask, monotonic(), door=Door({}))
    await dies(core, started, 2)
    await is_missed(core)

    assert (await is_sound(started, await core.ended(started))).status == events.INTERRUPTED


async def test_a_turn_that_is_to_be_stopped_ends_as_stopped_and_is_not_continued(going_on: Core):
    core = going_on
    started = await core.ask("words=9 gap=30")
    await dies(core, started, 2)
    await core.turns.stop(started)
    await is_missed(core)

    assert (await is_sound(started, await core.ended(started))).status == events.STOPPED
    assert len(core.model.asked) == 1


async def test_the_worker_that_was_wrongly_thought_dead_writes_no_more(
    going_on: Core, other_log: Log, monkeypatch: pytest.MonkeyPatch
):
    core = going_on
    monkeypatch.setattr(eventlog, "POLL_ALONE", 60.0)  # whoever reads at the new worker is told by it
    other = Turns(other_log, lambda: this_process().catalogue, this_process().metrics, 5)
    started = await core.ask("seed=8 words=30 hold=5")
    await seen(core, started, 3)

    async def read() -> list[Event]:
        return [event async for page in other_log.follow(started.pk) for event in page.events]

    reader = asyncio.create_task(read())
    await asyncio.sleep(0)
    [(pk, lease)] = await on_a_connection_of_its_own(leases.running_leases)
    assert await other._take_over(pk, lease)
    assert not await other._take_over(pk, lease)
    core.model.let()
    async with asyncio.timeout(90):
        log = await reader
        while core.turns.running():
            await asyncio.sleep(0.01)
    row = await is_sound(started, log)

    assert row.status == events.COMPLETE
    assert row.epoch == FIRST_EPOCH + 2
    assert events.answer_text(log) == Script(8, 30).text
    assert other.running() == []


@pytest.mark.parametrize(
    ("text", "who"),
    [
        ("", {"local"}),
        ("off", set()),
        ("all", set(NAMES)),
        ("local, gemini", {"local", "gemini"}),
    ],
)
def test_whose_answers_are_continued_is_one_setting(text: str, who: set[str]):
    assert chosen({"WONDERCAM_CONTINUE": text} if text else {}, "WONDERCAM_CONTINUE", ["local"]) == who


@pytest.mark.parametrize("text", ["yes", "off, local", "all, local", "claude"])
def test_any_other_value_of_it_stops_the_start(text: str):
    with pytest.raises(ValueError, match=r"WONDERCAM_CONTINUE holds"):
        chosen({"WONDERCAM_CONTINUE": text}, "WONDERCAM_CONTINUE", ["local"])


async def test_an_answer_that_begins_anew_may_be_as_long_as_the_first_one(going_on: Core):
    """For the rest of an answer the limit is lower by what is there already."""
    core = going_on
    started = await core.ask("seed=4 words=20 gap=5 then=refuse", generation={"maxOutputTokens": 300})
    await dies(core, started, 5)
    await is_missed(core)
    await core.ended(started)
    first, rest, anew = (request.json()["max_tokens"] for request in core.model.asked)

    assert (first, anew) == (300, 300)
    assert rest < 300


def test_the_rest_of_an_answer_may_have_at_least_one_token():
    assert rest_of({"maxOutputTokens": 2, "seed": 1}, "many words of an answer") == {"maxOutputTokens": 1, "seed": 1}
