"""Full-text search in a user's own conversations: results, access, freshness and index."""

import json
from collections.abc import Iterator
from importlib import import_module
from typing import Any
from uuid import UUID

import pytest
from asgiref.sync import sync_to_async
from django.db import connection
from django.test import Client
from django.utils import timezone

from chat import search
from chat.accounts import tokens
from chat.models import Conversation, Message, SearchText, Stream, User
from chat.protocol import events

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def ada() -> User:
    """Who searches."""
    return User.objects.create_user("ada")


def talk(user: User, title: str, *said: str) -> Conversation:
    """A conversation: a question, its answer, a question…"""
    found = Conversation.objects.create(user=user, title=title)
    parent = None
    for place, text in enumerate(said):
        role = Message.MODEL if place % 2 else Message.USER
        parent = Message.objects.create(
            conversation=found, parent=parent, role=role, parts=[{"text": text}], position=place
        )
    return found


def call(user: User, query: str, method: str = "GET", path: str = "/v2/conversations", **body: Any) -> Any:
    given: dict[str, Any] = {"data": json.dumps(body), "content_type": "application/json"} if body else {}
    headers = {"Authorization": f"Bearer {tokens.access_for(user)}"}
    return Client().generic(method, path, headers=headers, QUERY_STRING=query, **given)


def found(user: User, query: str) -> list[str]:
    """The titles of what is found, in the list's order."""
    headers = {"Authorization": f"Bearer {tokens.access_for(user)}"}
    answer = Client().get("/v2/conversations", {"q": query}, headers=headers)
    assert answer.status_code == 200, answer.content
    assert answer.json()["partial"] is False
    return [row["title"] for row in answer.json()["conversations"]]


@pytest.fixture
def no_trigrams() -> Iterator[None]:
    """As in a database that has no index of trigrams."""
    with connection.cursor() as cursor:
        for name in ("added", "gone", "changed"):
            cursor.execute(f"DROP TRIGGER {search.TRIGRAMS}_{name}")
        cursor.execute(f"DROP TABLE {search.TRIGRAMS}")
    yield
    SearchText.objects.all().delete()
    with connection.cursor() as cursor:
        for statement in import_module("chat.migrations.0016_search_text").FTS5:
            cursor.execute(statement)


TEXTS = {
    "Sky": ("Why is the sky BLUE?", "Because of Rayleigh scattering."),
    "Straße": ("Wo ist die Straße?", "Neben dem Café."),
    "天气": ("今天天气怎么样", "晴天"),
    "Quotes": ('He said "never again" and 100%_sure.', "a\\b"),
}
FOUND = {
    "blue": ["Sky"],
    "RAYLEIGH": ["Sky"],
    "ayleig": ["Sky"],
    "sky scattering": ["Sky"],
    "sky cafe": [],
    '"is the sky"': ["Sky"],
    '"sky the"': [],
    "strasse": ["Straße"],
    "cafe": ["Straße"],
    "天气": ["天气"],
    "晴": ["天气"],
    "今天天气怎": ["天气"],
    "100%_s": ["Quotes"],
    "0%_sx": [],
    "%": ["Quotes"],
    "_": ["Quotes"],
    "\\": ["Quotes"],
    'again"': ["Quotes"],
    "text": [],
    "AND": ["Quotes"],
    "again OR": [],
    "NEAR(sky blue)": [],
    "sky*": [],
    "-": [],
}


def test_every_word_is_found_wherever_it_stands(ada: User) -> None:
    for title, said in TEXTS.items():
        talk(ada, title, *said)
    assert {query: found(ada, query) for query in FOUND} == FOUND
    statement = str(search.found(ada.pk, "lighthouse").query)
    assert "MATCH" in statement
    assert "JOIN" not in statement, "SQLite would look up each of the asker's chats under each row that was found"


def test_without_an_index_the_same_is_found(ada: User, no_trigrams: None) -> None:
    for title, said in TEXTS.items():
        talk(ada, title, *said)
    assert {query: found(ada, query) for query in FOUND} == FOUND
    assert "MATCH" not in str(search.found(ada.pk, "lighthouse").query)


