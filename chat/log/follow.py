"""Live, resume and replay are one function: pages of a stream's events until it ends."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from typing import Protocol, TypeVar

from chat.log.pages import Page
from chat.log.subscriber import Deliver, Subscriber
from chat.log.tail import Tail
from chat.protocol.errors import NotFound

HEARTBEAT = 15.0
"""Seconds of silence after which an empty page is yielded (https://html.spec.whatwg.org/#authoring-notes)."""

DELETED = "This answer was deleted."


Key = TypeVar("Key", contravariant=True)


class Source(Protocol[Key]):
    """Where pages come from: `Log`, by a stream's id, and `Feeds`."""

    def tail_of(self, key: Key, /) -> Tail | None:
        """The stream's tail, where this process writes it or has just written its end."""
        ...

    async def read(self, key: Key, after: int, /) -> Page:
        """Committed events after a cursor."""
        ...

    def subscribe(self, key: Key, subscriber: Subscriber, /) -> Callable[[], None]:
        """Have the subscriber told of commits; returns what ends that."""
        ...

    def poll_seconds(self, tail: Tail | None, /) -> float:
        """After how long a reader looks by itself although nobody told it."""
        ...


class Followed(Protocol[Key]):
    """What can be followed: `Log`, by a stream's id, and `Feeds`. The ids of its events begin with the key's text."""

    def follow(
        self, key: Key, /, after: int = -1, deliver: Deliver | None = None, live: bool = True
    ) -> AsyncGenerator[Page, None]:
        """Pages of what comes after a cursor."""
        ...


async def follow(
    source: Source[Key], key: Key, after: int = -1, deliver: Deliver | None = None, live: bool = True
) -> AsyncGenerator[Page, None]:
    """Every committed event with a seq above `after`, in pages as large as what the reader has not yet got.

    The last page has `ended`. With `live` off it returns when all that is stored was yielded. An empty page is yielded
    after `HEARTBEAT` seconds of silence. Slow readers cost nothing: what they miss waits in the log. NotFound where the
    stream was deleted, before or meanwhile.

    While it waits, what is committed is offered to `deliver` at once, which saves an event-loop iteration and the
    steps of eight coroutines; what `deliver` does not take is yielded.
    """
    loop = asyncio.get_running_loop()
    subscriber = Subscriber(after, deliver)
    unsubscribe = source.subscribe(key, subscriber)
    try:
        while True:
            subscriber.clear()
            tail = source.tail_of(key)
            page = await _page(source, tail, key, subscriber.after)
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
                await subscriber.wait(min(silence, source.poll_seconds(tail)))
    finally:
        unsubscribe()
        subscriber.close()


async def _page(source: Source[Key], tail: Tail | None, key: Key, after: int) -> Page:
    """What is committed after the cursor: no query and nothing to wait for where the stream is written here."""
    if tail is not None and (found := tail.since(after)) is not None:
        return Page(found, tail.ended)
    return await source.read(key, after)
