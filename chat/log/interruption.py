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
    """End a running stream as interrupted, or as stopped if its reader has asked for that, after its last stored event;
    the seq of the end. A job of `Log.write`.

    `still` are fields that the stream's row must still have, such as `lease_until`. None if it has others by now, or if
    the stream has ended. The epoch of its previous writer is over after this.
    """
    try:
        with transaction.atomic():
            # The lock excludes writers (`fence.insert_events`), so that no event is stored after the end.
            held = Stream.objects.select_for_update().filter(pk=stream_id, status=events.RUNNING, **still)
            row = held.values_list("user_id", "epoch", "stop_requested_at").first()
            return None if row is None else _end(stream_id, row[0], row[1], error, is_to_stop=row[2] is not None)
    except (IntegrityError, LeaseLost):
        return None


def _end(stream_id: UUID, user_id: int, epoch: int, error: ApiError, *, is_to_stop: bool) -> int:
    stored = list(stored_events(stream_id))
    last, answer = stored[-1] if stored else Event(-1, 0, ""), Answer.of(stored)
    is_stopped = is_to_stop and len(stored) == last.seq + 1  # a log with a hole can end as interrupted only
    ending = Ending(
        user_id=user_id,
        status=events.STOPPED if is_stopped else events.INTERRUPTED,
        parts=answer.finished(),
        ended_at=timezone.now(),
        error=None if is_stopped else error.as_json()["error"],
        usage=answer.usage if is_stopped else None,
        first_token_us=stored[1].at if len(stored) > 1 else None,
    )
    response = events.stopped(answer.usage) if is_stopped else events.failure(error, events.INTERRUPTED)
    row = (key_of(stream_id), last.seq + 1, last.at, events.encode(response), epoch)
    insert_events(django_execute, [row])
    update_endings(django_execute, [(row, ending)])
    return last.seq + 1
