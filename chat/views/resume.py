"""Resuming a stream: reading a client's cursor, and the response that continues after it."""

from functools import partial
from typing import NamedTuple
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from chat.accounts import tokens
from chat.log import Followed, WriteClock
from chat.models import Stream, User
from chat.protocol import events, sse
from chat.protocol.errors import InvalidArgument
from chat.protocol.events import Event
from chat.turns.snapshot import snapshot_of
from chat.views import event_stream
from chat.views.api import Request
from chat.views.stream_response import EventStreamResponse

HEADERS = {"Content-Type": "text/event-stream", "Cache-Control": "no-cache, no-transform", "X-Accel-Buffering": "no"}


class Cursor(NamedTuple):
    """The id of the last event that a reader has received."""

    stream_id: UUID | None
    seq: int


def cursor_of(text: str) -> Cursor:
    """The cursor in `<stream>:<seq>` or `<seq>`. InvalidArgument otherwise; it never repeats the client's text."""
    name, _, number = text.rpartition(":")
    if not (number.isascii() and number.isdigit() and len(number) < 10):
        raise InvalidArgument("The cursor is not an event's id: send `<stream>:<seq>` as it came with the event.")
    try:
        return Cursor(UUID(name) if name else None, int(number))
    except ValueError:
        raise InvalidArgument("The cursor names no stream: send `<stream>:<seq>` as it came with the event.") from None


def after_of(request: HttpRequest, stream_id: UUID) -> int:
    """The seq to continue after, from `Last-Event-ID` or `?after`; -1 for the whole stream."""
    text = request.headers.get("Last-Event-ID") or request.GET.get("after")
    if not text:
        return -1
    cursor = cursor_of(text)
    if cursor.stream_id not in (None, stream_id):
        raise InvalidArgument("The cursor belongs to another stream.")
    return cursor.seq


async def resumed(request: Request, stream_id: UUID | None, user: User) -> HttpResponseBase:
    """The user's stream from the request's cursor on; 204 if the stream has ended there. NotFound for other ids."""
    stream = await Stream.objects.for_user(user.pk).with_question().aget_or_404(stream_id)
    after = after_of(request, stream.pk)
    # The row's status comes first: this process may still have a tail for a stream that another process has ended.
    is_running = stream.status == events.RUNNING
    last = await request.process.log.last_seq(stream.pk) if is_running else stream.last_seq
    if after > last:
        raise InvalidArgument("The cursor is ahead of the stream: no such event was ever sent.")
    if not is_running and after == last:
        return HttpResponse(status=204, headers=ids_of(stream))
    if after >= 0 and request.method != "HEAD":
        request.process.metrics.resumed()
    if after > 0 or not wants_snapshot(request):
        return streamed(request, stream, after, user)
    snapshot = await snapshot_of(request.process.turns, request.process.log, stream)
    return streamed(request, stream, after, user, snapshot)


def wants_snapshot(request: HttpRequest) -> bool:
    """Whether a reader that has no event yet asks for the answer so far as one event."""
    return "HTTP_X_WONDERCAM_SNAPSHOT" in request.META or request.GET.get("snapshot") == "1"


def ids_of(stream: Stream) -> dict[str, str]:
    """The headers that name a stream, its conversation, its question and its answer."""
    return {
        "X-Stream-Id": str(stream.pk),
        "X-Conversation-Id": str(stream.conversation_id),
        "X-Message-Id": str(stream.question_id),
        "X-Answer-Id": str(stream.answer_id),
    }


def streamed(
    request: Request, stream: Stream, after: int, user: User, snapshot: Event | None = None
) -> EventStreamResponse:
    """The response that follows a stream after `after`; with `?poll=1` it has only what is stored now.

    If a snapshot is given, the body begins with it and continues after its seq.
    """
    log: Followed[UUID] = request.process.log
    if "HTTP_X_WONDERCAM_RECEIPT" in request.META:
        log = WriteClock(request.process.log, stream)
    timing = request.headers.get("X-WonderCam-Timing") == "1"
    start = sse.PRELUDE
    if snapshot is not None:
        start, after = start + event_stream.frames(str(stream.pk), [snapshot], timing), snapshot.seq
    if request.META.get("QUERY_STRING") and request.GET.get("poll") == "1":  # most requests have no query to parse
        content = event_stream.so_far(log, stream.pk, after, timing=timing, start=start)
    else:
        # The expiry of the token does not end a stream that it started; a sign-out or a new password does.
        may_read, push = partial(tokens.holder, user.claims, request.process.log), event_stream.push_of(request)
        content = event_stream.event_stream(
            log, stream.pk, after, timing=timing, may_read=may_read, push=push, start=start
        )
    return EventStreamResponse(content, headers={**HEADERS, **ids_of(stream)})
