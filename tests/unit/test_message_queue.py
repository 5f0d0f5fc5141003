"""The message queue: a message during an answer is stored, and sent exactly once after a normal end."""

import asyncio
import itertools
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.test import AsyncClient

from chat import limits
from chat.accounts import families, tokens
from chat.accounts.claims import Claims
from chat.log import Log
from chat.log.deletion import delete_conversation
from chat.log.sql import in_thread
from chat.models import Change, Message, QueuedMessage, User
from chat.protocol import events
from chat.protocol.errors import ApiError, NotFound, ResourceExhausted
from chat.protocol.request import Ask
from chat.turns import message_queue
from tests.inside import Core
from tests.talks import HELD_BACK, Talk, settled

pytestmark = pytest.mark.usefixtures("looks_by_itself_only_when_told")


# Order, and once


async def test_a_queued_message_is_sent_once_after_a_normal_end(talk: Talk):
    message_id = await talk.queue("seed=2 words=2")

    assert (await talk.state())["held"] is None
    assert await talk.asked() == [HELD_BACK]

    await talk.finishes()
    await talk.is_over(2)
    first, second = await talk.streams()

    assert second.answer.parent_id == message_id
    assert second.answer.parent is not None
    assert second.answer.parent.parent_id == first.answer_id
    assert second.status == events.COMPLETE
    assert await talk.state() == {"messages": [], "held": None}


async def test_several_are_sent_in_their_order_each_after_the_answer_before(talk: Talk):
    for seed in (2, 3, 4):
        await talk.queue(f"seed={seed} words=2")
    await talk.finishes()
    await talk.is_over(4)
    streams = await talk.streams()

    assert await talk.asked() == [HELD_BACK, *(f"seed={seed} words=2" for seed in (2, 3, 4))]
    assert [stream.status for stream in streams] == [events.COMPLETE] * 4
    for before, after in itertools.pairwise(streams):
        assert before.ended_at is not None
        assert before.ended_at <= after.created_at


async def test_what_it_was_asked_with_is_what_it_is_sent_with(talk: Talk):
    await talk.queue(
        "seed=2 words=1", language="de", generation={"temperature": 0.5}, system="Be brief.", request_id="r"
    )
    await talk.finishes()
    await talk.is_over(2)
    _, sent = (request.json() for request in talk.core.model.asked)
    _, stream = await talk.streams()

    assert sent["temperature"] == 0.5
    assert sent["messages"][0]["content"].startswith("Be brief.")
    assert [message["role"] for message in sent["messages"]] == ["system", "user", "assistant", "user"]
    assert stream.request_id == "r"
    assert stream.request["language"] == "de"


@pytest.mark.parametrize("sent_before", [False, True])
async def test_a_message_that_is_sent_again_with_its_request_id_is_the_same(talk: Talk, sent_before: bool):
    first = await talk.queue(request_id="r")
    if sent_before:
        await talk.finishes()
        await talk.is_over(2)
    again = await talk.queue(request_id="r")
    await talk.finishes()
    await talk.is_over(2)

    assert again == first
    assert len(await talk.streams()) == 2


async def test_where_nothing_runs_a_message_is_sent_at_once(talk: Talk):
    await talk.finishes()
    await talk.queue()
    await talk.core.turns.start_next(talk.conversation.pk)
    await talk.is_over(2)

    assert await talk.texts() == []


async def test_an_answer_that_runs_beside_is_waited_for_too(talk: Talk):
    await talk.queue()
    beside = await talk.core.ask("seed=9 words=1 then=stall", conversation_id=talk.conversation.pk)
    await talk.finishes()
    await talk.core.turns.start_next(talk.conversation.pk)

    assert len(await talk.streams()) == 2

    await talk.core.turns.stop(beside)
    [conversation] = await talk.core.turns.queues.due()
    await talk.core.turns.start_next(conversation)
    await talk.is_over(3)


# Stops and failures


