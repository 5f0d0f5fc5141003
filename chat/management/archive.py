"""Exports a stored stream as the header of a recording, and imports a recording as a stored stream.

    Stream, its question and its conversation's title ──describe──> header ──restore──> the same rows, of any user

The user is not exported. Photos and sounds are only in zip files; in others the question keeps a reference, which is
restored only if the new owner has that attachment.
"""

import io
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from PIL import Image

from chat.attachments import name_of, sound
from chat.log import fence, sql
from chat.management import arguments
from chat.models import Attachment, Conversation, Message, Stream, User
from chat.protocol import events, ids, timing
from chat.protocol.answer import Answer
from chat.protocol.errors import ApiError
from chat.protocol.prompt import is_sound
from chat.protocol.recording import Recording

AT_ONCE = 5_000
"""Events that are inserted between two reports of progress."""

LOST_PHOTO = {"text": "[a photo that did not come with the recording]"}
LOST_SOUND = {"text": "[a sound that did not come with the recording]"}


class RecordingRefused(Exception):
    """A recording cannot be stored; the message says why."""


def describe(stream: Stream) -> dict[str, Any]:
    """Return the header's `stream` object for an ended stream, in JSON types."""
    question = stream.answer.parent
    return {
        "id": str(stream.pk),
        "title": stream.conversation.title,
        "provider": stream.provider,
        "model": stream.model,
        "status": stream.status,
        "created_at": stream.created_at.isoformat(),
        "ended_at": stream.ended_at.isoformat() if stream.ended_at else None,
        "first_token_us": stream.first_token_us,
        "question": question.parts if question else [],
        "request": stream.request,
        "error": stream.error,
        "usage": stream.usage,
        "last_seq": stream.last_seq,
    }


def media(stream: Stream) -> Iterator[tuple[str, bytes]]:
    """Yield the stored photos and sounds of the stream's question: (path in the archive, bytes)."""
    parts = stream.answer.parent.parts if stream.answer.parent else []
    ids = {pk for part in parts if (pk := arguments.stream_id(str(part.get("attachment"))))}
    for kept in Attachment.objects.filter(pk__in=ids).order_by("pk"):
        yield name_of(kept.pk, kept.mime_type), bytes(kept.data)


def restore(
    recording: Recording,
    owner: User,
    stored: Callable[[int], None] = lambda count: None,
    media: Mapping[str, bytes] = MappingProxyType({}),
) -> Stream:
    """Store a recording as a new ended stream of `owner`, in a new conversation. Raises RecordingRefused.

    It is one transaction. `stored` is called with the number of inserted events, after each `AT_ONCE`. `media` has the
    photos and sounds of the recording, by their ids.
    """
    if recording.error:
        raise RecordingRefused(f"Nothing was imported. {recording.error}")
    if not recording.events:
        raise RecordingRefused("Nothing was imported: the recording holds no events.")
    header = recording.header
    pk = arguments.stream_id(str(header.get("id"))) or ids.new()
    with transaction.atomic():
        if Stream.objects.filter(pk=pk).exists():
            raise RecordingRefused(
                f"Nothing was imported: there is a stream {pk} already, and none is ever overwritten."
            )
        conversation = Conversation.objects.create(user=owner, title=_text(header, "title", 200, "A recording"))
        _keep(media, conversation)
        stream = _stream(pk, recording, conversation, _answer(recording, conversation))
        status, stream.status = stream.status, events.RUNNING  # only running streams accept events
        stream.save(force_insert=True)
        for start in range(0, len(recording.events), AT_ONCE):
            some = recording.events[start : start + AT_ONCE]
            fence.insert_events(sql.django_execute, [(sql.key_of(pk), *event, stream.epoch) for event in some])
            stored(len(some))
        stream.status = status
        stream.save(update_fields=["status"])
    return stream


