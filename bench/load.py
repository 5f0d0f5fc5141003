"""A reader that costs little: raw protocols on uvloop, no client library, so that two cores are left to the others.

A `Reader` is one stream as its client sees it. It checks the wire as it reads: the status, the chunks, `id:` without
holes, the upstream's events each once and in order. A `Tally` keeps the stamps of all readers of one load.
"""

import asyncio
import json
import socket
import time
from array import array
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import cast

MARK = b"~"
"""What the fake upstream puts around its stamp: `~<ns>~<index>~`."""


@dataclass
class Tally:
    """What the readers of one load saw. `sent` and `read` are the two stamps (ns) of every upstream event read."""

    sent: "array[int]" = field(default_factory=lambda: array("q"))
    read: "array[int]" = field(default_factory=lambda: array("q"))
    doubled: int = 0
    reordered: int = 0
    holes: int = 0
    """Events whose `seq` did not follow the one before; where a server numbers none, always 0."""
    failures: list[str] = field(default_factory=list)


def request(method: str, path: str, token: str, body: object = None, headers: str = "") -> bytes:
    """One HTTP/1.1 request as bytes."""
    data = b"" if body is None else json.dumps(body).encode()
    kind = "" if body is None else f"Content-Type: application/json\r\nContent-Length: {len(data)}\r\n"
    bearer = f"Authorization: Bearer {token}\r\n" if token else ""
    head = f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: text/event-stream\r\n{bearer}{kind}{headers}\r\n"
    return head.encode() + data


class Reader(asyncio.Protocol):
    """One stream, from the first byte sent to the last byte read. All times are monotonic ns; 0: not yet."""

    transport: asyncio.Transport

    def __init__(self, tally: Tally, message: bytes, first: int = 0, reads: bool = True) -> None:
        self.tally = tally
        self.message = message
        self.reads = reads
        self.began = time.monotonic_ns()
        self.ok_at = self.first_at = self.last_at = 0
        self.head = b""
        self.stream_id = ""
        self.named = asyncio.Event()
        self.raw = self.text = b""
        self.seq = -1
        self.next_index = first
        self.missing: set[int] = set()
        self.received = 0
        self.done = False
        self.watch: Callable[[Reader, int, int], None] | None = None
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        if not self.reads:
            self.transport.pause_reading()
        self.transport.write(self.message)

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.ended.done():
            self.ended.set_result(None)

    def data_received(self, data: bytes) -> None:
        now = time.monotonic_ns()
        if not self.stream_id:
            self.head += data
            head, blank, data = self.head.partition(b"\r\n\r\n")
            if not blank:
                return
            self.begin(head, data)
        self.feed(self.unchunked(self.raw + data if self.raw else data), now)
        if self.done:
            self.close()

    def begin(self, head: bytes, body: bytes) -> None:
        """Read the status and the headers."""
        status, *lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        self.stream_id = headers.get("x-stream-id", "-")
        self.named.set()
        if " 200 " not in status + " ":
            self.tally.failures.append(f"{status} {body[:200]!r}")
            self.close()

    def unchunked(self, data: bytes) -> bytes:
        """The body in `data`, its chunks' frames taken off; what is not whole yet stays in `raw`."""
        start, body = 0, b""
        while True:
            line = data.find(b"\r\n", start)
            if line < 0:
                break
            end = line + 2 + int(data[start:line], 16)
            if len(data) < end + 2:
                break
            body += data[line + 2 : end]
            start = end + 2
        self.raw = data[start:]
        return body

    def feed(self, body: bytes, now: int) -> None:
        """Take in the events of `body`, read at `now`."""
        text = self.text + body if self.text else body
        if b"\r" in text:
            text = text.replace(b"\r\n", b"\n")
        *blocks, self.text = text.split(b"\n\n")
        for block in blocks:
            named = block.find(b"id: ")
            if named >= 0:
                self.number(int(block[block.index(b":", named + 4) + 1 : block.index(b"\n", named)]))
            pieces = block.split(MARK, 3)
            if len(pieces) == 4:
                self.take(int(pieces[1]), int(pieces[2]), now)
            elif block.endswith(b"data: [DONE]"):
                self.done, self.last_at = True, now
            elif b'"OK"' in block:
                self.ok_at = now
            elif b'"error"' in block:
                self.tally.failures.append(block.decode()[:200])

    def number(self, seq: int) -> None:
        """Check the event's own number."""
        if self.seq >= 0 and seq != self.seq + 1:
            self.tally.holes += 1
        self.seq = seq

    def take(self, sent: int, index: int, now: int) -> None:
        """Keep the stamps of the upstream's event `index`."""
        self.first_at = self.first_at or now
        self.last_at = now
        self.tally.sent.append(sent)
        self.tally.read.append(now)
        self.received += 1
        if index == self.next_index:
            self.next_index += 1
        elif index > self.next_index:
            self.missing.update(range(self.next_index, index))
            self.next_index = index + 1
        elif index in self.missing:
            self.missing.discard(index)
            self.tally.reordered += 1
        else:
            self.tally.doubled += 1
        if self.watch is not None:
            self.watch(self, index, now)

    def close(self) -> None:
        """Hang up."""
        self.transport.abort()


async def connect(port: int, reader: Reader) -> Reader:
    """Open `reader`'s connection; its clock runs since it was made. A refused one is a failure in the tally.

    One that does not read has a small receive buffer, so that the kernel does not read in its place.
    """
    loop = asyncio.get_running_loop()
    try:
        if reader.reads:
            await loop.create_connection(lambda: reader, "127.0.0.1", port)
        else:
            narrow = socket.socket()
            narrow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16_384)
            narrow.setblocking(False)
            await loop.sock_connect(narrow, ("127.0.0.1", port))
            await loop.create_connection(lambda: reader, sock=narrow)
    except OSError as refused:
        reader.tally.failures.append(f"connect: {refused}")
        reader.connection_lost(refused)
    return reader


async def arrive(port: int, per_second: float, make: list[Callable[[], Reader]]) -> list[Reader]:
    """Start one reader after the other at that pace, whatever the server does; return when all have been started."""
    loop = asyncio.get_running_loop()
    start, readers, opening = loop.time(), [], []
    for number, made in enumerate(make):
        if (wait := start + number / per_second - loop.time()) > 0:
            await asyncio.sleep(wait)
        readers.append(made())
        opening.append(asyncio.ensure_future(connect(port, readers[-1])))
    await asyncio.gather(*opening)
    return readers


async def over(readers: list[Reader], seconds: float) -> None:
    """Wait until every reader has ended, at most that long; hang up on those that have not."""
    pending = [reader.ended for reader in readers if not reader.ended.done()]
    if pending:
        await asyncio.wait(pending, timeout=seconds)
    for reader in readers:
        if not reader.ended.done() and hasattr(reader, "transport"):
            reader.close()