async def test_a_stop_leaves_the_queue_as_it_is(talk: Talk):
    await talk.queue()
    await talk.core.turns.stop(talk.running)
    await settled(talk.core.turns)
    state = await talk.state()

    assert state["held"] == {"because": "stopped", "message": ""}
    assert [message["state"] for message in state["messages"]] == ["held"]
    assert await talk.core.turns.queues.due() == []
    assert len(await talk.streams()) == 1


async def test_a_failure_leaves_the_queue_as_it_is(core: Core):
    talk = Talk(core, await core.ask("seed=1 words=2 hold=1 then=cut"))
    await talk.queue()
    await talk.finishes()
    await settled(core.turns)

    assert (await talk.state())["held"] == {"because": "failed", "message": ""}
    assert await core.turns.queues.due() == []


async def test_what_is_held_is_sent_when_its_user_says_so(talk: Talk):
    first, second = await talk.queue("seed=2 words=2"), await talk.queue("seed=3 words=2")
    await talk.core.turns.stop(talk.running)
    stopped = await talk.core.turns.queues.put_first(talk.core.user, talk.conversation, first)
    await talk.core.turns.start_next(talk.conversation.pk)
    await talk.is_over(3)

    assert stopped == []
    assert [stream.answer.parent_id for stream in (await talk.streams())[1:]] == [first, second]


async def test_a_message_queued_behind_held_ones_is_held_with_them(talk: Talk):
    await talk.queue("seed=2 words=2")
    await talk.core.turns.stop(talk.running)
    await talk.queue("seed=3 words=2")
    await talk.core.turns.start_next(talk.conversation.pk)

    assert [message["state"] for message in (await talk.state())["messages"]] == ["held", "held"]


async def test_a_message_that_was_queued_behind_a_held_one_is_held_without_it(talk: Talk):
    first = await talk.queue("seed=2 words=2")
    await talk.core.turns.stop(talk.running)
    await talk.queue("seed=3 words=2")
    await talk.core.turns.queues.remove(talk.core.user, talk.conversation, first)
    await talk.core.turns.start_next(talk.conversation.pk)

    assert [message["state"] for message in (await talk.state())["messages"]] == ["held"]
    assert await talk.asked() == [HELD_BACK]


async def test_a_message_is_sent_once_the_refused_one_before_it_is_deleted(talk: Talk):
    first, second = await talk.queue("seed=2 words=2"), await talk.queue("seed=3 words=2")
    await in_thread(lambda: message_queue.hold(first, "No."))
    await talk.finishes()
    await settled(talk.core.turns)
    assert await talk.asked() == [HELD_BACK]

    path = f"/v2/conversations/{talk.conversation.pk}/queue/{first}"
    headers = {"Authorization": f"Bearer {tokens.access_for(talk.core.user)}"}
    assert (await AsyncClient().delete(path, headers=headers)).status_code == 204
    await talk.is_over(2)
    assert (await talk.streams())[1].answer.parent_id == second


async def test_a_message_queued_while_another_answer_runs_has_the_held_ones_sent_before_it(talk: Talk):
    await talk.queue("seed=2 words=2")
    await talk.core.turns.stop(talk.running)
    talk.running = await talk.core.ask("seed=5 words=3 hold=1", conversation_id=talk.conversation.pk)
    assert (await talk.state())["held"] is not None

    await talk.queue("seed=3 words=2")
    assert (await talk.state())["held"] is None

    await talk.finishes()
    await talk.is_over(4)
    assert (await talk.asked())[2:] == ["seed=2 words=2", "seed=3 words=2"]


# Now instead


async def test_now_instead_stops_what_runs_keeps_what_came_and_sends_it_first(talk: Talk):
    await talk.queue("seed=2 words=2")
    steer = await talk.queue("seed=3 words=2")
    async for page in talk.core.log.follow(talk.running.pk):
        if page.events[-1].seq >= 1:
            break
    [running] = await talk.core.turns.queues.put_first(talk.core.user, talk.conversation, steer)
    await talk.core.turns.stop(running)
    await talk.is_over(3)
    first, second, _ = await talk.streams()

    assert first.status == events.STOPPED
    assert (await Message.objects.aget(pk=first.answer_id)).text
    assert second.answer.parent_id == steer
    assert await talk.asked() == [HELD_BACK, "seed=3 words=2", "seed=2 words=2"]


