"""`follow`: live, resume and replay are this one function."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from uuid import UUID

from chat.log import eventlog, notifier
from chat.log.pages import Page
from chat.protocol.events import Event

HEARTBEAT = 15.0
"""Seconds of silence after which an empty batch is yielded (https://html.spec.whatwg.org/#authoring-notes)."""

Push = Callable[[list[Event]], bool]
"""Takes a batch on the spot, or says no."""


class Place:
    """Where one reader is in a stream; `heard` is when it last got something, on the loop's clock."""

    __slots__ = ("after", "heard", "push", "stream_id", "tail", "time")

    def __init__(self, stream_id: UUID, after: int, push: Push | None) -> None:
        self.stream_id = stream_id
        self.after = after
        self.push = push
        self.tail = eventlog.tail_of(stream_id)
        self.time = asyncio.get_running_loop().time
        self.heard = self.time()

    async def look(self) -> Page:
        """What is committed after it. No query and nothing to wait for where the stream is written in this process."""
        found = None if self.tail is None else self.tail.since(self.after)
        if self.tail is not None and found is not None:
            page = Page(found, self.tail.ended)
        else:
            page = await eventlog.read(self.stream_id, self.after)
            self.tail = eventlog.tail_of(self.stream_id)
        if page.events:
            self.after = page.events[-1].seq
        return page

    def serve(self) -> bool:
        """Push what was just committed; False where there is nothing to push, or it is the end, or it is not taken."""
        found = None if self.tail is None or self.tail.ended else self.tail.since(self.after)
        if not found or self.push is None or not self.push(found):
            return False
        self.after, self.heard = found[-1].seq, self.time()
        return True


async def follow(stream_id: UUID, after: int = -1, push: Push | None = None) -> AsyncGenerator[list[Event], None]:
    """Every committed event with a seq above `after`, in batches as large as what the reader has not yet got.

    Yields an empty batch after `HEARTBEAT` seconds of silence. Returns after the last event of an ended stream, at
    once for an unknown one. Slow readers cost nothing: what they miss waits in the log.

    While it waits, what is committed is offered to `push` at once, which saves a turn of the loop and the steps of
    eight coroutines; what `push` does not take is yielded.
    """
    place = Place(stream_id, after, push)
    with notifier.listen(stream_id) as hint:
        hint.serve = None if push is None else place.serve
        while True:
            hint.clear()
            page = await place.look()
            if page.events:
                yield page.events
                place.heard = place.time()
            if page.ended:
                return
            if page.more:
                continue
            silence = HEARTBEAT - (place.time() - place.heard)
            if silence <= 0:
                yield []
                place.heard = place.time()
                continue
            await hint.ringing(silence if place.tail is not None else min(silence, notifier.patience()))
