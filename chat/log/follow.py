"""`follow`: pages of a stream's events until it ends. It is the one function for live reading, resume and replay."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Protocol, TypeVar

from chat.log.pages import Page
from chat.log.subscriber import Deliver, Subscriber
from chat.log.tail import Tail
from chat.log.timeouts import Timeouts
from chat.protocol.errors import NotFound

HEARTBEAT = 15.0
"""Seconds without an event after which an empty page is yielded (https://html.spec.whatwg.org/#authoring-notes)."""

DELETED = "This answer was deleted."


Key = TypeVar("Key", contravariant=True)


class Source(Protocol[Key]):
    """What `follow` needs of the object it reads: `Log`, by a stream's id, or `Feeds`, by a feed's key."""

    def tail_of(self, key: Key, /) -> Tail | None:
        """The stream's tail if this process writes the stream or has just written its end, else None."""
        ...

    async def read(self, key: Key, after: int, /) -> Page:
        """A page of the events after `after`, from the table."""
        ...

    def subscribe(self, key: Key, subscriber: Subscriber, /) -> None:
        """Notify the subscriber of commits."""
        ...

    def unsubscribe(self, key: Key, subscriber: Subscriber, /) -> None:
        """End a subscription."""
        ...

    def timeouts(self, /) -> Timeouts:
        """Those of the running event loop."""
        ...

    def poll_seconds(self, tail: Tail | None, /) -> float:
        """Seconds after which a reader polls without having been notified."""
        ...


class Followed(Protocol[Key]):
    """What a view can follow: `Log`, `WriteClock` or `Feeds`. The ids in the event stream begin with `str(key)`."""

    def follow(
        self, key: Key, /, after: int = -1, deliver: Deliver | None = None, live: bool = True
    ) -> AsyncGenerator[Page, None]:
        """Pages of the events after `after`; see `chat.log.follow.follow`."""
        ...


async def follow(
    source: Source[Key], key: Key, after: int = -1, deliver: Deliver | None = None, live: bool = True
) -> AsyncGenerator[Page, None]:
    """Yield every committed event with a seq above `after`, in pages of all that the reader has not received yet.

    The last page has `ended` set. With `live` off, the generator returns once everything stored was yielded. An empty
    page is yielded after `HEARTBEAT` seconds without an event. A slow reader needs no buffer: its events stay in the
    log. NotFound if the stream is deleted, before or meanwhile.

    While the generator waits, newly committed events are first offered to `deliver`, which saves an event-loop
    iteration and a resumed task; events that `deliver` refuses are yielded. With `deliver`, a page that has `until` is
    yielded before each wait: who leaves the generator alone until then needs no task.
    """
    loop, subscriber = asyncio.get_running_loop(), Subscriber(after, deliver, source.timeouts())
    source.subscribe(key, subscriber)
    try:
        while True:
            subscriber.clear()
            tail = source.tail_of(key)
            page = await page_of(source, tail, key, subscriber.after)
            if page.deleted:
                raise NotFound(DELETED)
            if page.events:
                subscriber.after = page.events[-1].seq
            silence = HEARTBEAT - (loop.time() - subscriber.heard)
            if page.events or page.ended or not live or silence <= 0:
                yield page
                subscriber.heard = loop.time()
                silence = HEARTBEAT
            if page.ended or not (live or page.more):
                return
            if not page.more:
                waiting = subscriber.wait(min(silence, source.poll_seconds(tail)))
                if deliver is not None and not waiting.done():
                    del page  # its events may be many, and the wait long
                    yield Page([], False, until=waiting)
                await waiting
    finally:
        source.unsubscribe(key, subscriber)
        subscriber.close()


async def page_of(source: Source[Key], tail: Tail | None, key: Key, after: int) -> Page:
    """The events after `after`: without a query or a wait where the tail has them."""
    if tail is not None and (found := tail.since(after)) is not None:
        return Page(found, tail.ended)
    return await source.read(key, after)
