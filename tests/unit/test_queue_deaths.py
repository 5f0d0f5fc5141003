"""The message queue at every point at which a process may die."""

import asyncio
from typing import Any

import pytest

from chat.models import QueuedMessage
from chat.process import this_process
from chat.protocol import events
from chat.turns import message_queue
from chat.turns.next_message import NextMessage
from chat.turns.runner import Turns
from tests.talks import HELD_BACK, Talk, settled

pytestmark = pytest.mark.usefixtures("looks_by_itself_only_when_told")


async def test_a_message_whose_answer_ended_while_its_process_died_is_sent_by_another(dead: Talk, other: Turns):
    await dead.queue()
    await dead.finishes()
    await settled(dead.core.turns)
    assert len(await dead.streams()) == 1

    await other.open()
    await dead.begun(2)
    await settled(other)
    assert [stream.status for stream in await dead.streams()] == [events.COMPLETE] * 2
    assert await dead.texts() == []


async def test_of_two_processes_that_look_at_once_one_sends_it(dead: Talk, other: Turns):
    await dead.queue()
    await dead.finishes()
    await asyncio.gather(*(turns.start_next(dead.conversation.pk) for turns in (dead.core.turns, other) * 3))
    await settled(other)
    await dead.is_over(2)

    assert len(await dead.streams()) == 2
    assert len(await dead.asked()) == 2


async def test_a_start_that_is_undone_leaves_the_message_in_the_queue(dead: Talk, monkeypatch: pytest.MonkeyPatch):
    message_id = await dead.queue()
    await dead.finishes()

    def dies(*_: Any) -> None:
        raise RuntimeError("the process is gone")

    with monkeypatch.context() as patch:
        patch.setattr("chat.turns.start.insert_events", dies)
        await dead.core.turns.start_next(dead.conversation.pk)
    assert [message["id"] for message in (await dead.state())["messages"]] == [message_id]
    assert await dead.asked() == [HELD_BACK]

    await dead.core.turns.start_next(dead.conversation.pk)
    await dead.is_over(2)


async def test_a_commit_whose_answer_was_lost_is_not_made_twice(dead: Talk):
    await dead.queue()
    await dead.finishes()
    next_message = NextMessage(dead.conversation.pk, this_process().catalogue, "w")
    first = await dead.core.log.write(next_message.store)
    again = await dead.core.log.write(next_message.store)

    assert first is not None
    assert again is first
    assert len(await dead.streams()) == 2


async def test_a_message_is_kept_once_where_the_answer_to_its_commit_was_lost(talk: Talk):
    new = message_queue.NewMessage(talk.core.user, talk.conversation.pk, {"contents": [{"parts": []}], "model": "m"})
    first = await talk.core.log.write(lambda: message_queue.add(new))
    again = await talk.core.log.write(lambda: message_queue.add(new))

    assert first[0] == again[0] == new.id
    assert await QueuedMessage.objects.acount() == 1


async def test_a_turn_that_its_process_left_after_the_commit_is_found_as_any_other(dead: Talk, other: Turns):
    message_id = await dead.queue()
    await dead.finishes()
    gone = "nowhere:1:dead"
    await dead.core.log.write(NextMessage(dead.conversation.pk, this_process().catalogue, gone).store)
    _, left = await dead.streams()
    await other._reaper.interrupt([(left.pk, left.lease_until)])
    await other.open()
    await settled(other)
    _, left = await dead.streams()

    assert (left.status, left.answer.parent_id) == (events.INTERRUPTED, message_id)
    assert await dead.texts() == []
    assert len(await dead.streams()) == 2


async def test_now_instead_survives_the_process_that_was_asked_before_it_could_stop_anything(dead: Talk, other: Turns):
    message_id = await dead.queue()
    await dead.core.turns.queues.put_first(dead.core.user, dead.conversation, message_id)
    await dead.core.turns.stop(dead.running)
    await settled(dead.core.turns)
    assert len(await dead.streams()) == 1

    await other.open()
    await dead.begun(2)
    await settled(other)
    assert [stream.status for stream in await dead.streams()] == [events.STOPPED, events.COMPLETE]


async def test_a_process_that_goes_down_begins_nothing_and_keeps_the_queue(dead: Talk, other: Turns):
    await dead.queue()
    await dead.finishes()
    await dead.core.turns.drain(0)
    await dead.core.turns.start_next(dead.conversation.pk)
    assert len(await dead.streams()) == 1

    await other.open()
    await dead.begun(2)
    await settled(other)
