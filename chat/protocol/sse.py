"""Server-Sent Events: bytes to events and back. No I/O.

`Decoder` follows https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation
exactly: one leading BOM is dropped, lines end in LF, CR or CRLF only (U+2028 is text), an event without `data` is
ignored, and so is one that the end of the stream cuts off. Its time is linear in the input whatever the size of the
reads, and its memory is bounded.
"""

from functools import lru_cache

import msgspec

from chat.protocol.events import Event

PRELUDE = b"retry: 1000\n"
"""Sent before the first event of a body: how long a reader waits before it resumes, in ms."""

DONE = b"data: [DONE]\n\n"
HEARTBEAT = b": \n\n"

MAX_SIZE = 8 * 1024 * 1024
BOM = b"\xef\xbb\xbf"
BLANK_LINE = (b"\n\n", b"\r\n\r\n")
RETRY_DIGITS = 15  # int() refuses more than 4,300


class StreamTooLarge(ValueError):
    """A line, or the data of one event, is longer than the decoder's `max_size`."""


class ServerSentEvent(msgspec.Struct):
    """`event` is "message" unless named; `id` is the last one seen; `retry` (ms) if one came since the last event."""

    event: str
    data: str
    id: str
    retry: int | None


class Decoder:
    """Decodes the bytes of a body as they arrive.

    `max_size` is the largest line and the largest data of one event, in bytes; beyond it `feed` raises StreamTooLarge,
    at every call from then on. Events completed by the same read as an overlong line are lost only if that read is
    itself longer than `max_size`.
    """

    __slots__ = ("_after_cr", "_at_start", "_data", "_event", "_failed", "_id", "_max", "_retry", "_size", "_tail")

    def __init__(self, max_size: int = MAX_SIZE) -> None:
        self._max = max_size
        self._tail = bytearray()
        self._at_start = True
        self._after_cr = False
        self._failed = False
        self._data: list[str] = []
        self._size = 0
        self._event = ""
        self._id = ""
        self._retry: int | None = None

    def feed(self, data: bytes) -> list[ServerSentEvent]:
        """The events that `data` completes; raises StreamTooLarge."""
        if self._failed:
            raise StreamTooLarge("the stream was already too large")
        if self._after_cr and data:
            self._after_cr = False
            if data.startswith(b"\n"):  # the second half of a CRLF whose CR has already ended the line
                data = data[1:]
        if b"\n" not in data and b"\r" not in data:
            self._keep(data)
            return []
        if alone := self._alone(data):
            return [alone]
        events: list[ServerSentEvent] = []
        lines = (bytes(self._tail) + data).splitlines()  # of bytes: CR, LF and CRLF only
        self._tail.clear()
        self._after_cr = data.endswith(b"\r")
        rest = b"" if data.endswith((b"\n", b"\r")) else lines.pop()
        for line in lines:
            self._line(line, events)
        self._keep(rest)
        return events

    def _alone(self, data: bytes) -> ServerSentEvent | None:
        """The event, if the read is exactly one `data:` line and its blank line, as most upstreams send them."""
        if self._tail or self._data or self._event or self._at_start or not data.startswith(b"data: "):
            return None
        line = data.rstrip(b"\r\n")
        if data[len(line) :] not in BLANK_LINE or b"\n" in line or b"\r" in line:
            return None
        if len(line) > self._max:
            self._check(len(line))
        event = ServerSentEvent("message", line[6:].decode("utf-8", "replace"), self._id, self._retry)
        self._retry = None
        return event

    def _keep(self, data: bytes) -> None:
        self._tail += data
        self._check(len(self._tail))

    def _check(self, size: int) -> None:
        if size > self._max:
            self._failed = True
            self._tail.clear()
            self._data.clear()
            raise StreamTooLarge(f"more than {self._max} bytes without an end")

    def _line(self, line: bytes, events: list[ServerSentEvent]) -> None:
        self._check(len(line))
        if self._at_start:
            self._at_start = False
            line = line.removeprefix(BOM)
        if not line:
            self._dispatch(events)
            return
        name, _, value = line.partition(b":")
        if value.startswith(b" "):
            value = value[1:]
        if name == b"data":
            self._size += len(value) + 1
            self._check(self._size)
            self._data.append(value.decode("utf-8", "replace"))
        elif name == b"event":
            self._event = value.decode("utf-8", "replace")
        elif name == b"id":
            if b"\0" not in value:
                self._id = value.decode("utf-8", "replace")
        elif name == b"retry" and value.isdigit() and len(value.lstrip(b"0")) <= RETRY_DIGITS:
            self._retry = int(value.lstrip(b"0") or b"0")

    def _dispatch(self, events: list[ServerSentEvent]) -> None:
        if self._data:
            data = self._data[0] if len(self._data) == 1 else "\n".join(self._data)
            events.append(ServerSentEvent(self._event or "message", data, self._id, self._retry))
            self._data.clear()
            self._size = 0
            self._retry = None
        self._event = ""


@lru_cache(maxsize=1)
def encode(stream_id: str, event: Event) -> bytes:
    """The bytes of one event, whose data has no line end (`chat.protocol.events.encode`). The cache serves the other
    readers of the same event."""
    return f"id: {stream_id}:{event.seq}\ndata: {event.data}\n\n".encode()
