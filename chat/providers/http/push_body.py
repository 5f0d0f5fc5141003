"""A response's body that gives every piece on in the very call that brought it.

aiohttp's own reading (`StreamReader.readany`) wakes a task for each piece: with 10,000 pieces over loopback that costs
13 µs of CPU a piece more than this, a fifth of what reading an event takes. `StreamReader` calls `set_result` on its
waiter as soon as it has something; here the waiter is an object of ours in place of a task's future.

This is the only module that uses private names of aiohttp: those of `StreamReader` in PRIVATE. `check_aiohttp` looks
for them at the import, tests/unit/providers/test_push_body.py tries what is relied on, and requirements.in has an upper
bound. Should they go, `readany` in a task does the same for more.
"""

import asyncio
from collections.abc import Callable
from typing import Any

import aiohttp

PRIVATE = {
    "_waiter": "cleared, then told by `set_result` or `set_exception`: without it no answer would arrive",
    "_buffer": "a deque of the pieces that have come: they would come twice",
    "_size": "bytes in it: the upstream would be paused for ever after two read-ahead buffers",
    "_http_chunk_splits": "where HTTP's chunks end, None or a deque: it would grow until the upstream is paused",
}

OnData = Callable[[bytes], None]


def check_aiohttp(reader: type = aiohttp.StreamReader) -> None:
    """Raise ImportError, with what to do, where the installed aiohttp lacks one of the names."""
    for name, use in PRIVATE.items():
        if name not in getattr(reader, "__slots__", ()):
            lacking = f"aiohttp {aiohttp.__version__} has no StreamReader.{name} ({use})"
            raise ImportError(f"{lacking}. Install the version that requirements.txt names.")


check_aiohttp()


class Body:
    """The body of a response whose head has come: `on_data` first, then await `over`."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self._content: Any = response.content
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
        if self._content._waiter is self:
            self._content._waiter = None

    def resume(self) -> None:
        """The opposite. Not to be called from `on_data`: aiohttp goes on parsing in here."""
        self._paused = False
        content = self._content
        while content._buffer and not self._paused and self._on_data is not None:
            if content.exception() is None:
                self._on_data(content.read_nowait())
            else:  # `read_nowait` would raise it and keep what came before the cut
                self._on_data(content._buffer.popleft())
        self._wait()

    def close(self) -> None:
        """Take nothing more, and let go of whoever took it."""
        self.pause()
        self._on_data = self._over = None

    def _wait(self) -> None:
        content = self._content
        if self._paused or self._on_data is None:
            return
        if content.is_eof() or content.exception() is not None:
            self._tell_the_end()
        else:
            content._waiter = self

    def _tell_the_end(self) -> None:
        over, content = self._over, self._content
        if over is None or over.done() or self._paused or content._buffer:
            return
        if (error := content.exception()) is not None:
            over.set_exception(error)
        elif content.is_eof():
            over.set_result(None)

    # What aiohttp asks of a waiter, while its parser runs: nothing here may make it go on parsing.

    def done(self) -> bool:
        """It is always waited."""
        return False

    def set_result(self, _: None) -> None:
        """Something has come, or a chunk or the body has ended."""
        content, on_data = self._content, self._on_data
        content._waiter = self  # `pause` and `close` take it away again
        buffer = content._buffer
        while buffer and on_data is not None and not self._paused:
            piece = buffer.popleft()
            content._size -= len(piece)
            on_data(piece)
        if content._http_chunk_splits:
            content._http_chunk_splits.clear()
        if content.is_eof():
            self._tell_the_end()

    def set_exception(self, error: BaseException) -> None:
        """The connection was cut."""
        self._tell_the_end()
