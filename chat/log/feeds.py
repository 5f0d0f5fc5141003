"""Feeds: what happens in all of a user's conversations, or in one of them, as pages that never end.

A feed is followed like a stream (`follow.py`), with the id of the last line as cursor. `changed` wakes the feed's
readers in this process, and those of other processes through the notifier. Readers that neither reaches are woken by a
poll: one query for the newest lines of all users whose feeds are read here.
"""

import asyncio
import contextvars
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from typing import Any, NamedTuple
from uuid import UUID

from django.utils import timezone

from chat.log.changes import BOUNDS, DELETED, GENERATING, KEPT, LINES, LINES_OF_ONE, id_of, newest_of, prune
from chat.log.follow import follow
from chat.log.notifier import Notifier
from chat.log.pages import Page
from chat.log.sql import key_of
from chat.log.subscriber import Deliver, Subscriber
from chat.log.timeouts import Timeouts
from chat.protocol import events
from chat.protocol.errors import Unavailable
from chat.protocol.events import Event

log = logging.getLogger(__name__)

POLL_SECONDS = 0.5
"""Seconds between polls for lines that no notification announced."""

PRUNED_EVERY = 3600.0
PAGE_LINES = 200
USERS_AT_ONCE = 500

GENERATING_NOW = "generating"
"""The type of a feed's first line, which is not stored: the streams that are running at that moment."""

GOING_DOWN = "This server is shutting down; another one takes over in a moment."

Fetch = Callable[[str, Sequence[Any]], Awaitable[list[Any]]]


class FeedKey(NamedTuple):
    """The feed of a user, or the part of it about one conversation."""

    user_id: int
    conversation_id: UUID | None = None

    def __str__(self) -> str:
        """The beginning of the ids of its events."""
        return "feed"


