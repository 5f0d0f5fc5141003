"""A response's body that gives every piece on in the very call that brought it.

aiohttp's own reader wakes a task for each piece, keeps the borders of HTTP's chunks, a timer of its own and a limit on
how many chunks wait, and asks its parser for more after every read. An answer needs none of that, and for a token it
was most of the way from the socket to the log: three turns of the loop in place of one.
"""

import asyncio
from collections.abc import Callable
from typing import Any

from aiohttp import StreamReader
from aiohttp.base_protocol import BaseProtocol

# The pinned version's own names, which nobody promises: tests/unit/providers/test_push_body.py holds them.

Sink = Callable[[bytes], None]


class Body(StreamReader):
    """aiohttp's `StreamReader` that pours what arrives into a sink, where one was named, instead of keeping it."""

    # It is made of a `StreamReader`, which has no room for more: the sink is kept where that kept its chunks' borders.
    __slots__ = ()

    # Chunks are for those who send them. What the parser calls at both ends of each is a built-in that does nothing.
    begin_http_chunk_receiving = staticmethod(bool)  # type: ignore[assignment]
    end_http_chunk_receiving = staticmethod(bool)  # type: ignore[assignment]

    def feed_data(self, data: bytes, size: int = 0) -> bool:
        """Called by the parser with what has arrived."""
        sink: Any = self._http_chunk_splits
        if sink is None:
            return super().feed_data(data, size)
        sink(data)
        return False

    def pour_into(self, sink: Sink) -> None:
        """Give `sink` what is here, and from now on what arrives, when it arrives. It must not raise."""
        self._http_chunk_splits = sink  # type: ignore[assignment]
        self._size = 0
        while self._buffer:
            sink(self._buffer.popleft())
        if self._protocol._reading_paused:
            self.go_on()

    def over(self) -> "asyncio.Future[None]":
        """Done at the end of the body; raises what cut the connection."""
        waiter: asyncio.Future[None] = self._loop.create_future()
        self._waiter = waiter
        if self._exception is not None:
            waiter.set_exception(self._exception)
        elif self._eof:
            waiter.set_result(None)
        return waiter

    def hold(self) -> None:
        """Let the server wait: nothing more is read from it. What the connection has read still comes."""
        self._protocol.pause_reading()

    def go_on(self) -> None:
        """The opposite."""
        self._protocol.resume_reading()


def body_of(response: Any) -> Body:
    """The body of a response whose head has come: the parser that writes to it has it already, so it is made over.

    That of a response without one is aiohttp's own, and shared by all of them: in its place is one that has ended.
    """
    content: Any = response.content
    if type(content) is StreamReader:
        content.__class__ = Body
        content._http_chunk_splits = None
    else:
        loop = asyncio.get_running_loop()
        content = Body(BaseProtocol(loop), 1, loop=loop)
        content.feed_eof()
    body: Body = content
    return body
