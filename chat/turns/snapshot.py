"""Snapshots: the answer so far as one event, for readers that join late and need not read every event.

The answer of a turn of this process is taken from the turn, and that of an ended stream from its message, without
reading events. That of a turn of another process is put together from its stored events, in a thread.
"""

import asyncio

from asgiref.sync import sync_to_async

from chat import models
from chat.log import Log
from chat.log.pages import stored_events
from chat.models import Stream
from chat.protocol import events
from chat.protocol.answer import Answer
from chat.protocol.events import Event
from chat.turns.runner import Turns
from chat.turns.turn import Turn

TRIES, PATIENCE = 3, 0.05
"""How many commits to wait for, and how many seconds, before the reader gets the single events instead."""


async def snapshot_of(turns: Turns, log: Log, stream: Stream) -> Event | None:
    """One event for the events from 1 to a recent one, with the seq of the latter. None if the reader has to get the
    single events: there is none yet, or the turn could not be read between two commits.

    The end of a stream that was not completed is not part of it: that event follows the snapshot.
    """
    turn = turns.turn_of(stream.pk)
    if turn is None:
        return await sync_to_async(_stored)(stream)
    try:
        async with asyncio.timeout(PATIENCE):
            return await _of(turn)
    except Exception:  # the log is slow or fails: the reader of the single events is told
        return None


async def _of(turn: Turn) -> Event | None:
    """The snapshot of a turn of this process, once everything is stored. Raises the error of its commit."""
    for _ in range(TRIES):
        if (found := turn.so_far()) is not None:
            newest, parts = found
            return Event(newest.seq, newest.at, events.encode(events.snapshot(parts))) if newest.seq > 0 else None
        await turn.tail.settled()
    return None


def _stored(stream: Stream) -> Event | None:
    """The snapshot of any other stream. It blocks: call it in a thread."""
    if stream.status == events.RUNNING:
        return _put_together(stream)
    newest = list(models.Event.objects.filter(stream=stream, seq__gt=0).order_by("-seq")[:2])
    said = newest[:1] if stream.status == events.COMPLETE else newest[1:]
    if not said:
        return None
    parts = models.Message.objects.values_list("parts", flat=True).get(pk=stream.answer_id)
    last = events.decode(said[0].data) if stream.status == events.COMPLETE else None
    return Event(said[0].seq, said[0].at, events.encode(events.snapshot(parts, last)))


def _put_together(stream: Stream) -> Event | None:
    """The snapshot of all stored events but the newest, which may be the end of the stream."""
    answer, held, last = Answer(), None, None
    for event in stored_events(stream.pk):
        if held is not None and held.seq > 0:
            answer.add(events.decode(held.data))
            last = held
        held = event
    return None if last is None else Event(last.seq, last.at, events.encode(events.snapshot(answer.so_far())))
