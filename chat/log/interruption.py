"""`interrupt`: ends a stream that its worker could not or did not end."""

from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils import timezone

from chat.log.fence import Ending, LeaseLost, insert_events, update_endings
from chat.log.pages import stored_events
from chat.log.sql import django_execute, key_of
from chat.models import Stream
from chat.protocol import events
from chat.protocol.answer import Answer
from chat.protocol.errors import ApiError
from chat.protocol.events import Event


def interrupt(stream_id: UUID, error: ApiError, **still: Any) -> int | None:
    """End a running stream as interrupted, after its last stored event; the seq of the end. A job of `Log.write`.

    `still` are fields that the stream's row must still have, such as `lease_until`. None if it has others by now, or if
    the stream has ended. The epoch of its previous writer is over after this.
    """
    try:
        with transaction.atomic():
            # The lock excludes writers (`fence.insert_events`), so that no event is stored after the end.
            held = Stream.objects.select_for_update().filter(pk=stream_id, status=events.RUNNING, **still)
            epoch = held.values_list("epoch", flat=True).first()
            return None if epoch is None else _end(stream_id, epoch, error)
    except (IntegrityError, LeaseLost):
        return None


def _end(stream_id: UUID, epoch: int, error: ApiError) -> int:
    stored = list(stored_events(stream_id))
    last = stored[-1] if stored else Event(-1, 0, "")
    ending = Ending(
        status=events.INTERRUPTED,
        parts=Answer.of(stored).finished(),
        ended_at=timezone.now(),
        error=error.as_json()["error"],
        first_token_us=stored[1].at if len(stored) > 1 else None,
    )
    row = (key_of(stream_id), last.seq + 1, last.at, events.encode(events.failure(error, events.INTERRUPTED)), epoch)
    insert_events(django_execute, [row])
    update_endings(django_execute, [(row, ending)])
    return last.seq + 1
