"""Retention: what is older than the operator wants to keep, and what nobody comes in by any more, goes.

    once           all of it, a small step at a time: `manage.py prune`
    keep_pruning   the same every hour, while the site is served

`WONDERCAM_KEEP_…_DAYS` say how old (0: for ever). Every process does it, so there is nothing to elect and nobody to
miss: what another one has deleted is not there. The steps are those of `log/deletion.py`, so no stream waits longer
than for one of them.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Iterator
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from chat.accounts import ended
from chat.log import deletion
from chat.log.deletion import Write
from chat.log.pages import stored_events
from chat.log.sql import in_thread
from chat.models import Attachment, Conversation, Message, Stream, User
from chat.protocol import events
from chat.protocol.answer import Answer

log = logging.getLogger(__name__)

FIRST_SECONDS, EVERY_SECONDS = 60, 3600
"""After the start of a process, which has other things to do; and from then on."""
SOME = 50
"""How many are looked up, and recordings hidden from their owners, at once."""

Days = dict[str, int]
"""After how many days conversations, recordings, photos and guests go; 0 is never (`settings.KEEP_DAYS`)."""


async def keep_pruning(days: Days, write: Write) -> None:
    """For as long as the process serves. What goes wrong is logged, and tried again an hour later."""
    await asyncio.sleep(FIRST_SECONDS)
    while True:
        try:
            gone = await once(days, write, timezone.now())
            if told := ", ".join(f"{number} {name}" for name, number in gone.items() if number):
                log.info("Retention deleted %s", told)
        except Exception:
            log.exception("Retention was broken off")
        await asyncio.sleep(EVERY_SECONDS)


async def once(days: Days, write: Write, now: datetime) -> dict[str, int]:
    """Delete what is too old; how many of each."""
    done: dict[str, int] = {}
    for name, (old, delete) in LARGE.items():
        before = now - timedelta(days=days[name])
        done[name] = await _all(partial(old, before), delete, write) if days[name] else 0
    rows = ended.rows(now, now - timedelta(days=ended.AUDIT_DAYS))
    if days["photos"]:
        rows["photos"] = Attachment.objects.order_by().filter(created_at__lt=now - timedelta(days=days["photos"]))
    for name, found in rows.items():
        done[name] = done.get(name, 0) + await _rows(found, write)
    return done


async def _all(old: Callable[[], QuerySet[Any]], delete: "Delete", write: Write) -> int:
    """Delete some at a time; what is found again, since it would not go, is left for the next hour."""
    seen: set[Any] = set()
    while new := [pk for pk in await in_thread(lambda: list(old()[:SOME])) if pk not in seen]:
        seen.update(new)
        await delete(new, write)
    return len(seen)


async def _rows(rows: QuerySet[Any], write: Write) -> int:
    """Delete plain rows, a batch a transaction."""
    number = 0
    while batch := await write(partial(ended.delete_batch, rows)):
        number += batch
        await asyncio.sleep(ended.PAUSE)
    return number


def old_conversations(before: datetime) -> QuerySet[Any]:
    """Those in which nothing was said since, pinned ones too, the oldest first."""
    alive = Conversation.objects.exclude(user__username=deletion.HOLDER).exclude(streams__status=events.RUNNING)
    return alive.filter(updated_at__lt=before).order_by("updated_at").values_list("pk", flat=True)


def old_recordings(before: datetime) -> QuerySet[Any]:
    """The streams that ended before this moment, the oldest first."""
    old = Stream.objects.filter(status__in=events.ENDS, ended_at__lt=before).exclude(user__username=deletion.HOLDER)
    return old.order_by("ended_at").values_list("pk", flat=True)


def idle_guests(before: datetime) -> QuerySet[Any]:
    """Guests who came before this moment and have said nothing since."""
    since = Conversation.objects.filter(user=OuterRef("pk"), updated_at__gte=before)
    return User.objects.filter(~Exists(since), is_guest=True, date_joined__lt=before).values_list("pk", flat=True)


def ended_before(before: datetime) -> Iterator[UUID]:
    """`old_recordings`, all of them."""
    return old_recordings(before).iterator()


def answers_not_kept(chosen: Iterable[UUID]) -> Iterator[tuple[UUID, list[dict[str, Any]]]]:
    """Of the streams whose answer was never put together: the answer's id, and its parts by the events."""
    for stream in Stream.objects.filter(pk__in=list(chosen), answer__parts=[]).only("pk", "answer_id"):
        yield stream.answer_id, Answer.of(stored_events(stream.pk)).finished()


def keep_answer(answer: UUID, parts: list[dict[str, Any]]) -> None:
    """Store an answer's parts, before its events go."""
    Message.objects.filter(pk=answer).update(parts=parts)


async def delete_conversations(chosen: list[UUID], write: Write) -> None:
    """One after the other."""
    for pk in chosen:
        await deletion.delete_conversation(pk, write)


async def delete_recordings(chosen: list[UUID], write: Write) -> None:
    """The events and what else belongs to a stream; its messages stay."""
    for answer, parts in await in_thread(lambda: list(answers_not_kept(chosen))):  # what is long holds no lock
        await write(partial(keep_answer, answer, parts))
    await deletion.delete_streams(chosen, write)


async def delete_guests(chosen: list[int], write: Write) -> None:
    """Each with all that it has. Nobody did it, so the audit log has nothing to say."""
    for pk in chosen:
        await deletion.delete_account(pk, write, lambda: None)


Delete = Callable[[list[Any], Write], Awaitable[None]]
LARGE: dict[str, tuple[Callable[[datetime], QuerySet[Any]], Delete]] = {
    "conversations": (old_conversations, delete_conversations),
    "recordings": (old_recordings, delete_recordings),
    "guests": (idle_guests, delete_guests),
}
"""What has a deletion of its own: which are old, and how they go."""
