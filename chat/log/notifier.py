"""Tells other processes which streams have grown, over the channel layer where there is Redis. Never the data.

What is told may be lost, doubled, late or out of order to no effect: whoever is told reads the log from its own cursor,
and whoever is not told looks by itself before long (`eventlog.POLL_…`).
"""

import asyncio
import logging
from collections.abc import Callable
from typing import Any
from uuid import UUID

log = logging.getLogger(__name__)

GROUP = "wondercam.notifications"

RETRY_AFTER = 0.5
"""Seconds between attempts to reach a channel layer that is away."""


class Notifier:
    """The other processes. What there is to tell is gathered while one send is under way: a burst of commits is one
    message.

    `on_reached` is called for each stream that has grown elsewhere, `on_stop` for each that is to be stopped,
    `on_changed` for each user whose feed has grown.
    """

    def __init__(
        self,
        layer: Any,
        on_reached: Callable[[UUID], None],
        on_stop: Callable[[UUID], None],
        on_changed: Callable[[int], None],
    ) -> None:
        self._layer = layer
        self._on_reached = on_reached
        self._on_stop = on_stop
        self._on_changed = on_changed
        self._waiting: dict[str, dict[str, int]] = {}
        self._something = asyncio.Event()
        self._tasks = [asyncio.create_task(self._send()), asyncio.create_task(self._receive())]

    def reached(self, stream_id: UUID, seq: int) -> None:
        """The stream has reached `seq`; call it after the commit."""
        self._tell("reached", stream_id, seq)

    def stop(self, stream_id: UUID) -> None:
        """A reader asks for this stream to be stopped."""
        self._tell("stop", stream_id, 0)

    def changed(self, user_id: int) -> None:
        """The user's feed has grown; call it after the commit."""
        self._tell("changed", user_id, 0)

    def _tell(self, kind: str, name: UUID | int, seq: int) -> None:
        self._waiting.setdefault(kind, {})[str(name)] = seq
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
            waiting, self._waiting = self._waiting, {}
            try:
                await self._layer.group_send(GROUP, {"type": "notifications", **waiting})
            except Exception as error:  # it may be lost: readers look by themselves
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
            self._on_reached(UUID(stream_id))
        for stream_id in message.get("stop", ()):
            self._on_stop(UUID(stream_id))
        for user_id in message.get("changed", ()):
            self._on_changed(int(user_id))
