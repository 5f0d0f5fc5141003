"""What an answer adds up to so far, as one event: for readers who come late, and need not read every event again.

An answer that is generated here is known to its turn, one that has ended to its message; neither takes a look at the
events. One that another process generates is put together from its stored events, in a thread.
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
"""How many commits, and for how many seconds, are waited for before events come one by one after all."""


async def snapshot_of(turns: Turns, log: Log, stream: Stream) -> Event | None:
    """What events 1 to some newer one add up to, under that one's seq; None where they are to come one by one: there is
    none yet, or more was said than is stored.

    An end that is more than a `finishReason` is not part of it: it comes behind it, as the event that it is.
    """
    turn = turns.turn_of(stream.pk)
    if turn is None:
        return await sync_to_async(_stored)(stream)
    try:
        async with asyncio.timeout(PATIENCE):
            return await _of(turn)
    except Exception:  # the log is slow, or fails: the readers of its events learn that
        return None


async def _of(turn: Turn) -> Event | None:
    """What a turn of this process has said, once all of it is stored. Raises what made its commit fail."""
    for _ in range(TRIES):
        if (found := turn.so_far()) is not None:
            newest, parts = found
            return Event(newest.seq, newest.at, events.encode(events.snapshot(parts))) if newest.seq > 0 else None
        await turn.tail.settled()
    return None


def _stored(stream: Stream) -> Event | None:
    """The same from the table. For a thread."""
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
    """All stored events but the newest, which may be the end by now."""
    answer, held, last = Answer(), None, None
    for event in stored_events(stream.pk):
        if held is not None and held.seq > 0:
            answer.add(events.decode(held.data))
            last = held
        held = event
    return None if last is None else Event(last.seq, last.at, events.encode(events.snapshot(answer.so_far())))
