"""The chat page: `/` and `/c/<id>`, rendered here whole; `static/chat/page.js` brings it to life."""

from typing import Any
from uuid import UUID

from asgiref.sync import sync_to_async
from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.db.models import F
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_safe

from chat import providers
from chat.models import Conversation, Event, Message
from chat.protocol import events
from chat.protocol.prompt import Model, Part, Said, newest_leaf, path_to
from chat.views.models import photos

NEWEST = 200
"""How many conversations the sidebar lists."""

BLANK = {"role": "", "status": "", "key": "", "id": "", "stream": "", "seq": -1, "photos": [], "text": ""}
"""What the page's `<template>`s are rendered with."""


@never_cache
@require_safe
@ensure_csrf_cookie
async def page(request: HttpRequest, conversation_id: UUID | None = None) -> HttpResponse:
    """A new chat, or one's own conversation with its transcript; 404 for a foreign or unknown one."""
    user: Any = await request.auser()
    if not user.is_authenticated and not settings.GUESTS:
        return redirect_to_login(request.get_full_path(), "accounts:signin")
    # Queries and a long transcript's rendering: off the loop that serves the streams, in one hop.
    return await sync_to_async(_render)(request, user, conversation_id)


def _render(request: HttpRequest, user: Any, conversation_id: UUID | None) -> HttpResponse:
    own = Conversation.objects.for_user(user.pk)
    conversation = None
    if conversation_id is not None:
        conversation = own.filter(pk=conversation_id).first()
        if conversation is None:
            # Not Http404: where DEBUG is on, people would be shown Django's own page.
            return render(request, "404.html", status=404)
    context = {
        "user": user,
        "conversations": own[:NEWEST] if user.pk else [],
        "conversation": conversation,
        "current": conversation_id,
        "transcript": transcript(conversation) if conversation else [],
        "models": [choice(model) for model in providers.catalogue()],
        "blank": BLANK,
        "csrf_cookie": settings.CSRF_COOKIE_NAME,
        "signup_is_open": settings.SIGNUP == "open",
    }
    return render(request, "chat/page.html", context)


def choice(model: Model) -> dict[str, str]:
    """A model as the composer offers it."""
    return {"id": model.id, "title": model.title or model.id, "photos": photos(model)}


def branch(conversation: Conversation) -> list[Message]:
    """The messages from the first to the newest leaf of the tree, oldest first."""
    messages = {row.pk: row for row in conversation.messages.select_related("stream").order_by("created_at")}
    said = {row.pk: Said(row.pk, row.parent_id, row.role, row.parts) for row in messages.values()}
    return [messages[step.id] for step in path_to(said, newest_leaf(said))]


def transcript(conversation: Conversation) -> list[dict[str, Any]]:
    """The branch as `chat/_message.html` shows it, each complete answer with the reason of its last event."""
    messages = branch(conversation)
    ended = Event.objects.filter(stream__conversation=conversation, seq=F("stream__last_seq"))
    last = dict(ended.filter(stream__status=events.COMPLETE).values_list("stream__answer", "data"))
    reasons = {answer: events.finish_reason(events.decode(data)) for answer, data in last.items()}
    return [{**shown(message), "reason": reasons.get(message.pk) or ""} for message in messages]


def shown(message: Message) -> dict[str, Any]:
    """A message as `chat/_message.html` shows it. A running answer comes without text: the page follows its stream."""
    stream = getattr(message, "stream", None)
    parts: list[Part] = message.parts
    return {
        "key": message.pk,
        "id": message.pk,
        "role": message.role,
        "text": exact("".join(part.get("text", "") for part in parts if not part.get("thought"))),
        "photos": [part["attachment"] for part in parts if "attachment" in part],
        "status": stream.status if stream else ("sent" if message.role == Message.USER else events.COMPLETE),
        "stream": stream.pk if stream else "",
        "seq": -1 if stream is None or stream.status == events.RUNNING else stream.last_seq,
        "model": stream.model_id if stream else "",
        "error": (stream.error or {}).get("message", "") if stream else "",
    }


def exact(text: str) -> SafeString:
    """Text escaped so that a browser reads back every character: HTML (13.2.3.5) would make a line feed of a CR."""
    return format_html_join(format_html("&#{};", 13), "{}", ((piece,) for piece in text.split("\r")))
