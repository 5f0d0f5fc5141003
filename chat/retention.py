"""Retention: deletes what is older than the operator's settings, and expired rows such as sessions and tokens.

    once           all of it, a small step at a time: `manage.py prune`
    keep_pruning   the same every hour, while the site is served

`WONDERCAM_KEEP_…_DAYS` set the ages (0: keep for ever). Every process does it, without electing one: rows that another
process has deleted are just not found. Its transactions are the short ones of `log/deletion.py`, so no stream waits for
longer than one of them.

On PostgreSQL the events of recordings are dropped by partition (`log/postgres_partitions.py`), once all streams of one
are old enough. If one of them has to be kept, the others are deleted by rows.
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
from chat.log import deletion, partitions, postgres_partitions
from chat.log.deletion import Write
from chat.log.pages import stored_events
from chat.log.sql import in_thread
from chat.models import Attachment, Conversation, Message, Stream, User
from chat.protocol import events
from chat.protocol.answer import Answer

log = logging.getLogger(__name__)

FIRST_SECONDS, EVERY_SECONDS = 60, 3600
"""The first run's delay after the start of a process, and the interval from then on."""
SOME = 50
"""The rows that are looked up at once, and the recordings that are hidden from their owners in one transaction."""

AT_ONCE = 500
"""The same for the recordings of a partition: on PostgreSQL other transactions can write meanwhile."""

Days = dict[str, int]
"""After how many days conversations, recordings, photos and guests are deleted; 0: never (`settings.KEEP_DAYS`)."""


async def keep_pruning(
    days: Days,
    write: Write,
    sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    now: Callable[[], datetime] = timezone.now,
) -> None:
    """Run `once` every hour, until cancelled. Errors are logged."""
    await sleep(FIRST_SECONDS)
    while True:
        try:
            gone = await once(days, write, now())
            if told := ", ".join(f"{number} {name}" for name, number in gone.items() if number):
                log.info("Retention deleted %s", told)
        except Exception:
            log.exception("Retention failed: the next run is in an hour")
        await sleep(EVERY_SECONDS)


async def once(days: Days, write: Write, now: datetime) -> dict[str, int]:
    """Delete everything that is too old; returns the number of deleted rows by kind."""
    done = dict.fromkeys(LARGE, 0)
    if days["recordings"]:
        done["recordings"] = await delete_partitions(now - timedelta(days=days["recordings"]), write)
    for name, (old, delete) in LARGE.items():
        if days[name]:
            done[name] += await _all(partial(old, now - timedelta(days=days[name]), days[name]), delete, write)
    rows = ended.rows(now, now - timedelta(days=ended.AUDIT_DAYS))
    if days["photos"]:
        rows["photos"] = Attachment.objects.order_by().filter(created_at__lt=now - timedelta(days=days["photos"]))
    for name, found in rows.items():
        done[name] = done.get(name, 0) + await _rows(found, write)
    return done


async def _all(old: Callable[[], QuerySet[Any]], delete: "Delete", write: Write) -> int:
    """Delete `SOME` at a time. Rows that are found again, because they could not be deleted, are left for the next
    run."""
    seen: set[Any] = set()
    while new := [pk for pk in await in_thread(lambda: list(old()[:SOME])) if pk not in seen]:
        seen.update(new)
        await delete(new, write)
    return len(seen)


async def _rows(rows: QuerySet[Any], write: Write) -> int:
    """Delete rows that need no steps of their own, one batch per transaction."""
    number = 0
    while batch := await write(partial(ended.delete_batch, rows)):
        number += batch
        await asyncio.sleep(ended.PAUSE)
    return number


def old_conversations(before: datetime, _: int) -> QuerySet[Any]:
    """The conversations without a message since then, pinned ones included, the oldest first."""
    alive = Conversation.objects.exclude(user__username=deletion.HOLDER).exclude(streams__status=events.RUNNING)
    return alive.filter(updated_at__lt=before).order_by("updated_at").values_list("pk", flat=True)


def old_recordings(before: datetime, streams: QuerySet[Stream] | None = None) -> QuerySet[Any]:
    """The streams that ended before this time, the oldest first; if `streams` is given, only those of them."""
    among = Stream.objects.order_by("ended_at") if streams is None else streams
    old = among.filter(status__in=events.ENDS, ended_at__lt=before).exclude(user__username=deletion.HOLDER)
    return old.values_list("pk", flat=True)


