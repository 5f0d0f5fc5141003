"""The queues of answers that wait for a verdict, one per kind, the newest answers first. All queries are bounded.

A kind selects from the newest `LOOKED_THROUGH` answers, or from the newest `MOST_NAMED` receipts, ratings or flags. An
answer is not in the queue of a reviewer who has given a verdict, nor in those of others while one has it open
(`ReviewLock`).
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
"""The most answers that are selected by receipts, ratings or flags."""

SLOW_US = 5_000_000
"""The time to the first token, in µs, from which an answer is slow."""

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
"""The kinds of queues → their filters."""

NAMED = {"disliked", "buffered", "flagged"}
"""Kinds that select by other rows, whatever the answers' age is."""


def waiting(kind: str, reviewer: User) -> Streams:
    """Return the answers of this kind that wait for the reviewer, the newest first. Raises KeyError for other kinds."""
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
    """Return the next answer in the queue: the newest of the older ones; or None."""
    older = Q(created_at__lt=stream.created_at) | Q(created_at=stream.created_at, pk__lt=stream.pk)
    # The bound is repeated, because SQLite does not use one inside an OR to begin reading the index.
    return queue.filter(older, created_at__lte=stream.created_at).first()


def before(queue: Streams, stream: Stream) -> Stream | None:
    """Return the previous answer in the queue: the oldest of the newer ones; or None."""
    newer = Q(created_at__gt=stream.created_at) | Q(created_at=stream.created_at, pk__gt=stream.pk)
    return queue.filter(newer, created_at__gte=stream.created_at).order_by("created_at", "pk").first()
