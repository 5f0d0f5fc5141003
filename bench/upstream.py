"""The fake model server: it speaks Gemini's and OpenAI's streams over real sockets, and is cheap.

The prompt's text says what to answer, wherever it stands in the body:

    @bench n=200 gap=50000 size=48 first=0

`n` events, `gap` µs apart, the first after `first` µs, each with `size` letters of text. An event's text begins with
`~<ns>~<index>~`: when it was handed to the socket (CLOCK_MONOTONIC) and its place from 0. Late events
are sent late, never in twos: each has its own stamp, so lateness here is not charged to a server.

One heap of due times and one timer serve all streams; no task, no future, no parser per stream.

    python -m bench.upstream            prints its port, serves until its standard input closes
"""

import asyncio
import heapq
import re
import sys
import time
from itertools import count
from typing import cast

import uvloop

ASK = re.compile(rb"@bench((?: \w+=\d+)+)")
LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
HEAD = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\nX-Accel-Buffering: no\r\n\r\n"
)
LETTERS = b"the quick brown fox jumps over the lazy dog and "
TICK = 0.001
"""uvloop's timers know whole milliseconds: what falls due within one is sent in one turn of the loop."""

USAGE = b'"usageMetadata":{"promptTokenCount":12,"candidatesTokenCount":%d,"totalTokenCount":%d}'


class Gemini:
    """`:streamGenerateContent?alt=sse`: data lines only, CR LF, the end is the end of the body."""

    before = b'data: {"candidates":[{"content":{"parts":[{"text":"'
    after = b'"}],"role":"model"},"index":0}],"modelVersion":"bench"}\r\n\r\n'
    last = b'"}],"role":"model"},"finishReason":"STOP","index":0}],%b,"modelVersion":"bench"}\r\n\r\n'
    closing = b""


class OpenAI:
    """`/chat/completions` with `stream`: chunks of `delta`, then `[DONE]`."""

    before = b'data: {"id":"bench","object":"chat.completion.chunk","created":0,"model":"bench","choices":[{"index":0,"delta":{"content":"'  # noqa: E501
    after = b'"},"finish_reason":null}]}\n\n'
    last = b'"},"finish_reason":"stop"}]}\n\n'
    closing = b"data: [DONE]\n\n"


class Stream:
    """One answer on its way."""

    __slots__ = ("connection", "dialect", "due", "gap", "index", "letters", "parked", "total")

    def __init__(self, connection: "Connection", dialect: type[Gemini] | type[OpenAI], asked: dict[str, int]) -> None:
        self.connection = connection
        self.dialect = dialect
        self.total = asked.get("n", 20)
        self.gap = asked.get("gap", 50_000) / 1e6
        self.letters = (LETTERS * (asked.get("size", 48) // len(LETTERS) + 1))[: asked.get("size", 48)]
        self.due = time.monotonic() + asked.get("first", 0) / 1e6
        self.index = 0
        self.parked = False

    def send(self) -> bool:
        """Send the next event; False when it was the last."""
        dialect, index = self.dialect, self.index
        self.index = index + 1
        ended = self.index >= self.total
        after = dialect.after
        if ended:
            after = dialect.last % (USAGE % (index, index + 12)) if dialect is Gemini else dialect.last
        data = b"%b~%d~%d~%b%b" % (dialect.before, time.monotonic_ns(), index, self.letters, after)
        data = b"%x\r\n%b\r\n" % (len(data), data)
        if ended:
            closing = dialect.closing
            data += (b"%x\r\n%b\r\n" % (len(closing), closing) if closing else b"") + b"0\r\n\r\n"
        self.connection.transport.write(data)
        return not ended


class Wheel:
    """Sends every stream's events when they fall due, from one timer."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.due: list[tuple[float, int, Stream]] = []
        self.order = count()
        self.timer: asyncio.TimerHandle | None = None
        self.armed_for = 0.0

    def add(self, stream: Stream) -> None:
        """Send `stream`'s next event at its `due`."""
        heapq.heappush(self.due, (stream.due, next(self.order), stream))
        self.arm()

    def arm(self) -> None:
        """Set the timer for the earliest event, unless it is set for one as early."""
        when = max(self.due[0][0], time.monotonic() + TICK)
        if self.timer is not None:
            if self.armed_for <= when:
                return
            self.timer.cancel()
        self.armed_for = when
        self.timer = self.loop.call_at(self.loop.time() + when - time.monotonic(), self.turn)

    def turn(self) -> None:
        """Send what is due."""
        self.timer = None
        now, due = time.monotonic(), self.due
        while due and due[0][0] <= now:
            stream = heapq.heappop(due)[2]
            if stream.connection.closed or stream.connection.paused:
                stream.parked = True  # until its reader reads
                continue
            if stream.send():
                stream.due += stream.gap
                heapq.heappush(due, (max(stream.due, now - 1), next(self.order), stream))
            else:
                stream.connection.stream = None
        if due:
            self.arm()


class Connection(asyncio.Protocol):
    """One keep-alive connection; one answer at a time."""

    transport: asyncio.Transport

    def __init__(self, wheel: Wheel) -> None:
        self.wheel = wheel
        self.received = b""
        self.stream: Stream | None = None
        self.closed = self.paused = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self.closed = True

    def pause_writing(self) -> None:
        self.paused = True

    def resume_writing(self) -> None:
        self.paused = False
        if self.stream is not None and self.stream.parked:
            self.stream.parked = False
            self.stream.due = time.monotonic()
            self.wheel.add(self.stream)

    def data_received(self, data: bytes) -> None:
        self.received += data
        head, blank, body = self.received.partition(b"\r\n\r\n")
        if not blank:
            return
        length = LENGTH.search(head)
        complete = len(body) >= int(length[1]) if length else body.endswith(b"0\r\n\r\n") or b"chunked" not in head
        if complete:
            self.received = b""
            self.answer(head, body)

    def answer(self, head: bytes, body: bytes) -> None:
        """Begin the stream that `body` asks for."""
        found = ASK.findall(body)
        asked = dict(pair.split(b"=") for pair in found[-1].split()) if found else {}
        dialect = OpenAI if b"/chat/completions" in head.partition(b"\r\n")[0] else Gemini
        self.stream = Stream(self, dialect, {name.decode(): int(value) for name, value in asked.items()})
        self.transport.write(HEAD)
        self.wheel.add(self.stream)


async def serve() -> None:
    """Serve on a free port, print it, until standard input closes."""
    loop = asyncio.get_running_loop()
    wheel = Wheel(loop)
    server = await loop.create_server(lambda: Connection(wheel), "127.0.0.1", 0, backlog=4096)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)
    server.close()


if __name__ == "__main__":
    uvloop.run(serve())
