"""`/v2/echat` and `/v2/chat`: ask, and read the answer as it is generated."""

from time import monotonic

import msgspec
from django.http.response import HttpResponseBase

from chat import limits
from chat.accounts import keys, tickets, tokens
from chat.models import Stream, Ticket, User
from chat.protocol.errors import InvalidArgument
from chat.protocol.request import Ask, contents_of
from chat.views import event_stream
from chat.views.api import Request, api, body, chat_bytes, json_response, parse
from chat.views.resume import cursor_of, ids_of, resumed, streamed


@api("POST", "GET", body_bytes=chat_bytes)
async def echat(request: Request) -> HttpResponseBase:
    """The enhanced chat: an immediate OK, then the answer as it is generated."""
    began = monotonic()
    if request.method == "GET":
        return await _by_event_source(request, began)
    user = await tokens.authenticate(request)
    return await _asked_or_resumed(request, user, body(request, Ask, chat_bytes()), began, after=-1)


@api("POST", body_bytes=chat_bytes)
async def chat(request: Request) -> HttpResponseBase:
    """The standard chat: the same without the OK; with `"stream": false` one JSON answer."""
    began = monotonic()
    user = await tokens.authenticate(request)
    ask = body(request, Ask, chat_bytes())
    if ask.stream:
        return await _asked_or_resumed(request, user, ask, began, after=0)
    stream = await _started(request, user, ask, began)
    answer = await event_stream.whole(request.process.log, stream.pk)
    status = answer["error"]["code"] if "error" in answer else 200
    return json_response(answer, status, headers=ids_of(stream))


async def _asked_or_resumed(request: Request, user: User, ask: Ask, began: float, *, after: int) -> HttpResponseBase:
    """The answer from after event `after`. A POST that is sent again with the id of an event goes on behind it.

    Clients such as @microsoft/fetch-event-source reconnect that way; whether it is the same question is told by its
    `request_id`, or by what is asked.
    """
    if last := request.headers.get("Last-Event-ID"):
        before = Stream.objects.for_user(user.pk).filter(pk=cursor_of(last).stream_id)
        stream = await before.select_related("answer__parent").afirst()
        if stream is not None and is_same(ask, stream):
            return await resumed(request, stream.pk, user)
    return streamed(request, await _started(request, user, ask, began), after, user)


def is_same(ask: Ask, stream: Stream) -> bool:
    """Whether the stream answers this request: by its idempotency key, or, where it has none, by its question."""
    if ask.request_id is not None or stream.request_id is not None:
        return ask.request_id == stream.request_id
    question = stream.answer.parent
    return (
        ask.contents is not None and question is not None and contents_of(ask.contents)[-1]["parts"] == question.parts
    )


async def _started(request: Request, user: User, ask: Ask, began: float, ticket: Ticket | None = None) -> Stream:
    await limits.spend("chat", user=user.pk, ip=limits.address(request))
    return await request.process.turns.start(user, ask, began, ticket)


async def _by_event_source(request: Request, began: float) -> HttpResponseBase:
    """A native EventSource: the question is in the address, a ticket says who asks, a reconnect resumes."""
    ticket = None
    if "Authorization" in request.headers or "ticket" not in request.GET:
        user = await tokens.authenticate(request, needs=keys.CHAT)
    else:
        ticket = await tickets.holder(request.GET["ticket"], request.process.log)
        user = ticket.user
    if ticket is not None and ticket.stream_id is not None:
        return await resumed(request, ticket.stream_id, user)
    if last := request.headers.get("Last-Event-ID"):
        return await resumed(request, cursor_of(last).stream_id, user)
    return streamed(request, await _started(request, user, _asked(request), began, ticket), -1, user)


def _asked(request: Request) -> Ask:
    raw = request.GET.get("data")
    if not raw:
        raise InvalidArgument('The question is missing: send it URL-encoded as `?data={"contents": …}`.')
    try:
        return msgspec.convert(parse(raw.encode()), Ask)
    except msgspec.ValidationError as wrong:
        raise InvalidArgument(f"`data` has another shape than expected: {wrong}.") from None
