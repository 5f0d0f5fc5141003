"""Queries of the review: the times of stored streams, and transcripts of conversations.

The admin and `list_streams` use them. All are bounded: times are computed from the events' `at` alone, with one query
for many streams; a transcript is read one page at a time, whatever the length of the conversation.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice, pairwise
from typing import Any
from uuid import UUID

from django.db.models import OuterRef, QuerySet, Subquery

from chat.log.pages import stored_events
from chat.models import Conversation, Message, Stream
from chat.models import Event as StoredEvent
from chat.protocol import events
from chat.protocol.answer import Answer
from chat.protocol.events import Event
from chat.protocol.timing import Timing, measure, of_events

TURNS_PER_PAGE = 20
EVENTS_PER_PAGE = 200
MOMENTS = 250_000
"""Events whose times are read for one page; further streams are measured by their ends alone (no gaps)."""

SO_FAR = 2_000
"""The most events of a running stream that are read to show its answer so far."""

BINS = 120


def timings(streams: Sequence[Stream]) -> dict[UUID, Timing]:
    """The times of each stream, with one query; running streams are measured as far as they are stored."""
    moments: dict[UUID, list[int]] = {}
    rows = StoredEvent.objects.filter(stream_id__in=_measurable(streams)).order_by("stream_id", "seq")
    for stream_id, at in rows.values_list("stream_id", "at").iterator(chunk_size=5_000):
        moments.setdefault(stream_id, []).append(at)
    ended = {s.pk: measure(moments.get(s.pk, ()), s.first_token_us, s.usage) for s in streams}
    return ended | {stream_id: of_events(log) for stream_id, log in _logs_so_far(streams).items()}


def _measurable(streams: Sequence[Stream]) -> list[UUID]:
    left, chosen = MOMENTS, []
    for stream in (stream for stream in streams if stream.status != events.RUNNING):
        left -= stream.last_seq + 1
        if left < 0:
            break
        chosen.append(stream.pk)
    return chosen


def with_ends(streams: QuerySet[Stream]) -> QuerySet[Stream]:
    """Streams with the times of their OK and of their last event (`ok_us`, `end_us`), for lists."""
    log = StoredEvent.objects.filter(stream=OuterRef("pk"))
    return streams.annotate(
        ok_us=Subquery(log.filter(seq=0).values("at")[:1]),
        end_us=Subquery(log.order_by("-seq").values("at")[:1]),
    )


def ends(stream: Any) -> Timing:
    """The times of a stream read by `with_ends`: all except gaps."""
    moments = [] if stream.ok_us is None else [stream.ok_us, stream.end_us]
    return measure(moments, stream.first_token_us, stream.usage)


def measured(stream: Stream) -> tuple[Timing, list[int]]:
    """One stream's times, and the `at` of its events, at most `MOMENTS` of them."""
    moments = list(stream.events.order_by("seq").values_list("at", flat=True)[:MOMENTS])
    if stream.status == events.RUNNING:
        return timings([stream])[stream.pk], moments
    return measure(moments, stream.first_token_us, stream.usage), moments


def events_count(stream: Stream) -> int:
    """How many events are stored, by the seq of the last one, since there are no holes."""
    last = stream.events.order_by("-seq").values_list("seq", flat=True).first()
    return 0 if last is None else last + 1