def test_titles_are_searched_as_they_are_now(ada: User) -> None:
    sky = talk(ada, "Sky", "Why?")
    assert found(ada, "sky") == ["Sky"]
    call(ada, "", "PATCH", f"/v2/conversations/{sky.pk}", title="Heaven")
    assert (found(ada, "sky"), found(ada, "heaven")) == ([], ["Heaven"])


def test_what_is_said_later_is_found_and_an_answer_under_way_once_it_has_ended(ada: User) -> None:
    sky = talk(ada, "Sky", "Why?")
    assert found(ada, "rayleigh") == []
    answer = Message.objects.create(conversation=sky, role=Message.MODEL, position=1)
    stream = Stream.objects.create(user=ada, conversation=sky, answer=answer, created_at=timezone.now())
    sky.save(update_fields=("updated_at",))
    assert found(ada, "rayleigh") == []
    Message.objects.filter(pk=answer.pk).update(parts=[{"text": "hm", "thought": True}, {"text": "Rayleigh."}])
    Stream.objects.filter(pk=stream.pk).update(status=events.COMPLETE)
    assert (found(ada, "rayleigh"), found(ada, "hm")) == (["Sky"], [])


def test_nobody_finds_another_s(ada: User) -> None:
    eve = User.objects.create_user("eve")
    talk(ada, "Secret", "the password is swordfish")
    assert found(ada, "swordfish") == ["Secret"]
    assert found(eve, "swordfish") == []


def test_what_is_deleted_is_in_no_index(ada: User) -> None:
    sky = talk(ada, "Sky", "swordfish")
    assert found(ada, "swordfish") == ["Sky"]
    call(ada, "", "DELETE", f"/v2/conversations/{sky.pk}")
    assert not SearchText.objects.exists()
    with connection.cursor() as cursor:
        cursor.execute(search.HAS_WORD, ['"swordfish"'])
        assert cursor.fetchall() == []


def test_what_was_said_around_the_word_comes_with_the_conversation(ada: User) -> None:
    long = "before " * 40 + "the Lighthouse of Alexandria " + "after " * 40
    talk(ada, "Old", "What?", long)
    row = call(ada, "q=lighthouse").json()["conversations"][0]
    assert row["excerpt"].startswith("…")
    assert "the Lighthouse of Alexandria" in row["excerpt"]
    assert len(row["excerpt"]) < 200
    assert call(ada, "q=old").json()["conversations"][0]["excerpt"] == ""  # in the title alone


def test_results_go_on_by_cursor_and_nothing_is_read_twice(ada: User) -> None:
    for number in range(25):
        talk(ada, f"Lamp {number}", "light")
    seen: list[str] = []
    cursor = ""
    while True:
        answer = call(ada, f"q=light&limit=10&cursor={cursor}").json()
        seen += [row["title"] for row in answer["conversations"]]
        if not (cursor := answer["next"]):
            break
    assert sorted(seen) == sorted(f"Lamp {number}" for number in range(25))


async def test_a_search_reads_for_a_while_and_the_next_one_goes_on(ada: User) -> None:
    for number in range(search.BATCH * 2 + 1):
        await sync_to_async(talk)(ada, f"Lamp {number}", "light")

    async def write(job: Any) -> Any:
        return await sync_to_async(job)()

    rounds = [await search.catch_up(ada.pk, write, seconds=0) for _ in range(3)]
    assert rounds == [False, False, True]
    assert await SearchText.objects.acount() == search.BATCH * 2 + 1


def test_a_conversation_that_goes_while_it_is_read_is_not_stored(ada: User) -> None:
    sky = talk(ada, "Sky", "Why?")
    read = search._read(ada.pk)
    Conversation.objects.filter(pk=sky.pk).update(user=User.objects.create_user("(deleted)"))
    search._store(ada.pk, [*read, search.ConversationText(UUID(int=7), timezone.now(), "never was")])
    assert not SearchText.objects.exists()
