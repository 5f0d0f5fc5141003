"""What a turn's first transaction stores: plain rows, as the ORM would have stored them."""

import json
from datetime import timedelta
from time import monotonic
from typing import Any

import pytest
from django.db import connection, models
from django.utils import timezone

from chat.models import Conversation, Message, Stream, Ticket, User
from chat.protocol import events
from chat.protocol.errors import InvalidArgument
from chat.protocol.prompt import PromptMessage, path_to
from chat.protocol.request import Ask
from chat.turns.start import Start, Started
from tests.catalogue import providers

WORKER = "host:1:token"
CONTENTS = [
    {"role": "user", "parts": [{"text": "Why  is\nthe sky blue?"}]},
    {"role": "model", "parts": [{"text": "Rayleigh. 🌌"}]},
    {"role": "user", "parts": [{"text": "And at  dusk?"}]},
]


def started(user: User, contents: Any = CONTENTS, **fields: Any) -> Started:
    """Store a question on Django's connection."""
    _, model = providers.find(None)
    return Start(user, Ask(contents=contents, **fields), contents, model, monotonic(), WORKER).store()


def raw(kind: type[models.Model]) -> list[Any]:
    """A model's rows as the database has them; of JSON, which may have spaces, what it says."""
    fields: Any = kind._meta.concrete_fields
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {', '.join(field.column for field in fields)} FROM {kind._meta.db_table} ORDER BY id")
        return [[said(field, value) for field, value in zip(fields, row, strict=True)] for row in cursor.fetchall()]


def said(field: Any, value: Any) -> Any:
    """A JSON column's value without its spaces, any other as it is."""
    return json.loads(value) if isinstance(field, models.JSONField) and isinstance(value, str) else value


@pytest.mark.django_db
@pytest.mark.parametrize("kind", [Conversation, Message, Stream])
def test_a_row_is_what_the_orm_would_store(kind: Any):
    started(User.objects.create(username="ann"), request_id="r", language="en", generation={"seed": 1})
    before = raw(kind)
    for instance in kind.objects.all():
        values = {field.attname: getattr(instance, field.attname) for field in kind._meta.concrete_fields}
        kind.objects.filter(pk=instance.pk).update(**values)

    assert before
    assert raw(kind) == before


@pytest.mark.django_db
def test_a_question_is_stored_with_all_that_belongs_to_it():
    user, began = User.objects.create(username="ann"), timezone.now()
    begun = started(user, request_id="r", language="en")
    stored = Stream.objects.select_related("conversation", "answer").get(pk=begun.stream.pk)

    assert (stored.user_id, stored.status, stored.last_seq) == (user.pk, events.RUNNING, 0)
    assert (stored.request_id, stored.worker) == ("r", WORKER)
    assert stored.model_id == providers.find(None)[1].id
    assert stored.request == {"contents": CONTENTS, "model": stored.model_id, "language": "en"}
    assert stored.conversation.title == "And at dusk?"
    assert not stored.conversation.pinned
    for moment in (stored.created_at, stored.conversation.updated_at, stored.answer.created_at, stored.lease_until):
        assert timedelta(0) <= moment - began < timedelta(seconds=10)
    known = (begun.stream.conversation_id, begun.stream.answer_id, begun.stream.status)
    assert known == (stored.conversation_id, stored.answer_id, events.RUNNING)


@pytest.mark.django_db
def test_a_chat_that_begins_with_a_photo_alone_has_a_title():
    photo = {"inlineData": {"mimeType": "image/jpeg", "data": ""}}
    begun = started(User.objects.create(username="ann"), [{"role": "user", "parts": [photo]}], language="es")
    assert Conversation.objects.get(pk=begun.stream.conversation_id).title == "Foto"


@pytest.mark.django_db
def test_messages_that_are_stored_at_once_keep_their_order():
    begun = started(User.objects.create(username="ann"))
    messages = list(Message.objects.filter(conversation_id=begun.stream.conversation_id).order_by("position"))

    assert [message.parts for message in messages] == [*(content["parts"] for content in CONTENTS), []]
    assert [message.parent_id for message in messages] == [None, *(message.pk for message in messages[:-1])]
    assert [message.position for message in messages] == [0, 1, 2, 3]


@pytest.mark.django_db
@pytest.mark.skipif(connection.vendor != "sqlite", reason="asks SQLite how it would look")
@pytest.mark.parametrize("table", ["chat_conversation", "chat_stream"])
def test_what_a_user_has_is_found_by_an_index(table: str):
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN QUERY PLAN SELECT id FROM {table} WHERE user_id = 1")
        plan = " ".join(str(row[3]) for row in cursor.fetchall())

    assert "INDEX" in plan
    assert "(user_id=?)" in plan


def follow_up(user: User, begun: Started, contents: Any, **fields: Any) -> Started:
    """Store a question in the conversation of an earlier one."""
    return started(user, contents, conversation_id=begun.stream.conversation_id, **fields)


def path_of(begun: Started) -> list[Any]:
    """The ids of the messages from the root of the tree to the question."""
    said = {row[0]: PromptMessage(*row) for row in Message.objects.values_list("pk", "parent_id", "role", "parts")}
    return [message.id for message in path_to(said, begun.stream.question_id)]


@pytest.mark.django_db
def test_a_question_follows_the_newest_message_and_one_with_its_own_history_follows_none():
    user = User.objects.create(username="ann")
    first = started(user)
    second = follow_up(user, first, CONTENTS[:1])
    third = follow_up(user, first, CONTENTS)

    assert path_of(second) == [*path_of(first), first.stream.answer_id, second.stream.question_id]
    assert len(path_of(third)) == len(CONTENTS)


@pytest.mark.django_db
def test_a_question_moves_its_conversation_to_the_top_of_the_list():
    user = User.objects.create(username="ann")
    begun = started(user)
    conversation = Conversation.objects.filter(pk=begun.stream.conversation_id)
    conversation.update(updated_at=timezone.now() - timedelta(days=1))
    follow_up(user, begun, CONTENTS[:1])

    assert timezone.now() - conversation.get().updated_at < timedelta(hours=1)


@pytest.mark.django_db
def test_a_user_s_message_is_answered_again_and_the_model_s_is_not():
    user = User.objects.create(username="ann")
    begun = started(user)
    again = follow_up(user, begun, None, parent_id=begun.stream.question_id)
    with pytest.raises(InvalidArgument, match="Only a user's message"):
        follow_up(user, begun, None, parent_id=begun.stream.answer_id)

    assert again.stream.question_id == begun.stream.question_id
    assert again.stream.answer_id != begun.stream.answer_id


@pytest.mark.django_db
def test_a_ticket_is_bound_to_the_stream_that_its_request_joins():
    user = User.objects.create(username="ann")
    _, model = providers.find(None)
    begun = started(user, request_id="r")
    ticket = Ticket.objects.create(digest="d", user=user, expires_at=timezone.now() + timedelta(seconds=30))
    ask = Ask(contents=CONTENTS, request_id="r")
    joined = Start(user, ask, CONTENTS, model, monotonic(), WORKER, ticket).store()

    assert (joined.fresh, joined.stream.pk) == (False, begun.stream.pk)
    assert Ticket.objects.get(pk="d").stream_id == begun.stream.pk