def histogram(moments: Sequence[int], bins: int = BINS, end: int = 0) -> list[int]:
    """The number of events in each of `bins` equal intervals, from the start to the last event or to `end` µs."""
    counts = [0] * bins
    end = max(end, moments[-1] if moments else 0)
    for at in moments:
        counts[min(bins - 1, at * bins // end) if end else 0] += 1
    return counts


def event_page(stream: Stream, number: int) -> tuple[list[tuple[Event, int]], bool]:
    """Page `number` (from 1) of a stream's events, each with the µs since the previous one; and whether more follow."""
    first = (number - 1) * EVENTS_PER_PAGE
    log = list(islice(stored_events(stream.pk, first - 2), EVENTS_PER_PAGE + (2 if first else 1)))
    before = {later.seq: earlier.at for earlier, later in pairwise(log)}
    page = [event for event in log if first <= event.seq < first + EVENTS_PER_PAGE]
    more = bool(log) and log[-1].seq >= first + EVENTS_PER_PAGE
    return [(event, event.at - before.get(event.seq, 0)) for event in page], more


@dataclass(slots=True)
class TranscriptMessage:
    """One message of a transcript. `version` of `versions` counts siblings: edits, or regenerated answers.

    `replies_to` is the message that it replies to, if that is not the one just above it.
    """

    message: Message
    version: int = 1
    versions: int = 1
    replies_to: UUID | None = None
    parts: list[dict[str, Any]] = field(default_factory=list)
    stream: Stream | None = None
    timing: Timing | None = None


@dataclass(slots=True)
class Transcript:
    """One page of a conversation, in depth-first order: each message, then all replies to it."""

    turns: list[TranscriptMessage]
    page: int
    pages: int
    messages: int


def transcript(conversation: Conversation, page: int = 1) -> Transcript:
    """Page `page` of a conversation, or the nearest existing one. Four queries at most."""
    order = list(_in_tree_order(conversation))
    pages = max(1, -(-len(order) // TURNS_PER_PAGE))
    page = min(max(page, 1), pages)
    shown = order[(page - 1) * TURNS_PER_PAGE : page * TURNS_PER_PAGE]
    turns = _turns(shown)
    return Transcript(turns, page, pages, len(order))


def turns_to(answer: Message) -> list[TranscriptMessage]:
    """The messages that led to this answer and the answer itself, oldest first; the latest `TURNS_PER_PAGE`."""
    parents = dict(Message.objects.filter(conversation=answer.conversation_id).values_list("pk", "parent_id"))
    order: list[UUID] = []
    pk: UUID | None = answer.pk
    while pk is not None and len(order) < TURNS_PER_PAGE:
        order.append(pk)
        pk = parents.get(pk)
    return _turns([(pk, 1, 1) for pk in reversed(order)])


def _turns(shown: Sequence[tuple[UUID, int, int]]) -> list[TranscriptMessage]:
    """Messages by id, version and number of versions, with their streams and times. Three queries at most."""
    messages = Message.objects.whole().defer("stream__request").in_bulk([row[0] for row in shown])
    turns = [TranscriptMessage(messages[pk], version, versions) for pk, version, versions in shown if pk in messages]
    streams = [stream for turn in turns if (stream := getattr(turn.message, "stream", None))]
    times = timings(streams)
    so_far = {stream_id: Answer.of(log).finished() for stream_id, log in _logs_so_far(streams).items()}
    above: UUID | None = None
    for turn in turns:
        parent = turn.message.parent_id
        turn.replies_to, above = (parent if parent != above else None), turn.message.pk
        turn.stream = getattr(turn.message, "stream", None)
        turn.timing = times.get(turn.stream.pk) if turn.stream else None
        turn.parts = turn.message.parts or (so_far.get(turn.stream.pk, []) if turn.stream else [])
    return turns


def _in_tree_order(conversation: Conversation) -> Iterator[tuple[UUID, int, int]]:
    """Each message's id, version and number of versions, depth first. Without recursion, because trees are deep."""
    replies: dict[UUID | None, list[UUID]] = {}
    for pk, parent_id in conversation.messages.order_by("position", "pk").values_list("pk", "parent_id"):
        replies.setdefault(parent_id, []).append(pk)
    stack = _versions(replies.get(None, []))
    while stack:
        row = stack.pop()
        yield row
        stack += _versions(replies.get(row[0], []))


def _versions(siblings: list[UUID]) -> list[tuple[UUID, int, int]]:
    return [(pk, number, len(siblings)) for number, pk in enumerate(siblings, 1)][::-1]


def _logs_so_far(streams: Iterable[Stream]) -> dict[UUID, list[Event]]:
    """The first `SO_FAR` events of each running stream."""
    running = [stream.pk for stream in streams if stream.status == events.RUNNING]
    return {stream_id: list(islice(stored_events(stream_id), SO_FAR)) for stream_id in running}