# Edit and withdraw


async def test_a_queued_message_can_be_edited_until_it_is_sent(talk: Talk):
    message_id = await talk.queue("seed=2 words=2")
    edit = talk.core.turns.queues.edit
    await edit(talk.core.user, talk.conversation, message_id, Ask([{"text": "seed=7 words=2"}]))
    await talk.finishes()
    await talk.is_over(2)

    assert (await talk.asked())[1:] == ["seed=7 words=2"]
    with pytest.raises(NotFound, match="may have been sent"):
        await edit(talk.core.user, talk.conversation, message_id, Ask([{"text": "seed=8 words=2"}]))


async def test_a_message_that_is_queued_while_the_process_looks_is_not_forgotten(
    talk: Talk, monkeypatch: pytest.MonkeyPatch
):
    look, looked, queued = message_queue.waiting, asyncio.Event(), asyncio.Event()

    async def waiting(log: Log) -> Any:
        found = await look(log)
        looked.set()
        await queued.wait()
        return found

    monkeypatch.setattr(message_queue, "waiting", waiting)
    looking = asyncio.create_task(talk.core.turns.queues.due())
    await looked.wait()
    await talk.queue("seed=2 words=2")
    queued.set()
    await looking
    await talk.finishes()
    await talk.is_over(2)
    assert await talk.texts() == []


async def test_a_message_that_is_withdrawn_is_never_sent(talk: Talk):
    first, second = await talk.queue("seed=2 words=2"), await talk.queue("seed=3 words=2")
    await talk.core.turns.queues.remove(talk.core.user, talk.conversation, first)
    await talk.finishes()
    await talk.is_over(2)

    assert [stream.answer.parent_id for stream in (await talk.streams())[1:]] == [second]
    with pytest.raises(NotFound, match="may have been sent"):
        await talk.core.turns.queues.remove(talk.core.user, talk.conversation, first)


async def test_as_many_wait_as_may(talk: Talk, settings: Any):
    settings.LIMITS = {**settings.LIMITS, "QUEUED_MESSAGES": 2}
    await talk.queue()
    await talk.queue()

    with pytest.raises(ResourceExhausted, match="2 messages wait in this conversation already: remove one") as refusal:
        await talk.queue()
    assert refusal.value.retry_after


async def test_each_change_of_a_queue_is_told_to_the_feeds(talk: Talk):
    first = await talk.queue()
    await talk.core.turns.queues.edit(talk.core.user, talk.conversation, first, Ask([{"text": "x"}]))
    await talk.core.turns.queues.remove(talk.core.user, talk.conversation, first)
    lines = [line async for line in Change.objects.filter(kind="queue").values_list("data", flat=True)]

    assert [events.decode(line) for line in lines] == [{"count": 1}, {"count": 1}, {"count": 0}]


async def test_nobody_else_s_queue_is_found(talk: Talk):
    message_id = await talk.queue()
    stranger = await User.objects.acreate(username="mallory")
    queues = talk.core.turns.queues

    for attempt in (
        queues.add(stranger, talk.conversation, Ask([{"text": "mine"}])),
        queues.edit(stranger, talk.conversation, message_id, Ask([{"text": "mine"}])),
        queues.remove(stranger, talk.conversation, message_id),
        queues.put_first(stranger, talk.conversation, message_id),
    ):
        with pytest.raises(NotFound, match="no such conversation"):
            await attempt
    assert await talk.texts() == ["seed=2 words=2"]


# What cannot be begun


