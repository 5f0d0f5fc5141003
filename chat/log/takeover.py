"""Changing hands: a worker that goes down hands its streams over, and whoever takes one over is its next writer.

The next epoch is another worker's, and its first event says so.
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
"""How often a stream outlives its worker's death: a question that kills its worker is not asked for ever."""

MOST_HANDS = 10
"""Workers that may hold a stream, one after the other. It is nobody's fault that a worker is told to stop; but each
one asks the model again."""

NOBODY = ""
"""The `worker` of a running stream that was handed over, until somebody takes it."""

HAND_OVER = f"""
UPDATE {Stream._meta.db_table} SET worker = %s, lease_until = %s
WHERE id = %s AND epoch = %s AND status = '{events.RUNNING}' AND stop_requested_at IS NULL
"""


class Taken(NamedTuple):
    """A stream that was taken over: its new epoch, its last event, which says so, the answer as far as it counts, and
    whether it was handed over."""

    epoch: int
    last: Event
    answer: Answer
    first_token_us: int | None
    handed_over: bool


def hand_over(stream_id: UUID, epoch: int, database: Database = DJANGO) -> bool:
    """Let whoever looks next take a stream over, which is stored as far as it goes; False where it is not this
    writer's any more, or is to be stopped. A job of `Log.write`."""
    return database.execute(HAND_OVER, [NOBODY, moment(timezone.now()), key_of(stream_id), epoch]) > 0


def take_over(
    stream_id: UUID, worker: str, lease_until: datetime | None, say: Callable[[Answer, bool], Response]
) -> Taken | None:
    """Hold a running stream from now on, as `worker`; None where its lease is another by now, where it has ended, is to
    be stopped, or has had `MOST_HANDS` or `MOST_DEATHS`. A job of `Log.write`.

    `say` makes the event from the answer so far, and from whether it was handed over. Whoever wrote the stream until
    now finds its epoch over.
    """
    # Locked against the writers of its events (`fence.insert_events`), so that none comes between.
    held = Stream.objects.select_for_update().filter(pk=stream_id, status=events.RUNNING, lease_until=lease_until)
    may_go_on = held.filter(stop_requested_at=None, epoch__lt=FIRST_EPOCH + MOST_HANDS - 1)
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
    """How many workers of a stream have died, by its log."""
    said = (event.data for event in stored if events.PICKED_UP in event.data)
    return sum(events.is_after_death(events.decode(data)) for data in said)
