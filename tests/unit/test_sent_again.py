"""Repeated POSTs join the same stream, by their `request_id`, or without one by the same question."""

from typing import Any
from uuid import UUID

import pytest

from chat.models import Conversation, Message, Stream
from chat.protocol.request import Ask
from chat.views.echat import is_same

CONVERSATION, QUESTION = UUID(int=1), UUID(int=2)
PHOTO = {"inlineData": {"mimeType": "image/jpeg", "data": "AAAA"}}
KEPT = {"attachment": str(UUID(int=3))}


def answered(parts: list[dict[str, Any]], request_id: str | None = None) -> Stream:
    """A stream that answers a question of these parts."""
    question = Message(pk=QUESTION, parts=parts)
    conversation = Conversation(pk=CONVERSATION)
    answer = Message(parent=question)
    return Stream(conversation=conversation, answer=answer, provider="openai", model="script", request_id=request_id)


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ({"contents": [{"text": "Why?"}]}, [{"text": "Why?"}]),
        ({"contents": [{"role": "user", "parts": [{"text": "Why?"}]}]}, [{"text": "Why?"}]),
        ({"contents": [PHOTO, {"text": "What?"}]}, [KEPT, {"text": "What?"}]),
        ({"contents": [KEPT]}, [KEPT]),
        ({"contents": [{"text": "Why?"}], "model": "openai/script"}, [{"text": "Why?"}]),
        ({"contents": [{"text": "Why?"}], "conversation_id": CONVERSATION}, [{"text": "Why?"}]),
        ({"parent_id": QUESTION, "conversation_id": CONVERSATION}, [{"text": "Why?"}]),
    ],
)
def test_without_a_request_id_the_same_question_is_the_same(sent: dict[str, Any], kept: list[dict[str, Any]]):
    assert is_same(Ask(**sent), answered(kept))


@pytest.mark.parametrize(
    "sent",
    [
        {"contents": [{"text": "How?"}]},
        {"contents": [{"text": "Why?"}, {"text": "Tell."}]},
        {"contents": [PHOTO]},
        {"contents": [{"text": "Why?"}], "model": "openai/other"},
        {"contents": [{"text": "Why?"}], "conversation_id": QUESTION},
        {"contents": [{"text": "Why?"}], "request_id": "r"},
        {"parent_id": CONVERSATION, "conversation_id": CONVERSATION},
    ],
)
def test_another_question_is_another(sent: dict[str, Any]):
    assert not is_same(Ask(**sent), answered([{"text": "Why?"}]))


def test_the_request_id_decides_where_there_is_one():
    stream = answered([{"text": "Why?"}], request_id="r")

    assert is_same(Ask(contents=[{"text": "How?"}], request_id="r"), stream)
    assert not is_same(Ask(contents=[{"text": "Why?"}]), stream)
