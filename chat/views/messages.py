"""Messages as JSON, and feedback on them.

`messages_of` gives the one form of a message, for `GET /v2/conversations/<id>` and for the page, whose
`static/chat/message.js` reads it. `POST /v2/messages/<id>/feedback` stores a rating of an answer, which is part of it.
"""

from collections.abc import Iterable
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from django.db.models import F, Max
from django.http.response import HttpResponseBase

from chat.accounts import tokens
from chat.log.changes import FEEDBACK, tell_of_conversation
from chat.models import Conversation, Event, Feedback, Message, Stream
from chat.protocol import events
from chat.protocol.errors import InvalidArgument, NotFound
from chat.views.api import Request, api, body, json_response


class FeedbackBody(msgspec.Struct, forbid_unknown_fields=True):
    """`value`: 1 for a good answer, -1 for a bad one, 0 to withdraw the rating. `reason` needs a value of 1 or -1."""

    value: Literal[1, -1, 0]
    reason: Annotated[str, msgspec.Meta(max_length=Feedback.LONGEST_REASON)] = ""

    def __post_init__(self) -> None:
        if self.reason and not self.value:
            raise ValueError("a `reason` goes with a `value` of 1 or -1")


@api("POST")
async def feedback(request: Request, message_id: UUID) -> HttpResponseBase:
    """Store the user's rating of an answer, in place of an earlier one. Idempotent."""
    user = await tokens.authenticate(request)
    said = body(request, FeedbackBody)
    kept = await request.process.log.write(lambda: _rated(user.pk, message_id, said))
    request.process.log.feeds.changed(user.pk)
    return json_response(kept)


def _rated(user_id: int, message_id: UUID, said: FeedbackBody) -> dict[str, Any]:
    own = Message.objects.filter(conversation__user_id=user_id, pk=message_id)
    message = own.select_for_update(of=("self",)).first()  # locked against a concurrent deletion
    if message is None:
        raise NotFound("There is no such message.")
    if message.role != Message.MODEL:
        raise InvalidArgument("Only an answer can be rated, and this message is a question.")
    kept = Feedback.give(message, said.value, said.reason.strip())
    told = {"message": str(message.pk), "value": said.value}
    tell_of_conversation(message.conversation_id, FEEDBACK, told)
    return {"id": message.pk, "feedback": kept.as_json() if kept else None}


def messages_of(conversation: Conversation) -> list[dict[str, Any]]:
    """All messages of a conversation, oldest first, each answer with its stream. A running answer has no parts yet."""
    rows = list(Message.objects.whole().filter(conversation=conversation).order_by("position"))
    reasons = _reasons(conversation)
    thoughts = _thoughts(row.stream.pk for row in rows if hasattr(row, "stream") and _thinks(row))
    return [_message(row, reasons.get(row.pk), thoughts) for row in rows]


def _message(row: Message, reason: str | None, thoughts: dict[UUID, int]) -> dict[str, Any]:
    stream: Stream | None = getattr(row, "stream", None)
    return {
        "id": row.pk,
        "parent_id": row.parent_id,
        "role": row.role,
        "parts": row.parts,
        "text": row.text,
        "created_at": row.created_at,
        "stream": _stream(stream, reason, thoughts.get(stream.pk)) if stream else None,
        "feedback": row.feedback.as_json() if hasattr(row, "feedback") else None,
    }


def _stream(stream: Stream, reason: str | None, thought_us: int | None) -> dict[str, Any]:
    """The stream of an answer. `reason` is the finishReason of a complete one; times are in ms since its beginning."""
    lasted = stream.ended_at - stream.created_at if stream.ended_at else None
    return {
        "id": stream.pk,
        "status": stream.status,
        "model": stream.model_id,
        "last_seq": stream.last_seq,
        "error": stream.error,
        "reason": reason,
        "usage": stream.usage,
        "first_token_ms": _ms(stream.first_token_us),
        "thought_ms": _ms(thought_us),
        "duration_ms": round(lasted.total_seconds() * 1000) if lasted else None,
    }


def _ms(us: int | None) -> int | None:
    return None if us is None else us // 1000


def _thinks(row: Message) -> bool:
    return any(part.get("thought") for part in row.parts)


def _reasons(conversation: Conversation) -> dict[UUID, str | None]:
    """The finishReason of each complete answer, from the last event of its stream."""
    ended = Event.objects.filter(stream__conversation=conversation, seq=F("stream__last_seq"))
    last = dict(ended.filter(stream__status=events.COMPLETE).values_list("stream__answer", "data"))
    return {answer: events.finish_reason(events.decode(data)) for answer, data in last.items()}


def _thoughts(streams: Iterable[UUID]) -> dict[UUID, int]:
    """The time of the last thought of each of these streams, in µs since its beginning."""
    thought = Event.objects.filter(stream__in=list(streams), data__contains='"thought"').order_by()
    return dict(thought.values_list("stream").annotate(Max("at")))
