"""A response's body that gives every piece on in the very call that brought it.

aiohttp's own reading (`StreamReader.readany`) wakes a task for each piece: with 10,000 pieces over loopback that costs
13 µs of CPU a piece more than this, a fifth of what reading an event takes. `StreamReader.feed_data` appends each piece
to its buffer, a deque; here that deque is a `Buffer`, whose `append` gives the piece on.

This is the only module that uses private names of aiohttp: those of `StreamReader` in PRIVATE. `check_aiohttp` looks
for them at the import, tests/unit/providers/test_push_body.py tries what is relied on, and requirements.in has an upper
bound. Should they go, `readany` in a task does the same for more.
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
    """Raise ImportError, with what to do, where the installed aiohttp lacks one of the names."""
    for name, use in PRIVATE.items():
        if name not in getattr(reader, "__slots__", ()):
            lacking = f"aiohttp {aiohttp.__version__} has no StreamReader.{name} ({use})"
            raise ImportError(f"{lacking}. Install the version that requirements.txt names.")


check_aiohttp()


class Buffer(deque[bytes]):
    """StreamReader's buffer: a piece that is appended goes to `on_data`, and stays only where there is none."""

    def __init__(self, content: Any) -> None:
        super().__init__(content._buffer)
        self._content = content
        self.on_data: OnData | None = None

    def append(self, piece: bytes) -> None:
        """Called by aiohttp's parser: nothing here may make it go on parsing."""
        if self.on_data is None:
            super().append(piece)
            return
        content = self._content
        content._size -= len(piece)
        forget_chunks(content)
        self.on_data(piece)


def forget_chunks(content: Any) -> None:
    """aiohttp drops the ends of those chunks that it gave itself; of the others too many would stop the upstream."""
    if content._http_chunk_splits:
        content._http_chunk_splits.clear()


class PushBody:
    """The body of a response whose head has come: `on_data` first, then await `over`."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        content: Any = response.content
        self._content = content
        self._buffer = content._buffer = Buffer(content)
        content._eof_waiter = self
        self._over: asyncio.Future[None] | None = None
        self._on_data: OnData | None = None
        self._paused = False

    def on_data(self, on_data: OnData) -> None:
        """Give it what is here, and from now on what arrives, when it arrives. It must not raise."""
        self._on_data = on_data
        self.resume()

    def over(self) -> "asyncio.Future[None]":
        """Done at the end of the body; raises what cut the connection."""
        self._over = asyncio.get_running_loop().create_future()
        self._tell_the_end()
        return self._over

    def pause(self) -> None:
        """Take nothing more: aiohttp fills its buffer, then lets the server wait."""
        self._paused = True
        self._buffer.on_data = None

    def resume(self) -> None:
        """The opposite. Not to be called from `on_data`: aiohttp goes on parsing in here."""
        self._paused = False
        content, buffer = self._content, self._buffer
        while buffer and not self._paused and self._on_data is not None:
            if content.exception() is None:
                forget_chunks(content)
                self._on_data(content.read_nowait())
            else:  # `read_nowait` would raise it and keep what came before the cut
                self._on_data(buffer.popleft())
        if not self._paused:
            buffer.on_data = self._on_data
        self._tell_the_end()

    def close(self) -> None:
        """Take nothing more, and let go of whoever took it."""
        self.pause()
        self._on_data = self._over = None
        content = self._content
        content._buffer = deque(self._buffer)  # ours knows its reader: a cycle
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

    # What aiohttp asks of one that waits for the end, while its parser runs.

    def done(self) -> bool:
        """It has not been told."""
        return False

    def set_result(self, _: None) -> None:
        """The body has ended."""
        self._tell_the_end()

    def set_exception(self, error: BaseException) -> None:
        """The connection was cut."""
        self._tell_the_end()
