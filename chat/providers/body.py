"""A response's body, for a reader that takes all there is, as soon as there is anything.

aiohttp's own reader also keeps the borders of HTTP's chunks, a timer of its own and a limit on how many chunks wait,
and asks its parser for more after every read. An answer needs none of that, and for a token it was a third of all
the calls between the socket and the log.
"""

from typing import Any

from aiohttp import StreamReader

# The pinned version's own names, which nobody promises: tests/providers/test_body.py holds them.


class Body(StreamReader):
    """aiohttp's `StreamReader` with less to do. It holds what it is given, and pauses the connection, as that does."""

    __slots__ = ()

    def begin_http_chunk_receiving(self) -> None:
        """Chunks are for those who send them."""

    def end_http_chunk_receiving(self) -> None:
        """Chunks are for those who send them."""

    async def readany(self) -> bytes:
        """All that is here, as soon as there is any; empty at the end. Raises what cut the connection, once all that
        came before the cut was given."""
        pieces = self._buffer
        while not pieces and not self._eof and self._exception is None:
            waiter = self._waiter = self._loop.create_future()
            try:
                await waiter
            finally:
                self._waiter = None
        if not pieces and self._exception is not None:
            raise self._exception
        data = pieces.popleft() if len(pieces) == 1 else b"".join(pieces)
        pieces.clear()
        self._size = 0
        if self._protocol._reading_paused:
            self._protocol.resume_reading()
        return data


def body_of(response: Any) -> StreamReader:
    """The body of a response whose head has come: the parser that writes to it has it already, so it is made over.

    That of a response without one is aiohttp's own, and shared by all of them.
    """
    content: Any = response.content
    if type(content) is StreamReader:
        content.__class__ = Body
        content._http_chunk_splits = None
    body: StreamReader = content
    return body
