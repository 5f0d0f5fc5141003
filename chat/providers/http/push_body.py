"""`PushBody`: the body of an aiohttp response, which passes every piece on in the call that received it.

aiohttp's own way (`StreamReader.readany`) wakes a task for each piece: with 10,000 pieces over loopback that takes 13
µs of CPU more per piece, a fifth of what reading an event costs. `StreamReader.feed_data` appends each piece to its
buffer, a deque; here that deque is replaced by a `Buffer`, whose `append` passes the piece on.

This is the only module that uses private names of aiohttp: those of `StreamReader` in PRIVATE. `check_aiohttp` checks
for them at import, tests/unit/providers/test_push_body.py tests the behaviour it relies on, and requirements.in has an
upper bound. Without them, `readany` in a task would do the same at a higher cost.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any

import aiohttp

PRIVATE = {
    "_buffer": "the deque that pieces are appended to, replaced by ours: without it no answer would arrive",
    "_size": "bytes in it: the upstream would be paused for ever after two read-ahead buffers",
    "_http_chunk_splits": "where HTTP's chunks end, None or a deque: it would grow until the upstream is paused",
    "_eof_waiter": "told by `set_result` or `set_exception`, once: nobody would hear of the end",
}

OnData = Callable[[bytes], None]


def check_aiohttp(reader: type = aiohttp.StreamReader) -> None:
    """Raise ImportError, whose sentence says what to do, if the installed aiohttp lacks one of the names."""
    for name, use in PRIVATE.items():
        if name not in getattr(reader, "__slots__", ()):
            lacking = f"aiohttp {aiohttp.__version__} has no StreamReader.{name} ({use})"
            raise ImportError(f"{lacking}. Install the version that requirements.txt names.")


check_aiohttp()


class Buffer(list[bytes]):
    """StreamReader's buffer: an appended piece goes to `on_data`; it is only buffered if that is None.

    Not a deque, which takes 800 bytes while it is empty, for as long as an answer takes.
    """

    __slots__ = ("_content", "on_data")

    def __init__(self, content: Any) -> None:
        super().__init__(content._buffer)
        self._content = content
        self.on_data: OnData | None = None

    def popleft(self) -> bytes:
        """As a deque's."""
        return self.pop(0)

    def append(self, piece: bytes) -> None:
        """Called by aiohttp's parser, which must not be re-entered from here."""
        if self.on_data is None:
            super().append(piece)
            return
        content = self._content
        content._size -= len(piece)
        forget_chunks(content)
        self.on_data(piece)


def forget_chunks(content: Any) -> None:
    """Clear aiohttp's list of chunk ends: it only removes those of pieces it returned, and a long list pauses the
    upstream."""
    if content._http_chunk_splits:
        content._http_chunk_splits.clear()


class PushBody:
    """The body of a response whose headers have arrived: call `on_data` first, then await `over`."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        content: Any = response.content
        self._content = content
        self._buffer = content._buffer = Buffer(content)
        content._eof_waiter = self
        self._over: asyncio.Future[None] | None = None
        self._on_data: OnData | None = None
        self._paused = False

    def on_data(self, on_data: OnData) -> None:
        """Pass everything buffered to `on_data`, and from now on each piece as it arrives. It must not raise."""
        self._on_data = on_data
        self.resume()

    def over(self) -> "asyncio.Future[None]":
        """A future that is done at the end of the body, with the error if the connection was cut."""
        self._over = asyncio.get_running_loop().create_future()
        self._tell_the_end()
        return self._over

    def pause(self) -> None:
        """Stop passing pieces on: aiohttp fills its buffer, then stops reading from the socket."""
        self._paused = True
        self._buffer.on_data = None

    def resume(self) -> None:
        """Undo `pause`. It must not be called from `on_data`, because aiohttp may continue parsing in it."""
        self._paused = False
        content, buffer = self._content, self._buffer
        while buffer and not self._paused and self._on_data is not None:
            if content.exception() is None:
                forget_chunks(content)
                self._on_data(content.read_nowait())
            else:  # `read_nowait` would raise the error and keep what arrived before the cut
                self._on_data(buffer.popleft())
        if not self._paused:
            buffer.on_data = self._on_data
        self._tell_the_end()

    def close(self) -> None:
        """Stop, and drop the references to the reader."""
        self.pause()
        self._on_data = self._over = None
        content = self._content
        content._buffer = deque(self._buffer)  # `Buffer` refers to the reader: a reference cycle
        if content._eof_waiter is self:
            content._eof_waiter = None

    def _tell_the_end(self) -> None:
        over, content = self._over, self._content
        if over is None or over.done() or self._paused or self._buffer:
            return
        if (error := content.exception()) is not None:
            over.set_exception(error)
        elif content.is_eof():
            over.set_result(None)

    # What aiohttp calls on `_eof_waiter`, in place of a future, while its parser runs

    def done(self) -> bool:
        """False, so that aiohttp reports the end."""
        return False

    def set_result(self, _: None) -> None:
        """Called at the end of the body."""
        self._tell_the_end()

    def set_exception(self, error: BaseException) -> None:
        """Called when the connection was cut."""
        self._tell_the_end()
