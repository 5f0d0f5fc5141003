"""Which answers wait for a verdict: the newest, by why one would look at them. Bounded, whatever is stored.

Every kind looks through the newest `LOOKED_THROUGH` answers, or through as many receipts, thumbs or flags. An answer
leaves a reviewer's queue with that reviewer's verdict, and everybody else's while somebody is at it (`ReviewLock`).
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from chat.models import Feedback, Receipt, ReviewLock, Stream, User, Verdict
from chat.protocol import events, receipt

LOOKED_THROUGH = 20_000
MOST_NAMED = 1_000
"""Answers that receipts, thumbs or flags name, at most."""

SLOW_US = 5_000_000
"""A first token after this many µs is slow."""

Streams = QuerySet[Stream]


def _of_status(*statuses: str) -> Callable[[Streams], Streams]:
    return lambda streams: streams.filter(status__in=statuses)


def _unjudged(streams: Streams) -> Streams:
    judged = Verdict.objects.filter(stream=OuterRef("pk"))
    return streams.exclude(status=events.RUNNING).exclude(Exists(judged))


def _disliked(streams: Streams) -> Streams:
    down = Feedback.objects.filter(value=Feedback.DOWN).order_by("-updated_at")
    return streams.filter(answer__in=down.values("message")[:MOST_NAMED])


def _slow(streams: Streams) -> Streams:
    return streams.filter(first_token_us__gte=SLOW_US)


def _buffered(streams: Streams) -> Streams:
    held = Receipt.objects.filter(verdict=receipt.PROXY).order_by("-created_at")
    return streams.filter(pk__in=held.values("pk")[:MOST_NAMED])


def _flagged(streams: Streams) -> Streams:
    flagged = Verdict.objects.filter(flagged=True).order_by("-updated_at")
    return streams.filter(pk__in=flagged.values("stream")[:MOST_NAMED])


KINDS: dict[str, Callable[[Streams], Streams]] = {
    "new": _unjudged,
    "failed": _of_status(events.FAILED),
    "interrupted": _of_status(events.INTERRUPTED),
    "disliked": _disliked,
    "slow": _slow,
    "buffered": _buffered,
    "flagged": _flagged,
}
"""Why one would look at an answer → these answers."""

NAMED = {"disliked", "buffered", "flagged"}
"""Kinds that name their answers, however old."""


def waiting(kind: str, reviewer: User) -> Streams:
    """The answers of this kind that wait for the reviewer, the newest first. KeyError where there is no such kind."""
    found = KINDS[kind](Stream.objects.order_by("-created_at", "-pk"))
    if kind not in NAMED and (oldest := _oldest_looked_at()) is not None:
        found = found.filter(created_at__gte=oldest)
    own = Verdict.objects.filter(stream=OuterRef("pk"), reviewer=reviewer)
    locked = ReviewLock.objects.filter(stream=OuterRef("pk"), until__gt=timezone.now()).exclude(reviewer=reviewer)
    return found.exclude(Exists(own)).exclude(Exists(locked))


def _oldest_looked_at() -> datetime | None:
    newest: Any = Stream.objects.order_by("-created_at").values_list("created_at", flat=True)
    found: datetime | None = newest[LOOKED_THROUGH : LOOKED_THROUGH + 1].first()
    return found


def after(queue: Streams, stream: Stream) -> Stream | None:
    """The next one in the queue: the newest of those that are older."""
    older = Q(created_at__lt=stream.created_at) | Q(created_at=stream.created_at, pk__lt=stream.pk)
    # Said twice, since SQLite begins to read an index at a bound, and not at one that an OR hides.
    return queue.filter(older, created_at__lte=stream.created_at).first()


def before(queue: Streams, stream: Stream) -> Stream | None:
    """The one before it in the queue: the oldest of those that are newer."""
    newer = Q(created_at__gt=stream.created_at) | Q(created_at=stream.created_at, pk__gt=stream.pk)
    return queue.filter(newer, created_at__gte=stream.created_at).order_by("created_at", "pk").first()
