"""One response as it comes: read it until enough has come, then leave it, or read it to its end."""

from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING

import httpx

if TYPE_CHECKING:
    from tests.conformance.adapter import Received

EVENT_STREAM = "text/event-stream"


class Reading:
    """A response whose body is still to be read; `stream` is the name of the stream that it is, where that is known."""

    def __init__(self, response: httpx.Response, received: "Callable[[bytes], Received]") -> None:
        self.response, self._received = response, received
        self.status, self.headers = response.status_code, response.headers
        self.stream = ""
        self.body = b""
        self._pieces: AsyncIterator[bytes] | None = None

    @property
    def received(self) -> "Received":
        """What has come so far."""
        return self._received(self.body)

    @property
    def is_event_stream(self) -> bool:
        """Whether a browser's EventSource would read it: all else makes it give up for good.
        https://html.spec.whatwg.org/multipage/server-sent-events.html#the-eventsource-interface"""
        kind = self.headers.get("content-type", "").partition(";")[0].strip().lower()
        return self.status == 200 and kind == EVENT_STREAM

    async def until(self, enough: "Callable[[Received], object]") -> "Received":
        """Read on until enough has come, or the body is over; whether it was cut or ended is no matter to a reader."""
        if self._pieces is None:
            self._pieces = self.response.aiter_bytes()
        while not enough(self.received):
            try:
                self.body += await anext(self._pieces)
            except (StopAsyncIteration, httpx.RemoteProtocolError, httpx.ReadError):
                break
        return self.received

    async def to_end(self) -> "Received":
        """Read on until the stream says that it has ended, or the body is over."""
        return await self.until(lambda received: received.end)
