"""Takeover: another worker becomes the writer of a stream whose worker died, or handed it over before it stopped.

The new writer's epoch is the next one, and its first event tells readers so.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from django.utils import timezone

from chat.log.fence import FIRST_EPOCH, insert_events
from chat.log.pages import stored_events
from chat.log.sql import DJANGO, Database, django_execute, key_of, moment
from chat.models import Stream
from chat.protocol import events
from chat.protocol.answer import Answer
from chat.protocol.events import Event, Response

MOST_DEATHS = 3
"""How many workers of a stream may die, so that a question that kills its worker is not tried for ever."""

MOST_WORKERS = 10
"""How many workers may write a stream, one after the other. A hand-over is not the question's fault, but each worker
asks the model again."""

NOBODY = ""
"""The `worker` of a running stream that was handed over, until another worker takes it over."""

HAND_OVER = f"""
UPDATE {Stream._meta.db_table} SET worker = %s, lease_until = %s
WHERE id = %s AND epoch = %s AND status = '{events.RUNNING}' AND stop_requested_at IS NULL
"""


class Taken(NamedTuple):
    """A stream that was taken over: its new epoch, its last event, which tells readers so, the answer so far, and
    whether its previous worker handed it over."""

    epoch: int
    last: Event
    answer: Answer
    first_token_us: int | None
    handed_over: bool


def hand_over(stream_id: UUID, epoch: int, database: Database = DJANGO) -> bool:
    """Release a stream, of which everything is stored, so that any worker may take it over. False if it is not held
    under this epoch any more, or has a stop request. A job of `Log.write`."""
    return database.execute(HAND_OVER, [NOBODY, moment(timezone.now()), key_of(stream_id), epoch]) > 0


def take_over(
    stream_id: UUID, worker: str, lease_until: datetime | None, say: Callable[[Answer, bool], Response]
) -> Taken | None:
    """Make `worker` the writer of a running stream, under the next epoch. A job of `Log.write`.

    None if its lease has changed, if it has ended or has a stop request, or after `MOST_WORKERS` or `MOST_DEATHS`.
    `say` makes the first event from the answer so far, and from whether the stream was handed over.
    """
    # The lock excludes writers of its events (`fence.insert_events`), so that none is stored in between.
    held = Stream.objects.select_for_update().filter(pk=stream_id, status=events.RUNNING, lease_until=lease_until)
    may_go_on = held.filter(stop_requested_at=None, epoch__lt=FIRST_EPOCH + MOST_WORKERS - 1)
    row = may_go_on.values_list("epoch", "created_at", "worker").first()
    if row is None:
        return None
    stored, is_handed_over = list(stored_events(stream_id)), row[2] == NOBODY
    if not is_handed_over and deaths_in(stored) >= MOST_DEATHS:
        return None
    epoch, now = row[0] + 1, timezone.now()
    Stream.objects.filter(pk=stream_id).update(epoch=epoch, worker=worker, lease_until=now)
    answer, before = Answer.of(stored), stored[-1]
    response = say(answer, is_handed_over)
    at = max(before.at, int((now - row[1]).total_seconds() * 1e6))
    last = Event(before.seq + 1, at, events.encode(response))
    insert_events(django_execute, [(key_of(stream_id), *last, epoch)])
    if events.begins_anew(response):
        answer.begin_anew()
    spoke = (event.at for event in stored[1:] if events.parts_of(events.decode(event.data)))
    return Taken(epoch, last, answer, next(spoke, None), is_handed_over)


def deaths_in(stored: Sequence[Event]) -> int:
    """How many workers of a stream have died, according to its events."""
    said = (event.data for event in stored if events.PICKED_UP in event.data)
    return sum(events.is_after_death(events.decode(data)) for data in said)
