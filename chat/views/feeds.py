"""Feeds: event streams of what happens in the user's conversations, in all of them or in one. They never end."""

import re
from functools import partial
from uuid import UUID

from django.http.response import HttpResponseBase

from chat.accounts import sessions, tokens
from chat.log.feeds import FeedKey
from chat.models import Conversation, User
from chat.protocol.errors import InvalidArgument
from chat.views import event_stream
from chat.views.api import Request, api
from chat.views.resume import HEADERS
from chat.views.stream_response import EventStreamResponse

CURSOR = re.compile(r"(?:feed:)?([0-9]{1,18})")


@api("GET")
async def feed(request: Request) -> HttpResponseBase:
    """The feed of all of the user's conversations, from `Last-Event-ID` or from now. The page's session may read it."""
    user = await sessions.reader(request)
    return followed(request, user, FeedKey(user.pk))


@api("GET")
async def of_conversation(request: Request, conversation_id: UUID) -> HttpResponseBase:
    """The feed of one conversation; it ends when the conversation is deleted."""
    user = await sessions.reader(request)
    await Conversation.objects.for_user(user.pk).aget_or_404(conversation_id)
    return followed(request, user, FeedKey(user.pk, conversation_id))


def followed(request: Request, user: User, key: FeedKey) -> EventStreamResponse:
    """The response that follows a feed while the reader may read it; with `?poll=1` it has only what is stored now."""
    log, after = request.process.log, after_of(request)
    if request.GET.get("poll") == "1":
        content = event_stream.so_far(log.feeds, key, after)
    else:
        push, may_read = event_stream.push_of(request), partial(tokens.holder, user.claims, log)
        content = event_stream.event_stream(log.feeds, key, after, may_read=may_read, push=push)
    return EventStreamResponse(content, headers=HEADERS)


def after_of(request: Request) -> int:
    """The position to continue after, from `Last-Event-ID` or `?after`; -1 if there is none."""
    text = request.headers.get("Last-Event-ID") or request.GET.get("after")
    if not text:
        return -1
    found = CURSOR.fullmatch(text)
    if found is None:
        raise InvalidArgument("The cursor is not a position in a feed: send `feed:<number>` as it came with the event.")
    return int(found[1])
