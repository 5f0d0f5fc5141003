"""A message as the page and the API give it: one shape, from the database to the browser.

`GET /v2/conversations/<id>` answers with it, and the page is rendered with it; `static/chat/message.js` reads it.
"""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.db.models import F, Max

from chat.models import Conversation, Event, Message, Stream
from chat.protocol import events


def messages_of(conversation: Conversation) -> list[dict[str, Any]]:
    """All messages of the tree, oldest first, each answer with its stream. A running answer has no parts yet."""
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
    }


def _stream(stream: Stream, reason: str | None, thought_us: int | None) -> dict[str, Any]:
    """An answer's turn. `reason` is Gemini's finishReason of a complete one; times in ms since it began."""
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
    """Why each complete answer ended, by the last event of its stream."""
    ended = Event.objects.filter(stream__conversation=conversation, seq=F("stream__last_seq"))
    last = dict(ended.filter(stream__status=events.COMPLETE).values_list("stream__answer", "data"))
    return {answer: events.finish_reason(events.decode(data)) for answer, data in last.items()}


def _thoughts(streams: Iterable[UUID]) -> dict[UUID, int]:
    """When the last thought of each of these streams came, in µs since it began."""
    thought = Event.objects.filter(stream__in=list(streams), data__contains='"thought"').order_by()
    return dict(thought.values_list("stream").annotate(Max("at")))
