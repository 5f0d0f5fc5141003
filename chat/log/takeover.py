"""Taking over a stream whose worker is gone: the next epoch is another worker's, and its first event says so."""

from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from django.utils import timezone

from chat.log.fence import FIRST_EPOCH, insert_events
from chat.log.pages import stored_events
from chat.log.sql import django_execute, key_of
from chat.models import Stream
from chat.protocol import events
from chat.protocol.answer import Answer
from chat.protocol.events import Event, Response

MOST = 3
"""How often a stream is taken over: a question that kills its worker is not asked for ever."""


class Taken(NamedTuple):
    """A stream that was taken over: its new epoch, its last event, which says so, the answer as far as it counts."""

    epoch: int
    last: Event
    answer: Answer
    first_token_us: int | None


def take_over(
    stream_id: UUID, worker: str, lease_until: datetime | None, say: Callable[[Answer], Response]
) -> Taken | None:
    """Hold a running stream from now on, as `worker`; None where its lease is another by now, where it has ended, is to
    be stopped, or was taken over `MOST` times. A job of `Log.write`.

    `say` makes the event from the answer so far. Whoever wrote the stream until now finds its epoch over.
    """
    # Locked against the writers of its events (`fence.insert_events`), so that none comes between.
    held = Stream.objects.select_for_update().filter(pk=stream_id, status=events.RUNNING, lease_until=lease_until)
    row = held.filter(stop_requested_at=None, epoch__lt=FIRST_EPOCH + MOST).values_list("epoch", "created_at").first()
    if row is None:
        return None
    epoch, now = row[0] + 1, timezone.now()
    Stream.objects.filter(pk=stream_id).update(epoch=epoch, worker=worker, lease_until=now)
    stored = list(stored_events(stream_id))
    answer, before = Answer.of(stored), stored[-1]
    response = say(answer)
    at = max(before.at, int((now - row[1]).total_seconds() * 1e6))
    last = Event(before.seq + 1, at, events.encode(response))
    insert_events(django_execute, [(key_of(stream_id), *last, epoch)])
    if events.begins_anew(response):
        answer.begin_anew()
    spoke = (event.at for event in stored[1:] if events.parts_of(events.decode(event.data)))
    return Taken(epoch, last, answer, next(spoke, None))
