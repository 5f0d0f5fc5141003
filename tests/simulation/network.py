"""The notifier's way to other processes: a channel layer whose messages are lost, doubled, late and out of order.

What it is to Django Channels: https://channels.readthedocs.io/en/latest/channel_layer_spec.html
"""

import asyncio
from typing import Any, Protocol


class Node(Protocol):
    """A process that sends and receives."""

    mailbox: "asyncio.Queue[dict[str, Any]]"
    loop: asyncio.AbstractEventLoop

    def hears(self) -> bool: ...


class Post(Protocol):
    """Who is at work, who else there is, and when, how often, or whether at all, a message arrives."""

    def node(self) -> Node: ...
    def nodes(self) -> list[Any]: ...
    def delays(self) -> list[float]: ...
    def at(self, seconds: float, what: Any) -> None: ...


class Network:
    """One layer for all processes of a world: it asks who is at work."""

    def __init__(self, post: Post) -> None:
        self._post = post

    async def group_send(self, group: str, message: dict[str, Any]) -> None:
        """To every process, the sender too."""
        if not self._post.node().hears():
            raise ConnectionError("the notifier is away")
        for node in self._post.nodes():
            for delay in self._post.delays():
                self._post.at(delay, lambda node=node: self._arrive(node, dict(message)))

    def _arrive(self, node: Node, message: dict[str, Any]) -> None:
        if node.hears():
            node.loop.call_soon(node.mailbox.put_nowait, message)

    async def new_channel(self) -> str:
        """One a process."""
        if not self._post.node().hears():
            raise ConnectionError("the notifier is away")
        return "channel"

    async def group_add(self, group: str, channel: str) -> None:
        """There is one group, and everybody is in it."""

    async def receive(self, channel: str) -> dict[str, Any]:
        """The next message."""
        node = self._post.node()
        message = await node.mailbox.get()
        if not node.hears():
            raise ConnectionError("the notifier is away")
        return message
