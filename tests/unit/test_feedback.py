"""Ratings: which answers can be rated, what is stored, and where it is shown."""

import json
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from chat.accounts import keys, tokens
from chat.models import Conversation, Feedback, Message, User

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def ada() -> User:
    """Who reads the answer."""
    return User.objects.create_user("ada")


@pytest.fixture
def answer(ada: User) -> Message:
    """An answer of Ada's."""
    talk = Conversation.objects.create(user=ada, title="Sky")
    question = Message.objects.create(conversation=talk, role=Message.USER, parts=[{"text": "Why?"}])
    return Message.objects.create(conversation=talk, parent=question, role=Message.MODEL, position=1)


def call(method: str, path: str, credential: str, body: Any = None) -> Any:
    given: dict[str, Any] = {} if body is None else {"data": json.dumps(body), "content_type": "application/json"}
    return Client().generic(method, path, headers={"Authorization": f"Bearer {credential}"}, **given)


def rate(user: User, message: Any, **body: Any) -> Any:
    return call("POST", f"/v2/messages/{message}/feedback", tokens.access_for(user), body)


def shown(user: User, message: Message) -> Any:
    """The opinion as the transcript has it."""
    path = f"/v2/conversations/{message.conversation_id}"
    return call("GET", path, tokens.access_for(user)).json()["messages"][-1]["feedback"]


def test_a_thumb_is_kept_with_its_reason_and_stands_in_the_transcript(ada, answer):
    assert shown(ada, answer) is None
    kept = rate(ada, answer.pk, value=-1, reason=" It is wrong. ")
    assert kept.status_code == 200
    assert kept.json() == {"id": str(answer.pk), "feedback": {"value": -1, "reason": "It is wrong."}}
    assert shown(ada, answer) == {"value": -1, "reason": "It is wrong."}


def test_the_newest_opinion_takes_the_place_of_the_one_before(ada, answer):
    rate(ada, answer.pk, value=-1, reason="wrong")
    rate(ada, answer.pk, value=1)
    rate(ada, answer.pk, value=1)
    assert shown(ada, answer) == {"value": 1, "reason": ""}
    assert Feedback.objects.count() == 1


def test_zero_withdraws_what_was_said_and_may_come_twice(ada, answer):
    rate(ada, answer.pk, value=1)
    for _ in range(2):
        assert rate(ada, answer.pk, value=0).json()["feedback"] is None
    assert shown(ada, answer) is None
    assert not Feedback.objects.exists()


def test_another_s_answer_is_as_unknown_as_one_that_never_was(ada, answer):
    eve = User.objects.create_user("eve")
    foreign, unknown = rate(eve, answer.pk, value=1), rate(ada, uuid4(), value=1)
    assert foreign.status_code == unknown.status_code == 404
    assert foreign.json() == unknown.json()
    assert not Feedback.objects.exists()


def test_a_question_cannot_be_rated(ada, answer):
    refused = rate(ada, answer.parent_id, value=1)
    assert refused.status_code == 400
    assert "question" in refused.json()["error"]["message"]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"value": 2},
        {"value": True},
        {"value": "1"},
        {"value": None},
        {"value": 1.5},
        {"value": 1, "reason": "x" * 1001},
        {"value": 1, "reason": None},
        {"value": 1, "reason": "a\0b"},
        {"value": 0, "reason": "x"},
        {"value": 1, "reasons": ""},
    ],
    ids=str,
)
def test_what_is_no_opinion_is_refused_and_leaves_the_one_before(ada, answer, body):
    rate(ada, answer.pk, value=1, reason="good")
    assert rate(ada, answer.pk, **body).status_code == 400
    assert shown(ada, answer) == {"value": 1, "reason": "good"}


def test_a_reason_may_have_a_thousand_characters_of_any_script(ada, answer):
    reason = "天" * 1000
    assert rate(ada, answer.pk, value=1, reason=reason).json()["feedback"]["reason"] == reason


def test_a_key_that_may_only_read_rates_nothing(ada, answer):
    _, key = keys.give(ada, "laptop", ["read"], None)
    assert call("POST", f"/v2/messages/{answer.pk}/feedback", key, {"value": 1}).status_code == 403


def test_an_opinion_goes_with_its_conversation(ada, answer):
    rate(ada, answer.pk, value=1)
    assert call("DELETE", f"/v2/conversations/{answer.conversation_id}", tokens.access_for(ada)).status_code == 204
    assert not Feedback.objects.exists()


@pytest.mark.parametrize(("kind", "found"), [("up", 0), ("down", 1), ("reason", 1), ("sideways", 0)])
def test_the_review_narrows_its_conversations_by_what_their_readers_thought(ada, answer, kind, found):
    rate(ada, answer.pk, value=-1, reason="wrong")
    Conversation.objects.create(user=ada, title="Another")
    chief = Client()
    chief.force_login(User.objects.create_superuser("chief"))
    listed = chief.get("/admin/chat/conversation/", {"feedback": kind}).context["cl"].queryset
    assert [row.title for row in listed] == ["Sky"] * found
    page = chief.get(f"/admin/chat/conversation/{answer.conversation_id}/change/").content.decode()
    assert "thumbs down: wrong" in page
