"""`/v2/conversations`: the user's conversations: list, search, transcript, rename, pin, delete."""

from datetime import UTC, datetime
from functools import partial
from typing import Any
from uuid import UUID

import msgspec
from asgiref.sync import sync_to_async
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import HttpResponse
from django.http.response import HttpResponseBase

from chat import search
from chat.accounts import tokens
from chat.log import Log, deletion
from chat.log.changes import INSTRUCTED, PINNED, RENAMED, tell_of_conversation
from chat.models import Conversation, Stream
from chat.process import Process
from chat.protocol import events
from chat.protocol.errors import InvalidArgument
from chat.views.api import Request, api, body, check_text, json_response
from chat.views.messages import messages_of

PAGE, LARGEST_PAGE = 50, 200
LONGEST_QUERY = 200
LONGEST_SYSTEM = 8_000


class ConversationChange(msgspec.Struct, forbid_unknown_fields=True):
    """The body of PATCH; fields that are missing do not change."""

    title: str | None = None
    pinned: bool | None = None
    system: str | None = None

    def __post_init__(self) -> None:
        if self.title is not None and not 1 <= len(self.title.strip()) <= 200:
            raise ValueError("`title` has 1 to 200 characters")
        if self.system is not None and len(self.system) > LONGEST_SYSTEM:
            raise ValueError(f"`system` has at most {LONGEST_SYSTEM:,} characters")


def summary(conversation: Conversation) -> dict[str, Any]:
    """A conversation as a row of the list."""
    fields = ("id", "title", "pinned", "created_at", "updated_at")
    return {name: getattr(conversation, name) for name in fields}


@api("GET")
async def index(request: Request) -> HttpResponseBase:
    """A page of the user's conversations, pinned and newest first; `?q=` searches, `?cursor=` continues."""
    user = await tokens.authenticate(request)
    limit, cursor = page_size(request.GET.get("limit")), request.GET.get("cursor", "")
    query = request.GET.get("q", "").strip()[:LONGEST_QUERY]
    if not query:
        own = Conversation.objects.for_user(user.pk)
        return json_response(await sync_to_async(listed)(own, limit, cursor))
    check_text(query)
    is_whole = await search.catch_up(user.pk, request.process.log.write)
    found = await sync_to_async(lambda: listed(search.found(user.pk, query), limit, cursor, query))()
    return json_response({**found, "partial": not is_whole})


def listed(conversations: QuerySet[Any], limit: int, cursor: str = "", query: str = "") -> dict[str, Any]:
    """A page of these conversations in the order of the list; for a query each has an excerpt around its first word."""
    running = Stream.objects.filter(conversation=OuterRef("pk"), status=events.RUNNING)
    ordered = conversations.order_by("-pinned", "-updated_at", "pk").annotate(running=Exists(running))
    rows = list((ordered.filter(beyond(cursor)) if cursor else ordered)[: limit + 1])
    more = rows[limit - 1] if len(rows) > limit else None
    next_cursor = f"{int(more.pinned)}.{more.updated_at.timestamp():.6f}.{more.pk}" if more else None
    shown = [{**summary(row), "running": row.running} for row in rows[:limit]]
    if query:
        said = search.excerpts([row["id"] for row in shown], query)
        shown = [{**row, "excerpt": said.get(row["id"], "")} for row in shown]
    return {"conversations": shown, "next": next_cursor}


def page_size(text: str | None) -> int:
    """`?limit=`, 1 to 200."""
    if not text:
        return PAGE
    if not (text.isascii() and text.isdigit() and len(text) < 5 and 1 <= int(text) <= LARGEST_PAGE):
        raise InvalidArgument(f"`limit` is a whole number from 1 to {LARGEST_PAGE}.")
    return int(text)


def beyond(cursor: str) -> Q:
    """The rows after the cursor, in the order of the list."""
    try:
        pinned, seconds, micros, key = cursor.split(".")
        moment = datetime.fromtimestamp(int(seconds), UTC).replace(microsecond=int(micros))
        last = UUID(key)
    except (ValueError, OverflowError, OSError):
        raise InvalidArgument("`cursor` is not one that this list gave.") from None
    later = Q(updated_at__lt=moment) | Q(updated_at=moment, pk__gt=last)
    return (Q(pinned=True) & later) | Q(pinned=False) if pinned == "1" else Q(pinned=False) & later


@api("GET", "PATCH", "DELETE")
async def one(request: Request, conversation_id: UUID) -> HttpResponseBase:
    """One conversation: GET its transcript with stream ids, PATCH title, pin and system instruction, DELETE it."""
    user = await tokens.authenticate(request)
    conversation = await Conversation.objects.for_user(user.pk).aget_or_404(conversation_id)
    if request.method == "DELETE":
        await delete(request.process, user.pk, conversation)
        return HttpResponse(status=204)
    if request.method == "PATCH":
        return await _changed(request.process.log, user.pk, conversation, body(request, ConversationChange))
    messages = await sync_to_async(messages_of)(conversation)
    more = {"system": conversation.system, "messages": messages, "queued": await conversation.queued.acount()}
    return json_response({**summary(conversation), **more})


async def _changed(log: Log, user_id: int, conversation: Conversation, change: ConversationChange) -> HttpResponseBase:
    given = {"title": change.title, "pinned": change.pinned, "system": change.system}
    if change.title is not None:
        given["title"] = change.title.strip()
    fields = {name: value for name, value in given.items() if value is not None}  # others may be changed concurrently
    for name, value in fields.items():
        setattr(conversation, name, value)

    def store() -> None:
        Conversation.objects.filter(pk=conversation.pk).update(**fields)
        if change.title is not None:
            search.forget(conversation.pk)
            tell_of_conversation(conversation.pk, RENAMED, {"title": conversation.title})
        if change.pinned is not None:
            tell_of_conversation(conversation.pk, PINNED, {"pinned": conversation.pinned})
        if change.system is not None:
            tell_of_conversation(conversation.pk, INSTRUCTED, {"system": conversation.system})

    await log.write(store)
    log.feeds.changed(user_id)
    return json_response(summary(conversation))


async def delete(process: Process, user_id: int, conversation: Conversation) -> None:
    """Stop the running turns of a conversation, and delete it with everything in it."""
    streams = [stream async for stream in conversation.streams.all()]
    for stream in streams:
        if stream.status == events.RUNNING:
            await process.turns.stop(stream)
    told = partial(process.log.feeds.changed, user_id)
    await deletion.delete_conversation(conversation.pk, process.log.write, told)
    for stream in streams:
        process.log.forget(stream.pk)
