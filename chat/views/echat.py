"""`/v2/echat` and `/v2/chat`: ask, and read the answer as it is generated."""

from time import monotonic

import msgspec
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from chat import limits
from chat.accounts import keys, tickets, tokens
from chat.models import Stream, Ticket, User
from chat.protocol.errors import InvalidArgument
from chat.protocol.request import Ask
from chat.turns import runner
from chat.views import event_stream
from chat.views.api import api, body, chat_bytes, json_response, parse
from chat.views.resume import cursor_of, ids_of, resumed, streamed


@api("POST", "GET", body_bytes=chat_bytes)
async def echat(request: HttpRequest) -> HttpResponseBase:
    """The enhanced chat: an immediate OK, then the answer as it is generated."""
    began = monotonic()
    if request.method == "GET":
        return await _by_event_source(request, began)
    user = await tokens.authenticate(request)
    stream = await _started(request, user, body(request, Ask, chat_bytes()), began)
    return streamed(request, stream, -1, user)


@api("POST", body_bytes=chat_bytes)
async def chat(request: HttpRequest) -> HttpResponseBase:
    """The standard chat: the same without the OK; with `"stream": false` one JSON answer."""
    began = monotonic()
    user = await tokens.authenticate(request)
    ask = body(request, Ask, chat_bytes())
    stream = await _started(request, user, ask, began)
    if ask.stream:
        return streamed(request, stream, 0, user)
    answer = await event_stream.whole(stream.pk)
    status = answer["error"]["code"] if "error" in answer else 200
    return json_response(answer, status, headers=ids_of(stream))


async def _started(request: HttpRequest, user: User, ask: Ask, began: float, ticket: Ticket | None = None) -> Stream:
    await limits.spend("chat", user=user.pk, ip=limits.address(request))
    return await runner.start(user, ask, began, ticket)


async def _by_event_source(request: HttpRequest, began: float) -> HttpResponseBase:
    """A native EventSource: the question is in the address, a ticket says who asks, a reconnect resumes."""
    ticket = None
    if "Authorization" in request.headers or "ticket" not in request.GET:
        user = await tokens.authenticate(request, needs=keys.CHAT)
    else:
        ticket = await tickets.holder(request.GET["ticket"])
        user = ticket.user
    if ticket is not None and ticket.stream_id is not None:
        return await resumed(request, ticket.stream_id, user)
    if last := request.headers.get("Last-Event-ID"):
        return await resumed(request, cursor_of(last).stream_id, user)
    stream = await _started(request, user, _asked(request), began, ticket)
    return streamed(request, stream, -1, user)


def _asked(request: HttpRequest) -> Ask:
    raw = request.GET.get("data")
    if not raw:
        raise InvalidArgument('The question is missing: send it URL-encoded as `?data={"contents": …}`.')
    try:
        return msgspec.convert(parse(raw.encode()), Ask)
    except msgspec.ValidationError as wrong:
        raise InvalidArgument(f"`data` has another shape than expected: {wrong}.") from None
