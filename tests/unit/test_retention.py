"""Retention: exactly the rows that are too old are deleted, by the command and by a running server."""

import json
from datetime import timedelta
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.contrib.sessions.models import Session
from django.db import connection
from django.utils import timezone

from chat import retention
from chat.log import pages
from chat.models import Attachment, Conversation, Event, Message, Stream, User
from tests.inside import Core
from tests.recorded import run

NOTHING = {"conversations": 0, "recordings": 0, "photos": 0, "guests": 0}
KINDS: tuple[Any, ...] = (Conversation, Message, Stream, Event, Attachment)


async def counted() -> list[int]:
    return [await kind.objects.acount() for kind in KINDS]


@pytest.fixture
async def site(core: Core) -> Core:
    """Ann asked something with a photo 40 days ago, and something else today."""
    await core.ended(await core.ask("words=5 gap=0"))
    photo = {"mime_type": "image/jpeg", "width": 1, "height": 1, "data": b"pixels"}
    await Attachment.objects.acreate(user=core.user, conversation=await Conversation.objects.aget(), **photo)
    then = timezone.now() - timedelta(days=40)
    await Conversation.objects.aupdate(updated_at=then, pinned=True)
    await Stream.objects.aupdate(ended_at=then, created_at=then)
    await Attachment.objects.aupdate(created_at=then)
    await core.ended(await core.ask("words=5 gap=0"))
    return core


async def pruned(core: Core, **days: int) -> dict[str, int]:
    done = await retention.once({**NOTHING, **days}, core.log.write, timezone.now())
    return {name: number for name, number in done.items() if number}


async def test_without_an_age_everything_stays(site: Core):
    before = await counted()
    assert await pruned(site) == {}
    assert await counted() == before


async def test_an_old_conversation_goes_whole_and_a_new_one_stays(site: Core):
    assert await pruned(site, conversations=41) == {}
    assert await pruned(site, conversations=39) == {"conversations": 1}
    assert (await counted())[:3] == [1, 2, 1]
    assert await Attachment.objects.acount() == 0


async def test_of_an_old_recording_the_words_stay(site: Core):
    texts = [message.text async for message in Message.objects.order_by("pk")]
    assert all(texts)
    assert await pruned(site, recordings=39) == {"recordings": 1}
    assert await Stream.objects.acount() == 1
    assert await Event.objects.exclude(stream=await Stream.objects.aget()).acount() == 0
    assert [message.text async for message in Message.objects.order_by("pk")] == texts


async def test_an_answer_that_was_never_put_together_is_read_before_the_writer_waits(
    site: Core, monkeypatch: pytest.MonkeyPatch
):
    questions = [message.text async for message in Message.objects.filter(role=Message.USER)]
    answers = {message.text async for message in Message.objects.filter(role=Message.MODEL)}
    await Message.objects.filter(role=Message.MODEL).aupdate(parts=[])
    held: list[bool] = []

    def stored_events(stream: Any) -> Any:
        held.append(connection.in_atomic_block)
        return pages.stored_events(stream)

    monkeypatch.setattr(retention, "stored_events", stored_events)
    assert await pruned(site, recordings=39) == {"recordings": 1}
    assert held == [False]
    kept = [message.text async for message in Message.objects.filter(role=Message.MODEL)]
    assert len(kept) == len(questions) == 2
    assert {*kept} == {*answers, ""}, "the newer recording is still there, and its answer can be read from it"


async def test_an_old_photo_goes_and_its_conversation_stays(site: Core):
    assert await pruned(site, photos=39) == {"photos": 1}
    assert await Conversation.objects.acount() == 2


async def test_a_guest_who_has_said_nothing_for_long_goes_with_all_that_is_left(site: Core):
    long_ago = timezone.now() - timedelta(days=100)
    idle, busy = [
        await User.objects.acreate(username=name, is_guest=True, date_joined=long_ago) for name in ("idle", "busy")
    ]
    await Conversation.objects.acreate(user=idle)
    await Conversation.objects.filter(user=idle).aupdate(updated_at=long_ago)
    await Conversation.objects.acreate(user=busy)
    await User.objects.filter(pk=site.user.pk).aupdate(date_joined=long_ago)
    assert await pruned(site, guests=90) == {"guests": 1}
    names = [user.username async for user in User.objects.exclude(username="(deleted)").order_by("username")]
    assert names == ["ann", "busy"]
    assert await Conversation.objects.acount() == 3


async def test_a_running_answer_keeps_its_conversation(site: Core):
    stream = await site.ask("words=2000 gap=50")
    await Conversation.objects.aupdate(updated_at=timezone.now() - timedelta(days=400))
    assert await pruned(site, conversations=1) == {"conversations": 2}
    assert (await Conversation.objects.aget()).pk == stream.conversation_id
    await site.turns.stop(stream)


async def test_sessions_that_have_ended_go_whatever_the_ages_are(site: Core):
    await Session.objects.acreate(session_key="over", session_data="", expire_date=timezone.now() - timedelta(days=1))
    assert await pruned(site) == {"sessions": 1}


async def test_the_command_does_the_same_by_the_settings(site: Core, settings: Any):
    settings.KEEP_DAYS = {**NOTHING, "conversations": 39, "photos": 1}
    done = json.loads(await sync_to_async(run)("prune", "--json"))
    assert (done["conversations"], done["photos"]) == (1, 0)
    assert await Conversation.objects.acount() == 1
