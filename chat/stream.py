"""`follow`: live, resume and replay are this one function."""

import asyncio
from collections.abc import AsyncGenerator
from uuid import UUID

from chat import eventlog, live
from chat.events import Event

HEARTBEAT = 15.0
"""Seconds of silence after which an empty batch is yielded (https://html.spec.whatwg.org/#authoring-notes)."""


async def follow(stream_id: UUID, after: int = -1) -> AsyncGenerator[list[Event], None]:
    """Every committed event with a seq above `after`, in batches as large as what the reader has not yet got.

    Yields an empty batch after `HEARTBEAT` seconds of silence. Returns after the last event of an ended stream, at
    once for an unknown one. Slow readers cost nothing: what they miss waits in the log.
    """
    loop = asyncio.get_running_loop()
    heard = loop.time()
    tail = eventlog.tail_of(stream_id)
    with live.listen(stream_id) as hint:
        while True:
            hint.clear()
            found = None if tail is None else tail.since(after)
            if tail is not None and found is not None:  # most looks end here: no query, nothing to wait for
                ended, more = tail.ended, False
            else:
                found, ended, more = await eventlog.read(stream_id, after)
                tail = eventlog.tail_of(stream_id)
            if found:
                after = found[-1].seq
                yield found
                heard = loop.time()
            if ended:
                return
            if more:
                continue
            silence = HEARTBEAT - (loop.time() - heard)
            if silence <= 0:
                yield []
                heard = loop.time()
                continue
            await hint.ringing(min(silence, live.patience()) if tail is None else silence)
