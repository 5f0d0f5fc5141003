"""Titles by the model: once, bounded, and never instead of a user's own title."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from asgiref.sync import sync_to_async

from chat.log.changes import RENAMED
from chat.models import Change, Conversation, DailyUse, ModelUse, Stream
from chat.protocol import events
from chat.providers.catalogue import Catalogue
from chat.turns.first_title import first_title
from chat.turns.titles import title_in, untitled_of
from chat.views import conversations
from tests.catalogue import providers
from tests.faults.arena import environment, until
from tests.faults.upstream import Script
from tests.inside import Core

TITLES = Path(__file__).parent.parent / "titles.json"
"""Questions with their first titles, also for the page, which gives the same ones (tests/js/titles.test.js)."""
SAID = title_in(Script(words=3).text)
"""What the scripted model says to a question that holds the words of the first one."""


@pytest_asyncio.fixture
async def titling(core: Core) -> AsyncIterator[Core]:
    providers.configure(environment(core.model.url, WONDERCAM_TITLES="openai"))
    yield core
    await core.turns.titles.settled()


async def titled(core: Core, question: str = "words=3", **fields: Any) -> Conversation:
    """The chat of a question, once nothing more becomes of its title."""
    stream = await core.ask(question, **fields)
    await over(core, stream)
    return await Conversation.objects.aget(pk=stream.conversation_id)


async def over(core: Core, stream: Stream) -> None:
    """The answer has ended, and so has what becomes of the title."""
    await until(lambda: stream.pk not in core.turns.running(), "the turn ended")
    await core.turns.titles.settled()


async def test_a_chat_is_called_what_the_model_says_and_its_feed_tells(titling: Core) -> None:
    chat = await titled(titling)
    assert chat.title == SAID != "words=3"
    renamed = await Change.objects.aget(kind=RENAMED)
    assert events.decode(renamed.data) == {"title": SAID}
    assert len(titling.model.asked) == 2
    asked = titling.model.asked[1].json()
    assert asked["max_tokens"] <= 256
    assert "words=3" in asked["messages"][-1]["content"]


async def test_only_the_first_answer_gives_one(titling: Core) -> None:
    chat = await titled(titling)
    await Conversation.objects.aupdate(title="words=4")
    await titled(titling, "words=4", conversation_id=chat.pk)
    assert len(titling.model.asked) == 3


async def test_a_title_that_a_person_gave_meanwhile_stays(titling: Core) -> None:
    stream = await titling.ask("words=3 hold=1")
    await Conversation.objects.aupdate(title="My own")
    titling.model.let(2)
    await over(titling, stream)
    assert (await Conversation.objects.aget()).title == "My own"


async def test_one_that_a_person_gives_while_the_model_is_asked_stays(titling: Core) -> None:
    titling.model.let(1)  # of the first answer; the title's word is held
    stream = await titling.ask("words=1 hold=0")
    await titling.ended(stream)
    await until(lambda: len(titling.model.asked) == 2, "a title is asked for")
    await Conversation.objects.aupdate(title="My own")
    titling.model.let(1)
    await titling.turns.titles.settled()
    assert (await Conversation.objects.aget()).title == "My own"


async def test_a_title_that_came_meanwhile_is_not_undone_by_a_pin(core: Core) -> None:
    chat = await Conversation.objects.acreate(user=core.user, title="words=3")
    await Conversation.objects.aupdate(title=SAID, system="Be brief.")
    await conversations._changed(core.log, core.user.pk, chat, conversations.ConversationChange(pinned=True))
    kept = await Conversation.objects.aget()
    assert (kept.title, kept.system, kept.pinned) == (SAID, "Be brief.", True)


async def test_what_it_used_is_spent_and_is_no_answer(titling: Core, settings: Any) -> None:
    settings.LIMITS_OFF = False
    await titled(titling)
    used = await ModelUse.objects.aget()
    assert (used.answers, used.estimated) == (1, 0)
    assert used.tokens_in + used.tokens_out == 2 * 8
    assert (await DailyUse.objects.aget()).tokens == 2 * 8


async def test_whoever_has_used_up_the_day_keeps_the_first_words(titling: Core, settings: Any) -> None:
    settings.LIMITS_OFF = False
    settings.LIMITS = {**settings.LIMITS, "DAY_TOKENS": 8}
    assert (await titled(titling)).title == "words=3"
    assert len(titling.model.asked) == 1


@pytest.mark.parametrize("question", ["words=3 then=cut", "words=3 then=500"])
async def test_an_answer_that_failed_gives_none(titling: Core, question: str) -> None:
    assert (await titled(titling, question)).title == question


async def test_a_request_through_a_door_gives_none(titling: Core) -> None:
    await titled(titling)
    stream = await Stream.objects.aget()
    await Conversation.objects.aupdate(title="words=3")
    assert await sync_to_async(untitled_of)(stream.pk) is not None
    await Stream.objects.aupdate(request={"door": True})
    assert await sync_to_async(untitled_of)(stream.pk) is None


async def test_a_model_that_is_not_named_is_not_asked(core: Core) -> None:
    assert (await titled(core)).title == "words=3"
    assert len(core.model.asked) == 1


@pytest.mark.parametrize(
    ("given", "asked"),
    [
        ({}, {"ollama", "lmstudio", "llamacpp"}),
        ({"WONDERCAM_TITLES": "off"}, set()),
        ({"WONDERCAM_TITLES": "all"}, {"vertex", "gemini", "openai", "ollama", "lmstudio", "llamacpp"}),
        ({"WONDERCAM_TITLES": "gemini, local"}, {"gemini"}),
    ],
)
def test_the_operator_says_whose_models_are_asked(given: dict[str, str], asked: set[str]) -> None:
    assert Catalogue(given, ())._titled == asked


def test_a_wrong_name_is_named() -> None:
    with pytest.raises(ValueError, match="WONDERCAM_TITLES holds 'gemini2'"):
        Catalogue({"WONDERCAM_TITLES": "gemini2"}, ())


@pytest.mark.parametrize(
    ("said", "title"),
    [
        ("Why the Sky Is Blue", "Why the Sky Is Blue"),
        ('"Why the Sky Is Blue."\n', "Why the Sky Is Blue"),
        ("**Title: Baking Bread**", "Baking Bread"),
        ("# Baking   Bread\n\nHere is why …", "Baking Bread"),
        ("「空はなぜ青いか」", "空はなぜ青いか"),
        ("Titre : Le pain", "Le pain"),
        ("a\u202eb\x07c", "a b c"),
        ("The sky is blue because of the way that light is scattered by air.", ""),
        ("", ""),
        ("\n \n", ""),
        ('""', ""),
    ],
)
def test_the_title_is_found_in_what_a_model_says(said: str, title: str) -> None:
    assert title_in(said) == title


@pytest.mark.parametrize(
    ("language", "title"),
    [(None, "Photo"), ("en-GB", "Photo"), ("es", "Foto"), ("ja-JP", "写真"), ("zh-CN", "照片"), ("tlh", "Photo")],
)
def test_a_chat_that_begins_with_a_photo_alone_is_called_so_in_the_reader_s_language(
    language: str | None, title: str
) -> None:
    photo = {"attachment": "0b9c1b3e-1f5a-4a51-9d28-5a5c8f3a1c11"}
    assert first_title({"role": "user", "parts": [photo]}, language) == title
    assert first_title({"role": "user", "parts": [photo, {"text": "What  is\nthis?"}]}, language) == "What is this?"


@pytest.mark.parametrize("row", json.loads(TITLES.read_text())["titles"])
def test_a_long_question_gives_a_title_of_whole_words_and_characters(row: dict[str, str]) -> None:
    assert first_title({"role": "user", "parts": [{"text": row["question"]}]}, None) == row["title"]
    assert len(row["title"]) <= 80


def test_one_that_begins_with_a_sound_alone_is_called_a_spoken_question() -> None:
    sound = {"inlineData": {"mimeType": "audio/wav", "data": ""}}
    assert first_title({"role": "user", "parts": [{"attachment": "a"}, sound]}, "fr") == "Question posée à voix haute"
