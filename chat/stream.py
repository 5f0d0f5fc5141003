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
    with live.listen(stream_id) as hint:
        while True:
            hint.clear()
            page = await eventlog.read(stream_id, after)
            if page.events:
                after = page.events[-1].seq
                yield page.events
                heard = loop.time()
            if page.ended:
                return
            if page.more:
                continue
            silence = HEARTBEAT - (loop.time() - heard)
            if silence <= 0:
                yield []
                heard = loop.time()
                continue
            await hint.wait(silence if eventlog.is_local(stream_id) else min(silence, live.patience()))
