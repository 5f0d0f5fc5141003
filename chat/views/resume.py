"""Where a reader is in a stream, and the response that goes on from there."""

from functools import partial
from typing import NamedTuple
from uuid import UUID

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase

from chat.accounts import tokens
from chat.log import Followed, WriteClock
from chat.models import Stream, User
from chat.protocol import events, sse
from chat.protocol.errors import InvalidArgument, NotFound
from chat.protocol.events import Event
from chat.turns.snapshot import snapshot
from chat.views import event_stream
from chat.views.api import Request

HEADERS = {"Content-Type": "text/event-stream", "Cache-Control": "no-cache, no-transform", "X-Accel-Buffering": "no"}


class Cursor(NamedTuple):
    """An event's id: the last one that a reader has."""

    stream_id: UUID | None
    seq: int


def cursor_of(text: str) -> Cursor:
    """`<stream>:<seq>`, or `<seq>` alone. InvalidArgument otherwise; the client's text is never echoed."""
    name, _, number = text.rpartition(":")
    if not (number.isascii() and number.isdigit() and len(number) < 10):
        raise InvalidArgument("The cursor is not an event's id: send `<stream>:<seq>` as it came with the event.")
    try:
        return Cursor(UUID(name) if name else None, int(number))
    except ValueError:
        raise InvalidArgument("The cursor names no stream: send `<stream>:<seq>` as it came with the event.") from None


def after_of(request: HttpRequest, stream_id: UUID) -> int:
    """The seq to go on after, from `Last-Event-ID` or `?after`; -1 for the whole stream."""
    text = request.headers.get("Last-Event-ID") or request.GET.get("after")
    if not text:
        return -1
    cursor = cursor_of(text)
    if cursor.stream_id not in (None, stream_id):
        raise InvalidArgument("The cursor belongs to another stream.")
    return cursor.seq


async def resumed(request: Request, stream_id: UUID | None, user: User) -> HttpResponseBase:
    """Go on with one's own stream after the request's cursor; 204 when nothing is left to come."""
    stream = await Stream.objects.for_user(user.pk).filter(pk=stream_id).with_question().afirst()
    if stream is None:
        raise NotFound("There is no such stream.")
    after = after_of(request, stream.pk)
    # An end that another process stored is not in this one's tail, where it still believes that it writes the stream.
    is_running = stream.status == events.RUNNING
    last = await request.process.log.last_seq(stream.pk) if is_running else stream.last_seq
    if after > last:
        raise InvalidArgument("The cursor is ahead of the stream: no such event was ever sent.")
    if not is_running and after == last:
        return HttpResponse(status=204, headers=ids_of(stream))
    if after >= 0:
        request.process.metrics.resumed()
    if after > 0 or not wants_snapshot(request):
        return streamed(request, stream, after, user)
    return streamed(request, stream, after, user, await snapshot(request.process.turns, request.process.log, stream))


def wants_snapshot(request: HttpRequest) -> bool:
    """Whether a reader who has nothing yet wants what was said so far as one event."""
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
    request: Request, stream: Stream, after: int, user: User, said: Event | None = None
) -> StreamingHttpResponse:
    """The response that follows a stream for as long as the reader may read it; with `?poll=1` only what is there.

    It begins with what was `said`, where that is given, and goes on behind it.
    """
    outlet = event_stream.Outlet.of(request)
    log: Followed[UUID] = request.process.log
    if "HTTP_X_WONDERCAM_RECEIPT" in request.META:
        log = WriteClock(request.process.log, stream)
    timing = request.headers.get("X-WonderCam-Timing") == "1"
    start = sse.PRELUDE
    if said is not None:
        start, after = start + event_stream.frames(str(stream.pk), [said], timing), said.seq
    if request.META.get("QUERY_STRING") and request.GET.get("poll") == "1":  # most have none to be taken apart
        content = event_stream.so_far(log, stream.pk, after, timing=timing, start=start)
    else:
        # A token's own expiry does not end a stream that it began: only what its user or its family did since.
        may_read = partial(tokens.holder, user.claims, request.process.log)
        content = event_stream.event_stream(
            log, stream.pk, after, timing=timing, may_read=may_read, outlet=outlet, start=start
        )
    return StreamingHttpResponse(content, headers={**HEADERS, **ids_of(stream)})
