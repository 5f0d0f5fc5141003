"""`/v2/echat` and `/v2/chat`: start a turn, and stream its answer."""

from time import monotonic
from uuid import UUID

import msgspec
from django.http.response import HttpResponseBase

from chat import limits
from chat.accounts import keys, tickets, tokens
from chat.models import Stream, Ticket, User
from chat.protocol.errors import InvalidArgument, NotFound
from chat.protocol.prompt import Part, is_sound
from chat.protocol.request import Ask, contents_of
from chat.views import event_stream
from chat.views.api import Request, api, body, chat_bytes, json_response, no_pieces, parse
from chat.views.resume import HEADERS, Cursor, cursor_of, ids_of, resumed, streamed
from chat.views.stream_response import EventStreamResponse


@api("POST", "GET", body_bytes=chat_bytes)
async def echat(request: Request) -> HttpResponseBase:
    """The enhanced chat: an immediate OK, then the answer as it is generated."""
    began = monotonic()
    if request.method != "POST":
        return await _by_event_source(request, began)
    user = await tokens.authenticate(request)
    return await _asked_or_resumed(request, user, body(request, Ask, chat_bytes()), began, after=-1)


@api("POST", body_bytes=chat_bytes)
async def chat(request: Request) -> HttpResponseBase:
    """The standard chat: the same without the OK event; with `"stream": false` one JSON answer."""
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
    """Start a turn and stream its events after `after`. A POST with `Last-Event-ID` resumes its stream instead.

    Clients such as @microsoft/fetch-event-source and eventsource-client reconnect by repeating the POST.
    """
    if last := request.headers.get("Last-Event-ID"):
        return await resumed(request, await _asked_before(ask, user, cursor_of(last)), user)
    return streamed(request, await _started(request, user, ask, began), after, user)


async def _asked_before(ask: Ask, user: User, cursor: Cursor) -> UUID:
    """The stream that already answers this request. NotFound if the cursor names no stream of the user,
    InvalidArgument if that answers another question: starting a second answer would repeat text for the client."""
    named = {"request_id": ask.request_id} if cursor.stream_id is None else {"pk": cursor.stream_id}
    before = Stream.objects.for_user(user.pk).filter(**named).select_related("answer__parent")
    stream = None if named == {"request_id": None} else await before.afirst()
    if stream is None:
        raise NotFound("There is no such stream: to ask again, omit `Last-Event-ID`.")
    if not is_same(ask, stream):
        raise InvalidArgument("`Last-Event-ID` is of the answer to another question: to ask this one, leave it out.")
    found: UUID = stream.pk
    return found


def is_same(ask: Ask, stream: Stream) -> bool:
    """Whether the stream answers this request: by `request_id`, or, if both have none, by comparing the questions."""
    if ask.request_id is not None or stream.request_id is not None:
        return ask.request_id == stream.request_id
    question = stream.answer.parent
    if question is None or ask.model not in (None, stream.model_id):
        return False
    if ask.conversation_id not in (None, stream.conversation_id):
        return False
    if ask.contents is None:
        return ask.parent_id == question.pk
    asked = contents_of(ask.contents)[-1]["parts"]
    return len(asked) == len(question.parts) and all(map(is_same_part, asked, question.parts))


def is_same_part(asked: Part, kept: Part) -> bool:
    """Whether part `kept` was stored from part `asked`. Photos and sounds in a body are stored re-encoded, so they are
    compared by kind only."""
    if "inlineData" in asked:
        return "attachment" in kept and is_sound(asked) == is_sound(kept)
    return asked["attachment"] == kept.get("attachment") if "attachment" in asked else asked == kept


async def _started(request: Request, user: User, ask: Ask, began: float, ticket: Ticket | None = None) -> Stream:
    await limits.spend("chat", user=user.pk, ip=limits.address(request))
    return await request.process.turns.start(user, ask, began, ticket)


async def _by_event_source(request: Request, began: float) -> HttpResponseBase:
    """The GET of a native EventSource: the question is in the URL, a ticket authenticates, a reconnect resumes."""
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
    ask = _asked(request)
    if request.method == "HEAD":  # it asks nothing: the headers that name a stream are left out
        return EventStreamResponse(no_pieces(), headers=HEADERS)
    return streamed(request, await _started(request, user, ask, began, ticket), -1, user)


def _asked(request: Request) -> Ask:
    raw = request.GET.get("data")
    if not raw:
        raise InvalidArgument('The question is missing: send it URL-encoded as `?data={"contents": …}`.')
    try:
        return msgspec.convert(parse(raw.encode()), Ask)
    except msgspec.ValidationError as wrong:
        raise InvalidArgument(f"`data` does not have the expected shape: {wrong}.") from None
