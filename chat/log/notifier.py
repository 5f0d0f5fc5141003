"""Wake-ups: "stream S has reached seq N". Never the data.

Readers in this process are woken at once. Other processes are told over the channel layer where there is Redis;
what they are told may be lost, doubled, late or out of order, since whoever is woken reads the log from its own
cursor, and whoever is not woken looks by itself before long (`PATIENCE`).
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

from channels.layers import get_channel_layer
from django.conf import settings

log = logging.getLogger(__name__)

GROUP = "wondercam.hints"

PATIENCE_WITH_HINTS = 1.0
"""Seconds after which a reader of another process's stream looks by itself, although hints should come."""

PATIENCE_ALONE = 0.25
"""The same where no hint can come, for want of Redis."""

RETRY_AFTER = 0.5
"""Seconds between attempts to reach a channel layer that is away."""


class Hint:
    """One reader's bell: rung by `announce`, cleared before each look at the log, so that no ring is missed.

    Its timer is not moved at every wait, which would cost more than the wait: when it fires too early it is set again.

    A reader that waits may be served where it stands: `serve` says whether it was, and nobody is woken then.
    """

    __slots__ = ("_due", "_loop", "_timer", "_waiter", "rung", "serve")

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._waiter: asyncio.Future[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._due = 0.0
        self.rung = False
        self.serve: Callable[[], bool] | None = None

    def clear(self) -> None:
        """Forget earlier rings; the caller looks at the log next."""
        self.rung = False

    def ring(self) -> None:
        """Serve or wake the reader that waits, or let its next wait return at once."""
        waiter = self._waiter
        if waiter is None or waiter.done():
            self.rung = True
        elif self.serve is None or not self.serve():
            self.rung = True
            waiter.set_result(None)

    def ringing(self, seconds: float) -> asyncio.Future[None]:
        """Done as soon as the bell is rung, at once where it was rung since `clear`, or after `seconds` without it."""
        self._waiter = waiter = self._loop.create_future()
        if self.rung:
            waiter.set_result(None)
            return waiter
        self._due = self._loop.time() + seconds
        if self._timer is None or self._timer.when() > self._due:
            self.close()
            self._timer = self._loop.call_at(self._due, self._expire)
        return waiter

    def close(self) -> None:
        """Stop the timer."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _expire(self) -> None:
        self._timer = None
        if self._waiter is None or self._waiter.done():
            return
        if self._loop.time() < self._due:
            self._timer = self._loop.call_at(self._due, self._expire)
        else:
            self._waiter.set_result(None)


_hints: dict[int, set[Hint]] = {}
"""By the stream's id as a number: a UUID's own hash is a call, and this is asked at every event."""


@contextlib.contextmanager
def listen(stream_id: UUID) -> Iterator[Hint]:
    """A bell that rings whenever the stream has more to read."""
    hint = Hint()
    _hints.setdefault(stream_id.int, set()).add(hint)
    try:
        yield hint
    finally:
        hint.close()
        listeners = _hints[stream_id.int]
        listeners.discard(hint)
        if not listeners:
            del _hints[stream_id.int]


def wake(stream_id: UUID) -> None:
    """Wake this process's readers of the stream."""
    for hint in _hints.get(stream_id.int, ()):
        hint.ring()


def announce(stream_id: UUID, seq: int) -> None:
    """Tell every reader, here and in other processes, that the stream has reached `seq`; call it after the commit."""
    for hint in _hints.get(stream_id.int, ()):
        hint.ring()
    if _peers is not None:
        _peers.tell("reached", stream_id, seq)


def ask_to_stop(stream_id: UUID) -> None:
    """Tell the other processes that a reader wants this stream stopped."""
    if _peers is not None:
        _peers.tell("stop", stream_id, 0)


def patience() -> float:
    """Seconds for which a reader of another process's stream waits for a hint before it looks by itself."""
    return PATIENCE_ALONE if _peers is None else PATIENCE_WITH_HINTS


class Peers:
    """The other processes, reached over the channel layer. What there is to tell is gathered while one send is under
    way, so a burst of commits is one message."""

    def __init__(self, on_stop: Callable[[UUID], None]) -> None:
        self._layer: Any = get_channel_layer()
        self._on_stop = on_stop
        self._news: dict[str, dict[str, int]] = {}
        self._something = asyncio.Event()
        self._tasks = [asyncio.create_task(self._send()), asyncio.create_task(self._receive())]

    def tell(self, kind: str, stream_id: UUID, seq: int) -> None:
        """Put one piece of news into the next message; a newer seq replaces an older one."""
        self._news.setdefault(kind, {})[str(stream_id)] = seq
        self._something.set()

    async def close(self) -> None:
        """Stop telling and listening."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if hasattr(self._layer, "close_pools"):
            await self._layer.close_pools()

    async def _send(self) -> None:
        while True:
            await self._something.wait()
            self._something.clear()
            news, self._news = self._news, {}
            try:
                await self._layer.group_send(GROUP, {"type": "hints", **news})
            except Exception as error:  # a hint may be lost: readers look by themselves
                log.warning("hints could not be sent: %s", type(error).__name__)
                await asyncio.sleep(RETRY_AFTER)

    async def _receive(self) -> None:
        while True:
            try:
                channel = await self._layer.new_channel()
                await self._layer.group_add(GROUP, channel)
                while True:
                    self._hear(await self._layer.receive(channel))
            except Exception as error:  # the layer may restart at any time
                log.warning("hints could not be received: %s", type(error).__name__)
                await asyncio.sleep(RETRY_AFTER)

    def _hear(self, message: dict[str, Any]) -> None:
        for stream_id in message.get("reached", ()):
            wake(UUID(stream_id))
        for stream_id in message.get("stop", ()):
            self._on_stop(UUID(stream_id))


_peers: Peers | None = None


def open_peers(on_stop: Callable[[UUID], None]) -> None:
    """Begin to exchange hints with other processes, where there is Redis; `on_stop` gets their wishes to stop."""
    global _peers
    if settings.REDIS_URL and _peers is None:
        _peers = Peers(on_stop)


async def close_peers() -> None:
    """The opposite of `open_peers`."""
    global _peers
    if _peers is not None:
        await _peers.close()
        _peers = None
