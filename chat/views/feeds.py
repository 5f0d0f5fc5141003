"""What happens in one's conversations, as event streams that never end: of all of them, or of one."""

import re
from functools import partial
from uuid import UUID

from django.http import StreamingHttpResponse
from django.http.response import HttpResponseBase

from chat.accounts import sessions, tokens
from chat.log.feeds import FeedKey
from chat.models import Conversation, User
from chat.protocol.errors import InvalidArgument, NotFound
from chat.views import event_stream
from chat.views.api import Request, api
from chat.views.resume import HEADERS

CURSOR = re.compile(r"(?:feed:)?([0-9]{1,18})")


@api("GET")
async def feed(request: Request) -> HttpResponseBase:
    """What happens in all of one's conversations, from `Last-Event-ID` or from now on. The page's session may read."""
    user = await reader(request)
    return followed(request, user, FeedKey(user.pk))


@api("GET")
async def of_conversation(request: Request, conversation_id: UUID) -> HttpResponseBase:
    """The same of one conversation; it ends when that is deleted."""
    user = await reader(request)
    if not await Conversation.objects.for_user(user.pk).filter(pk=conversation_id).aexists():
        raise NotFound("There is no such conversation.")
    return followed(request, user, FeedKey(user.pk, conversation_id))


async def reader(request: Request) -> User:
    """Who reads: by a token, or by the page's session."""
    return await (tokens.authenticate(request) if "Authorization" in request.headers else sessions.holder(request))


def followed(request: Request, user: User, key: FeedKey) -> StreamingHttpResponse:
    """The response that follows a feed for as long as the reader may read it; with `?poll=1` only what is there."""
    log, after = request.process.log, after_of(request)
    if request.GET.get("poll") == "1":
        content = event_stream.so_far(log.feeds, key, after)
    else:
        outlet, may_read = event_stream.Outlet.of(request), partial(tokens.holder, user.claims, log)
        content = event_stream.event_stream(log.feeds, key, after, may_read=may_read, outlet=outlet)
    return StreamingHttpResponse(content, headers=HEADERS)


def after_of(request: Request) -> int:
    """The place to go on after, from `Last-Event-ID` or `?after`; -1 where there is none."""
    text = request.headers.get("Last-Event-ID") or request.GET.get("after")
    if not text:
        return -1
    found = CURSOR.fullmatch(text)
    if found is None:
        raise InvalidArgument("The cursor is no place in a feed: send `feed:<number>` as it came with the event.")
    return int(found[1])
