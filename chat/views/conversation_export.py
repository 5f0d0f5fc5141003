"""One conversation as a file: `GET /v2/conversations/<id>/export?format=md|json|zip`.

md ──── the newest path, for reading: a heading for each message, and its text unchanged
json ── all messages, as in `GET /v2/conversations/<id>`
zip ─── both, with the photos and sounds
"""

import zipfile
from collections.abc import AsyncIterator, Callable, Iterator
from functools import partial
from typing import Any
from urllib.parse import quote
from uuid import UUID

from asgiref.sync import sync_to_async
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase

from chat.accounts import tokens
from chat.attachments import name_of
from chat.log.sql import in_thread
from chat.models import Conversation, Message
from chat.protocol.errors import InvalidArgument
from chat.protocol.prompt import PromptMessage, is_sound, newest_leaf, path_to, type_of
from chat.views.account_export import Sent, attachment, fields, written
from chat.views.api import api
from chat.views.messages import messages_of
from chat.views.open_code import closed

Address = Callable[[Any, str], str]
TEXTS = ("chat.md", "chat.json")
TYPES = {"md": "text/markdown; charset=utf-8", "json": "application/json", "zip": "application/zip"}


@api("GET")
async def export(request: HttpRequest, conversation_id: UUID) -> HttpResponseBase:
    """The conversation as a file in the requested format."""
    user = await tokens.authenticate(request)
    format = request.GET.get("format", "md")
    if format not in TYPES:
        raise InvalidArgument("`format` is md, json or zip.")
    found = await Conversation.objects.for_user(user.pk).aget_or_404(conversation_id)
    headers = {"Content-Disposition": disposition(found.title, format), "Content-Type": TYPES[format]}
    if format == "zip":
        return StreamingHttpResponse(zipped(found), headers=headers)
    write = markdown if format == "md" else json
    return HttpResponse(await sync_to_async(write)(found), headers=headers)


def disposition(title: str, format: str) -> str:
    """The header of a download that is named by the conversation's title, in any script (RFC 6266)."""
    plain = "".join(" " if letter in '/\\:*?"<>|' or not letter.isprintable() else letter for letter in title)
    name = " ".join(plain.split())[:80].strip(".… ") or "chat"
    return f"attachment; filename=\"chat.{format}\"; filename*=UTF-8''{quote(name, safe='')}.{format}"


async def zipped(found: Conversation) -> AsyncIterator[bytes]:
    """The archive's bytes, made while they are sent, with one photo or sound in memory at a time."""
    sent = Sent()
    with zipfile.ZipFile(sent, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, read in await in_thread(partial(entries, found)):
            archive.writestr(name, await in_thread(read), None if name in TEXTS else zipfile.ZIP_STORED)
            yield sent.take()
    yield sent.take()


def entries(found: Conversation) -> list[tuple[str, Callable[[], bytes]]]:
    """The archive's files, each with a function that reads it."""
    media = found.attachments.values_list("pk", "mime_type")
    texts: list[tuple[str, Callable[[], bytes]]] = [
        ("chat.md", partial(markdown, found, name_of)),
        ("chat.json", partial(json, found)),
    ]
    return texts + [(name_of(pk, mime), partial(attachment, found.user_id, pk)) for pk, mime in media]


def json(found: Conversation) -> bytes:
    """The whole conversation, for programs."""
    return written({**dict(fields(found)), "messages": messages_of(found)})


def markdown(found: Conversation, address: Address | None = None) -> bytes:
    """The newest path, for reading. `address`: the link of a photo or sound by its id and type; None: no links."""
    rows = list(Message.objects.whole().filter(conversation=found).order_by("position"))
    said = {row.pk: PromptMessage(row.pk, row.parent_id, row.role, row.parts) for row in rows}
    shown = {step.id for step in path_to(said, newest_leaf(said))} if said else set()
    head = f"# {' '.join(found.title.split()) or 'Chat'}\n\n{found.created_at:%Y-%m-%d %H:%M} UTC\n"
    return "\n".join([head, *(section(row, address) for row in rows if row.pk in shown)]).encode()


def section(row: Message, address: Address | None) -> str:
    """One message under a heading that names its author."""
    stream = getattr(row, "stream", None)
    who = "You" if row.role == Message.USER else f"WonderCam ({stream.model_id})" if stream else "WonderCam"
    pieces = list(paragraphs(row, address))
    if stream and stream.error:
        pieces.append(f"*{stream.error.get('message', 'This answer failed.')}*")
    return "\n\n".join([f"## {who}", *pieces]) + "\n"


def paragraphs(row: Message, address: Address | None) -> Iterator[str]:
    """Its photos and sounds, then its text; thoughts are not part of an answer."""
    for part in row.parts:
        if id := part.get("attachment"):
            what = "Sound" if is_sound(part) else "Photo"
            link = f"[{what}]({address(id, type_of(part))})" if address else f"*(a {what.lower()})*"
            yield f"!{link}" if address and what == "Photo" else link
        elif "inlineData" in part:
            yield "*(a picture)*"
    if row.text:
        yield closed(row.text)