async def test_a_message_that_cannot_be_begun_stays_with_the_reason(talk: Talk, settings: Any):
    await talk.queue()
    settings.LIMITS_OFF = False
    settings.LIMITS = {**settings.LIMITS, "DAY_QUESTIONS": 1}
    await in_thread(lambda: limits.spend_question(talk.core.user.pk))
    await talk.finishes()
    await settled(talk.core.turns)
    held = (await talk.state())["held"]

    assert held is not None
    assert held["because"] == "refused"
    assert held["message"].startswith("You have asked 1 question today")
    assert await talk.core.turns.queues.due() == []
    assert await talk.asked() == [HELD_BACK]


async def test_a_refusal_that_is_soon_over_holds_nothing(talk: Talk, settings: Any):
    await talk.queue()
    settings.LIMITS_OFF = False
    settings.LIMITS = {**settings.LIMITS, "STREAMS_USER": 0}
    await talk.finishes()
    await settled(talk.core.turns)
    assert (await talk.state())["held"] is None

    settings.LIMITS_OFF = True
    [conversation] = await talk.core.turns.queues.due()
    await talk.core.turns.start_next(conversation)
    await talk.is_over(2)


async def test_a_message_of_somebody_who_has_signed_out_waits_for_them(talk: Talk):
    user = talk.core.user
    user.claims = Claims(user.pk, user.token_version, "f", "")
    await talk.queue()
    await sync_to_async(families.end)("f")
    await talk.finishes()
    await settled(talk.core.turns)

    held = (await talk.state())["held"]
    assert held is not None
    assert "signed out" in held["message"]


async def test_a_queue_of_a_disabled_account_or_a_deleted_conversation_is_not_sent(talk: Talk):
    await talk.queue()
    await User.objects.filter(pk=talk.core.user.pk).aupdate(is_active=False)
    await talk.finishes()
    await settled(talk.core.turns)
    assert await talk.core.turns.queues.due() == []

    await delete_conversation(talk.conversation.pk, talk.core.log.write)
    assert not await QueuedMessage.objects.aexists()


@pytest.mark.parametrize(
    ("ask", "sentence"),
    [
        (Ask([{"text": "x" * 40_000}]), "longer than"),
        (Ask([{"text": "x"}], model="openai/none"), "no model of that name"),
        (Ask([{"text": "x"}], generation={"temperature": 9}), "temperature"),
    ],
)
async def test_what_could_not_be_sent_is_not_queued(talk: Talk, ask: Ask, sentence: str):
    with pytest.raises(ApiError, match=sentence):
        await talk.core.turns.queues.add(talk.core.user, talk.conversation, ask)

    assert await talk.texts() == []


async def test_a_process_that_drains_starts_no_queued_message(talk: Talk):
    message_id = await talk.queue("seed=2 words=2")
    draining = asyncio.create_task(talk.core.turns.drain(60))
    await asyncio.sleep(0)
    await talk.finishes()
    await draining

    assert await talk.asked() == [HELD_BACK]
    assert [message["id"] for message in (await talk.state())["messages"]] == [message_id]


async def test_a_refused_message_waits_again_once_another_is_queued_behind_a_running_answer(talk: Talk):
    refused = await talk.queue("seed=2 words=2")
    await in_thread(lambda: message_queue.hold(refused, "The budget of today is used up."))
    assert (await talk.state())["held"] == {"because": "refused", "message": "The budget of today is used up."}
    await talk.queue("seed=3 words=2")

    assert (await talk.state())["held"] is None


async def test_only_one_message_is_to_be_sent_now_once_it_has_begun(talk: Talk):
    """The others wait for its answer, also those that were to be sent at once."""
    first, second = await talk.queue("seed=2 words=2 hold=1"), await talk.queue("seed=3 words=2")
    for message_id in (second, first):
        await talk.core.turns.queues.put_first(talk.core.user, talk.conversation, message_id)
    await talk.core.turns.stop(talk.running)
    await talk.core.turns.start_next(talk.conversation.pk)
    waiting = await QueuedMessage.objects.aget(pk=second)

    assert not waiting.now
    assert waiting.waits_for == (await talk.begun(2)).pk