class Feeds:
    """The feeds that are read in one process. `fetch` runs a SELECT, `timeouts` those of the running loop."""

    def __init__(self, fetch: Fetch, timeouts: Callable[[], Timeouts]) -> None:
        self._fetch, self.timeouts = fetch, timeouts
        self._notifier: Notifier | None = None
        self._subscribers: dict[int, list[Subscriber]] = {}
        self._seen: dict[int, int] = {}
        self._looking: asyncio.Task[None] | None = None
        self._is_left = False

    def open(self, notifier: Notifier | None) -> None:
        """Start; `notifier` reaches the other processes."""
        self._notifier = notifier
        self._is_left = False

    def leave(self) -> None:
        """End all responses and accept no more, because this process is going down; readers resume at another one."""
        self._is_left = True
        for user_id in self._subscribers:
            self.wake(user_id)

    def close(self) -> None:
        """Stop polling and notifying. The feeds may be opened again."""
        self._notifier, self._is_left = None, False
        if self._looking is not None:
            self._looking.cancel()
            self._looking = None

    def changed(self, user_id: int) -> None:
        """Wake the readers of the user's feeds in all processes; call it after a line was committed here."""
        self.wake(user_id)
        if self._notifier is not None:
            self._notifier.changed(user_id)

    def wake(self, user_id: int) -> None:
        """Wake the readers of the user's feeds in this process."""
        for subscriber in self._subscribers.get(user_id, ()):
            subscriber.wake()

    def is_read(self, user_id: int) -> bool:
        """Whether a feed of the user has a reader in this process."""
        return user_id in self._subscribers

    async def follow(
        self, key: FeedKey, after: int = -1, deliver: Deliver | None = None, live: bool = True
    ) -> AsyncGenerator[Page, None]:
        """Pages of the lines after `after`. A reader without a cursor, or with one that is no longer stored, first gets
        a line with the running streams, whose id is the newest position."""
        first = await self._first(key, after)
        if first is not None:
            yield Page([first], ended=False)
            after = first.seq
        async with aclosing(follow(self, key, after, deliver, live)) as pages:
            async for page in pages:
                yield page

    async def _first(self, key: FeedKey, after: int) -> Event | None:
        [(oldest, newest)] = await self._fetch(BOUNDS, [key.user_id])
        if after >= 0 and oldest <= after <= newest:
            return None
        rows = await self._fetch(GENERATING, [key.user_id])
        running = [{"conversation": id_of(row[1]), "stream": id_of(row[0])} for row in rows]
        one = None if key.conversation_id is None else str(key.conversation_id)
        line = {
            "type": GENERATING_NOW,
            **({"conversation": one} if one else {}),
            "streams": [each for each in running if one in (None, each["conversation"])],
            **({"missed": True} if after >= 0 else {}),
        }
        return Event(newest, 0, events.encode(line))

    # `chat.log.follow.Source`

    def tail_of(self, key: FeedKey) -> None:
        """None: feeds are not kept in memory."""

    def poll_seconds(self, tail: object) -> float:
        """Infinite: `_look` polls for all readers."""
        return float("inf")

    async def read(self, key: FeedKey, after: int) -> Page:
        """At most `PAGE_LINES` lines after `after`. The feed of one conversation ends when that is deleted.

        Unavailable if this process is going down."""
        if self._is_left:
            raise Unavailable(GOING_DOWN, retry_after=1)
        if key.conversation_id is None:
            rows = await self._fetch(LINES, [key.user_id, after, PAGE_LINES])
        else:
            rows = await self._fetch(LINES_OF_ONE, [key_of(key.conversation_id), key.user_id, after, PAGE_LINES])
        if rows:
            self._saw(key.user_id, rows[-1][0])
        ended = key.conversation_id is not None and any(row[2] == DELETED for row in rows)
        return Page([line_of(*row) for row in rows], ended, more=not ended and len(rows) == PAGE_LINES)

    def subscribe(self, key: FeedKey, subscriber: Subscriber) -> None:
        """Wake the subscriber for the user's new lines."""
        user_id = key.user_id
        self._subscribers.setdefault(user_id, []).append(subscriber)
        if self._notifier is not None:
            self._notifier.follows_feed(user_id)
        if self._looking is None or self._looking.done():
            # In a context of its own: asgiref ends what belongs to the context of a request.
            self._looking = asyncio.get_running_loop().create_task(self._look(), context=contextvars.Context())

    def unsubscribe(self, key: FeedKey, subscriber: Subscriber) -> None:
        """Wake the subscriber no more."""
        user_id = key.user_id
        others = self._subscribers[user_id]
        others.remove(subscriber)
        if not others:
            del self._subscribers[user_id]
            self._seen.pop(user_id, None)
            if self._notifier is not None:
                self._notifier.left(user_id)

    async def _look(self) -> None:
        """While there are readers, poll for lines that no notification announced."""
        while self._subscribers:
            await asyncio.sleep(POLL_SECONDS)
            users = list(self._subscribers)
            try:
                for start in range(0, len(users), USERS_AT_ONCE):
                    await self._look_at(users[start : start + USERS_AT_ONCE])
            except Exception as error:  # the database may be away: the next poll tries again
                log.warning("feeds could not be polled: %s", type(error).__name__)

    async def _look_at(self, users: Sequence[int]) -> None:
        if self._notifier is not None:
            for user_id in users:
                self._notifier.follows_feed(user_id)
        for user_id, newest in await self._fetch(newest_of(users), users):
            if self._saw(user_id, newest):
                self.wake(user_id)

    def _saw(self, user_id: int, newest: int) -> bool:
        """Remember the newest line that the user's readers have seen. Return whether there are readers, and it is new:
        the last one may have left while the database was asked."""
        if user_id not in self._subscribers or newest <= self._seen.get(user_id, 0):
            return False
        self._seen[user_id] = newest
        return True


async def keep_short(write: Callable[[Callable[[], bool]], Awaitable[bool]]) -> None:
    """Delete lines older than `KEPT` in small steps, every `PRUNED_EVERY` seconds."""
    while True:
        try:
            more = True
            while more:
                more = await write(lambda: prune(timezone.now() - KEPT))
        except Exception as error:  # the database may be away: the next time tries again
            log.warning("old lines of the feeds were not deleted: %s", type(error).__name__)
        await asyncio.sleep(PRUNED_EVERY)


def line_of(id: int, conversation: Any, kind: str, data: str) -> Event:
    """A row as an event, whose data is `{"type", "conversation", …}`."""
    return Event(id, 0, events.encode({"type": kind, "conversation": id_of(conversation), **events.decode(data)}))