def old_recordings_by_rows(before: datetime, days: int) -> QuerySet[Any]:
    """`old_recordings` without those that will soon be dropped with their partition."""
    awaited = partitions.awaited(postgres_partitions.listed(), before, days)
    old = old_recordings(before)
    return old.exclude(pk__gte=awaited.start, pk__lt=awaited.end) if awaited else old


def idle_guests(before: datetime, _: int) -> QuerySet[Any]:
    """The guests who were created before this time and have sent nothing since."""
    since = Conversation.objects.filter(user=OuterRef("pk"), updated_at__gte=before)
    return User.objects.filter(~Exists(since), is_guest=True, date_joined__lt=before).values_list("pk", flat=True)


def ended_before(before: datetime) -> Iterator[UUID]:
    """The ids of all `old_recordings`."""
    return old_recordings(before).iterator()


def answers_not_kept(chosen: Iterable[UUID]) -> Iterator[tuple[UUID, list[dict[str, Any]]]]:
    """The answers of these streams that were not stored with their messages: their ids, and their parts by the
    events."""
    for stream in Stream.objects.filter(pk__in=list(chosen), answer__parts=[]).only("pk", "answer_id"):
        yield stream.answer_id, Answer.of(stored_events(stream.pk)).finished()


def keep_answer(answer: UUID, parts: list[dict[str, Any]]) -> None:
    """Store an answer's parts, before its events are deleted."""
    Message.objects.filter(pk=answer).update(parts=parts)


async def delete_conversations(chosen: list[UUID], write: Write) -> None:
    """Delete these conversations with everything in them, one after the other."""
    for pk in chosen:
        await deletion.delete_conversation(pk, write)


async def delete_recordings(chosen: list[UUID], write: Write) -> None:
    """Delete these streams with their events; their messages stay."""
    for answer, parts in await in_thread(partial(_answers, chosen)):  # reading takes long, so no lock is held
        await write(partial(keep_answer, answer, parts))
    await deletion.delete_streams(chosen, write)


async def delete_partitions(before: datetime, write: Write) -> int:
    """Delete the recordings of the partitions whose streams all ended before this time; returns their number."""
    number = 0
    for partition in partitions.over(await in_thread(postgres_partitions.listed), before):
        streams = postgres_partitions.streams_of(partition).order_by("pk")
        if not await in_thread(partial(_has_to_stay, streams, before)):
            number += await _hide(streams, before, write)
            if await postgres_partitions.drop(partition):
                await _delete_hidden(streams, write)
    return number


def _has_to_stay(streams: QuerySet[Stream], before: datetime) -> bool:
    others = streams.exclude(user__username=deletion.HOLDER)
    return others.exclude(status__in=events.ENDS, ended_at__lt=before).exists()


async def _hide(streams: QuerySet[Stream], before: datetime, write: Write) -> int:
    old = old_recordings(before, streams)
    number = 0
    while some := await in_thread(partial(_some, old)):
        for answer, parts in await in_thread(partial(_answers, some)):
            await write(partial(keep_answer, answer, parts))
        await write(deletion.Rows(some).hide)
        number += len(some)
        old = old.filter(pk__gt=some[-1])
    return number


async def _delete_hidden(streams: QuerySet[Stream], write: Write) -> None:
    hidden = streams.filter(user__username=deletion.HOLDER).values_list("pk", flat=True)
    while some := await in_thread(partial(_some, hidden)):
        await deletion.delete_streams(some, write)


def _some(streams: QuerySet[Any]) -> list[UUID]:
    return list(streams[:AT_ONCE])


def _answers(chosen: Iterable[UUID]) -> list[tuple[UUID, list[dict[str, Any]]]]:
    return list(answers_not_kept(chosen))


async def delete_guests(chosen: list[int], write: Write) -> None:
    """Delete these guests with everything they own. The audit log gets no entry, because nobody asked for it."""
    for pk in chosen:
        await deletion.delete_account(pk, write, lambda: None)


Delete = Callable[[list[Any], Write], Awaitable[None]]
LARGE: dict[str, tuple[Callable[[datetime, int], QuerySet[Any]], Delete]] = {
    "conversations": (old_conversations, delete_conversations),
    "recordings": (old_recordings_by_rows, delete_recordings),
    "guests": (idle_guests, delete_guests),
}
"""The kinds that are deleted in steps of their own: the query for the old ones, and the function that deletes them."""
