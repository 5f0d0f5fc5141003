"""All that one has as a ZIP file, made while it is sent: a conversation, a photo or a sound at a time is in memory."""

import zipfile
from collections.abc import AsyncIterator, Iterator
from functools import partial
from typing import Any
from uuid import UUID

import msgspec

from chat.attachments import name_of
from chat.log.sql import in_thread
from chat.models import ApiKey, Attachment, Conversation, DailyUse, ModelUse, PushSubscription, User
from chat.views.messages import messages_of

README = """account.json            the account, its API keys (without the keys), the browsers that are told of
                        answers, what was used of each day and model
conversations/<id>.json a conversation with all its messages, each answer with its stream, and what waits to be sent
photos/<id>.jpg         the photos that messages name as `attachment`
sounds/<id>.<type>      the sounds, which messages name so with their `mimeType`
"""


class Sent:
    """What the archive has written and nobody has taken yet."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def write(self, piece: bytes, /) -> int:
        """As of a file."""
        self._pieces.append(bytes(piece))
        return len(piece)

    def flush(self) -> None:
        """As of a file."""

    def close(self) -> None:
        """As of a file."""

    def take(self) -> bytes:
        """All of it, once."""
        found, self._pieces = b"".join(self._pieces), []
        return found


async def zipped(user_id: int) -> AsyncIterator[bytes]:
    """The archive's bytes."""
    sent = Sent()
    with zipfile.ZipFile(sent, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("README.txt", README)
        for name, read in await in_thread(partial(entries, user_id)):
            archive.writestr(name, await in_thread(read), None if name.endswith(".json") else zipfile.ZIP_STORED)
            yield sent.take()
    yield sent.take()


def entries(user_id: int) -> list[tuple[str, "partial[bytes]"]]:
    """The archive's files, each with what reads it."""
    talks = Conversation.objects.for_user(user_id).values_list("pk", flat=True)
    media = Attachment.objects.for_user(user_id).values_list("pk", "mime_type")
    found = [("account.json", partial(account, user_id))]
    found += [(f"conversations/{pk}.json", partial(conversation, user_id, pk)) for pk in talks]
    return found + [(name_of(pk, mime), partial(attachment, user_id, pk)) for pk, mime in media]


def account(user_id: int) -> bytes:
    """Who one is."""
    user = User.objects.get(pk=user_id)
    days = list(DailyUse.objects.filter(user=user).values("day", "questions", "tokens"))
    models = list(ModelUse.objects.filter(user=user).values("day", "model", "answers", "tokens_in", "tokens_out"))
    keys = [key.as_json() for key in ApiKey.objects.for_user(user_id)]
    browsers = list(PushSubscription.objects.for_user(user_id).values("endpoint", "created_at", "expires_at"))
    kept = {"id": user.pk, "name": user.get_username(), "email": user.email, "guest": user.is_guest}
    return written(
        {**kept, "created_at": user.date_joined, "keys": keys, "push": browsers, "days": days, "models": models}
    )


def conversation(user_id: int, pk: UUID) -> bytes:
    """A conversation; empty where it was deleted meanwhile."""
    found = Conversation.objects.for_user(user_id).filter(pk=pk).first()
    if found is None:
        return b""
    queued = list(found.queued.values("id", "request", "created_at"))
    return written({**dict(fields(found)), "messages": messages_of(found), "queued": queued})


def fields(found: Conversation) -> Iterator[tuple[str, Any]]:
    """A conversation's own columns."""
    for name in ("id", "title", "pinned", "system", "created_at", "updated_at"):
        yield name, getattr(found, name)


def attachment(user_id: int, pk: UUID) -> bytes:
    """A photo or a sound; empty where it was deleted meanwhile."""
    found = Attachment.objects.for_user(user_id).filter(pk=pk).first()
    return b"" if found is None else bytes(found.data)


def written(value: Any) -> bytes:
    """JSON that a person can read."""
    return msgspec.json.format(msgspec.json.encode(value))
