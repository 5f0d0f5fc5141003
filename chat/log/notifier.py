"""Notifies other processes, through the channel layer (Redis), which streams and feeds have grown. It carries no data.

Only streams and feeds that another process follows are announced: each process says which ones it follows, at first and
then periodically. A notification may be lost, repeated, late or out of order without effect: a reader that gets one
reads the log from its own cursor, and a reader that gets none polls (`eventlog.POLL_…`).
"""

import asyncio
import logging
from collections.abc import Callable
from time import monotonic
from typing import Any, NamedTuple
from uuid import UUID

log = logging.getLogger(__name__)

GROUP = "wondercam.notifications"

RETRY_AFTER = 0.5
"""Seconds between attempts to reach a channel layer that is unavailable."""


SAID_AGAIN = 2.0
"""Seconds after which a process repeats that it follows a stream, while the stream grows."""

FEEDS_SAID_AGAIN = 20.0
"""The same for feeds, which are followed for hours."""

FOLLOWED_FOR = 60.0
"""Seconds for which a user's feed counts as followed elsewhere after a process has said so; at most twice as long."""


class NotificationHandlers(NamedTuple):
    """Callbacks for the notifications of other processes, each with the id of a stream or of a user."""

    reached: Callable[[UUID], None]
    """The stream has grown."""
    stop: Callable[[UUID], None]
    """A stop request for the stream has arrived."""
    followed: Callable[[UUID], None]
    """The other process follows the stream."""
    changed: Callable[[int], None]
    """The user's feed has grown."""


class Notifier:
    """Sends and receives notifications. What is reported during a send goes into the next one: a burst of commits is
    one message.
    """

    def __init__(self, layer: Any, handlers: NotificationHandlers) -> None:
        self._layer = layer
        self._handlers = handlers
        self._said: dict[UUID | int, float] = {}
        self._feeds = Lately(FOLLOWED_FOR)
        self._waiting: dict[str, dict[str, int]] = {}
        self._something = asyncio.Event()
        self._tasks = [asyncio.create_task(self._send()), asyncio.create_task(self._receive())]

    def reached(self, stream_id: UUID, seq: int) -> None:
        """Notify that the stream has reached `seq`; call it after the commit."""
        self._tell("reached", stream_id, seq)

    def stop(self, stream_id: UUID) -> None:
        """Pass on a stop request for this stream."""
        self._tell("stop", stream_id, 0)

    def changed(self, user_id: int) -> None:
        """Notify that the user's feed has grown; call it after the commit."""
        if user_id in self._feeds:
            self._tell("changed", user_id, 0)

    def follows(self, stream_id: UUID) -> None:
        """Say that another process's stream is followed here, unless that was said less than `SAID_AGAIN` ago."""
        self._say("followed", stream_id, SAID_AGAIN)

    def follows_feed(self, user_id: int) -> None:
        """The same for a user's feed."""
        self._say("feeds", user_id, FEEDS_SAID_AGAIN)

    def left(self, name: UUID | int) -> None:
        """Take note that nobody here follows this stream, or this user's feed, any more."""
        self._said.pop(name, None)

    def _say(self, kind: str, name: UUID | int, seconds: float) -> None:
        now = monotonic()
        if now >= self._said.get(name, 0.0):
            self._said[name] = now + seconds
            self._tell(kind, name, 0)

    def _tell(self, kind: str, name: UUID | int, seq: int) -> None:
        self._waiting.setdefault(kind, {})[str(name)] = seq
        self._something.set()

    async def close(self) -> None:
        """Stop sending and receiving."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if hasattr(self._layer, "close_pools"):
            await self._layer.close_pools()

    async def _send(self) -> None:
        while True:
            await self._something.wait()
            self._something.clear()
            waiting, self._waiting = self._waiting, {}
            try:
                await self._layer.group_send(GROUP, {"type": "notifications", **waiting})
            except Exception as error:  # a notification may be lost: readers poll
                log.warning("other processes could not be notified: %s", type(error).__name__)
                await asyncio.sleep(RETRY_AFTER)

    async def _receive(self) -> None:
        while True:
            try:
                channel = await self._layer.new_channel()
                await self._layer.group_add(GROUP, channel)
                while True:
                    self._take(await self._layer.receive(channel))
            except Exception as error:  # the layer may restart at any time
                log.warning("notifications could not be received: %s", type(error).__name__)
                await asyncio.sleep(RETRY_AFTER)

    def _take(self, message: dict[str, Any]) -> None:
        for stream_id in message.get("reached", ()):
            self._handlers.reached(UUID(stream_id))
        for stream_id in message.get("stop", ()):
            self._handlers.stop(UUID(stream_id))
        for stream_id in message.get("followed", ()):
            self._handlers.followed(UUID(stream_id))
        for user_id in message.get("changed", ()):
            self._handlers.changed(int(user_id))
        for user_id in message.get("feeds", ()):
            self._feeds.add(int(user_id))


class Lately:
    """A set whose members expire `seconds` to `2 * seconds` after they were added last. It keeps two sets and drops the
    older one, so that no member has to be checked."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._until = monotonic() + seconds
        self._new = set[int]()
        self._old = set[int]()

    def add(self, name: int) -> None:
        """Add a member, or renew it."""
        self._drop()
        self._new.add(name)

    def __contains__(self, name: int) -> bool:
        self._drop()
        return name in self._new or name in self._old

    def _drop(self) -> None:
        late = monotonic() - self._until
        if late >= 0:
            self._old = self._new if late < self._seconds else set()
            self._new = set()
            self._until = monotonic() + self._seconds