def _keep(media: Mapping[str, bytes], conversation: Conversation) -> None:
    """Store the photos and sounds whose ids are not used yet, unchanged; others than JPEG photos and cleaned sounds are
    dropped."""
    for name, data in media.items():
        pk = arguments.stream_id(name)
        if pk is None or Attachment.objects.filter(pk=pk).exists():
            continue
        if facts := _photo_facts(data) if sound.kind_of(data) is None else _sound_facts(data):
            Attachment.objects.create(pk=pk, user=conversation.user, conversation=conversation, data=data, **facts)


def _photo_facts(data: bytes) -> dict[str, Any]:
    try:
        with Image.open(io.BytesIO(data), formats=["JPEG"]) as picture:
            width, height = picture.size
            picture.verify()
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        return {}
    return {"mime_type": "image/jpeg", "width": width, "height": height}


def _sound_facts(data: bytes) -> dict[str, Any]:
    try:
        track = sound.cleaned(data, settings.LIMITS["SOUND_SECONDS"])
    except ApiError:
        return {}
    return (
        {"mime_type": track.mime_type, "seconds": track.seconds, "width": 0, "height": 0} if track.data == data else {}
    )


def _answer(recording: Recording, conversation: Conversation) -> Message:
    parts = recording.header.get("question")
    asked = parts if isinstance(parts, list) else []
    kept = [_part(part, conversation.user_id) for part in asked if isinstance(part, dict)]
    question = Message.objects.create(conversation=conversation, role=Message.USER, parts=kept)
    answer = Answer.of(recording.events).finished()
    return Message.objects.create(
        conversation=conversation, parent=question, role=Message.MODEL, parts=answer, position=1
    )


def _part(part: dict[str, Any], owner_id: int) -> dict[str, Any]:
    if "attachment" not in part:
        return part
    pk = arguments.stream_id(str(part["attachment"]))
    if pk and Attachment.objects.filter(pk=pk, user_id=owner_id).exists():
        return part
    return LOST_SOUND if is_sound(part) else LOST_PHOTO


def _stream(pk: UUID, recording: Recording, conversation: Conversation, answer: Message) -> Stream:
    header, last = recording.header, recording.events[-1]
    response = events.decode(last.data)
    created = _moment(header.get("created_at")) or timezone.now()
    first_token = header.get("first_token_us", timing.of_events(recording.events).first_token_us)
    return Stream(
        pk=pk,
        user=conversation.user,
        conversation=conversation,
        answer=answer,
        provider=_text(header, "provider", 40, "recording"),
        model=_text(header, "model", 120, "unknown"),
        request=_object(header.get("request")) or {},
        status=_status(header.get("status"), response),
        error=_object(header.get("error", response.get("error"))),
        usage=_object(header.get("usage", response.get("usageMetadata"))),
        created_at=created,
        ended_at=_moment(header.get("ended_at")) or created + timedelta(microseconds=last.at),
        first_token_us=first_token if isinstance(first_token, int) else None,
        last_seq=last.seq,
    )


def _status(named: object, last: events.Response) -> str:
    """Return the status in the header if it is a final one, else that of the last event; without an end it is
    interrupted."""
    said = _object(last.get("wondercam")) or {}
    end = said.get("end") or (events.FAILED if "error" in last else None)
    end = end or (events.COMPLETE if events.finish_reason(last) else events.INTERRUPTED)
    return str(next(status for status in (named, end, events.INTERRUPTED) if status in events.ENDS))


def _object(value: object) -> dict[str, Any] | None:
    return value if isinstance(value, dict) else None


def _text(header: dict[str, Any], name: str, length: int, absent: str) -> str:
    value = header.get(name)
    return value[:length] if isinstance(value, str) else absent


def _moment(value: object) -> datetime | None:
    try:
        found = parse_datetime(value) if isinstance(value, str) else None
    except ValueError:
        return None
    return found.replace(tzinfo=UTC) if found and found.tzinfo is None else found
