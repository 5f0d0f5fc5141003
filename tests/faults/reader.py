"""A client that resumes by cursor, and keeps account: what it was shown, in which order, and how often.

Written on bare sockets: a test decides when bytes are read, and what is cut is not mended by a library.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import urlsplit
from uuid import uuid4

from chat.protocol import events
from chat.protocol.sse import Decoder
from tests.connections import abort

PATIENCE = 150.0
"""Seconds without an event after which a reader that is cut again and again says why."""

CUT = (ConnectionError, asyncio.IncompleteReadError, OSError)


class Refused(Exception):
    """The server answered with an error before any stream."""

    def __init__(self, status: int, body: bytes) -> None:
        super().__init__(f"{status} {body[:300]!r}")
        self.status, self.body = status, body


class Answer(Protocol):
    """One HTTP response, however it comes."""

    @property
    def status(self) -> int: ...
    @property
    def headers(self) -> dict[str, str]: ...
    def pieces(self) -> AsyncIterator[bytes]: ...
    async def body(self) -> bytes: ...


@dataclass
class Response:
    """One HTTP response whose body is still to be read."""

    status: int
    headers: dict[str, str]
    head_size: int
    reader: asyncio.StreamReader

    async def pieces(self) -> AsyncIterator[bytes]:
        """The body as it comes. IncompleteReadError where it is cut before its end."""
        if "content-length" in self.headers:
            yield await self.reader.readexactly(int(self.headers["content-length"]))
            return
        if self.headers.get("transfer-encoding") != "chunked":
            return
        while size := int((await self.reader.readuntil(b"\r\n")).strip(), 16):
            while size:  # what has come of a chunk is passed on, as browsers do, also when it is cut in the middle
                piece = await self.reader.read(size)
                if not piece:
                    raise asyncio.IncompleteReadError(b"", size)
                size -= len(piece)
                yield piece
            await self.reader.readexactly(2)
        await self.reader.readexactly(2)

    async def body(self) -> bytes:
        """All of it."""
        return b"".join([piece async for piece in self.pieces()])


@asynccontextmanager
async def request(
    method: str, url: str, headers: dict[str, str], body: Any = None, limit: int = 65536
) -> AsyncIterator[Response]:
    """One request on a connection of its own, closed at the end of the block whatever is still to come."""
    split = urlsplit(url)
    reader, writer = await asyncio.open_connection(split.hostname, split.port, limit=limit)
    try:
        data = b"" if body is None else json.dumps(body).encode()
        lines = [f"{method} {split.path}{'?' + split.query if split.query else ''} HTTP/1.1", f"Host: {split.netloc}"]
        lines += ["Content-Type: application/json"] if body is not None else []
        lines += [f"Content-Length: {len(data)}", "Connection: close"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + data)
        await writer.drain()
        raw = await reader.readuntil(b"\r\n\r\n")
        head = raw.decode("latin-1").split("\r\n")
        found = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:])}
        yield Response(int(head[0].split()[1]), found, len(raw), reader)
    finally:
        abort(writer)
        with suppress(OSError):
            await writer.wait_closed()


@dataclass
class Reader:
    """One reader of one stream. `shown` is what it was shown by seq, over all its connections; `silence` the longest
    time between two events, in s; `since` when it first asked, `heard` when the last event came; `pause` is how long it
    waits before it comes back."""

    url: str
    token: str
    stream_id: str = ""
    conversation_id: str = ""
    last: int = -1
    shown: dict[int, str] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    refusal: str = ""
    connections: int = 0
    done: bool = False
    silence: float = 0.0
    heard: float = 0.0
    since: float = 0.0
    pause: float = 0.02
    progress: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def ask(self, question: str, **fields: Any) -> None:
        """Send a question and read its answer to the end, resuming as often as it takes. One answer comes of it."""
        body = {"contents": [{"text": question}], "request_id": str(uuid4()), **fields}
        while not self.stream_id:
            await self._try("POST", "/v2/echat", body)
        await self.follow()

    async def follow(self) -> None:
        """Read to `[DONE]`, resuming after every cut."""
        while not self.done:
            await self._try("GET", f"/v2/streams/{self.stream_id}")

    async def once(self) -> None:
        """Read one connection's worth; raises one of CUT where it is cut."""
        await self._read("GET", f"/v2/streams/{self.stream_id}")

    def request(
        self, method: str, path: str, headers: dict[str, str], body: Any
    ) -> AbstractAsyncContextManager[Answer]:
        """Ask the server; one of CUT where the connection breaks, before the answer or in the middle of it."""
        return request(method, self.url + path, headers, body)

    async def _try(self, method: str, path: str, body: Any = None) -> None:
        """One connection, and a pause after a cut. AssertionError with the cut's reason after `PATIENCE` of nothing."""
        now = asyncio.get_running_loop().time
        self.since = self.since or now()
        try:
            await self._read(method, path, body)
        except CUT as cut:
            waited = now() - max(self.since, self.heard)
            if waited > PATIENCE:
                raise AssertionError(f"{self.connections} connections, no event for {waited:.0f} s: {cut!r}") from cut
            await asyncio.sleep(self.pause)

    async def _read(self, method: str, path: str, body: Any = None) -> None:
        headers = {"Authorization": f"Bearer {self.token}"}
        if self.last >= 0:
            headers["Last-Event-ID"] = f"{self.stream_id}:{self.last}"
        self.connections += 1
        async with self.request(method, path, headers, body) as response:
            if response.status == 204:
                self.done = True
                return
            if response.status == 503:  # an outage: to try again is all there is to do
                raise ConnectionRefusedError(await response.body())
            if response.status != 200:
                raise Refused(response.status, await response.body())
            self.stream_id = self.stream_id or response.headers["x-stream-id"]
            self.conversation_id = response.headers["x-conversation-id"]
            decoder = Decoder()
            async for piece in response.pieces():
                for event in decoder.feed(piece):
                    await self._take(event.id, event.data)
        if not self.done:
            raise ConnectionResetError("the body ended without [DONE]")

    async def _take(self, id: str, data: str) -> None:
        now = asyncio.get_running_loop().time()
        self.silence = max(self.silence, now - (self.heard or now))
        self.heard = now
        async with self.progress:
            if data == events.DONE:
                self.done = True
            else:
                name, _, number = id.rpartition(":")
                if name != self.stream_id:
                    self.faults.append(f"an event of {name!r} in {self.stream_id}")
                seq = int(number or -1)
                if seq in self.shown and "UNAUTHENTICATED" in data:  # this reader's end, not the stream's: no id
                    self.refusal = data
                    return
                if seq in self.shown:
                    self.faults.append(f"doubled: {seq} after {self.last}")
                elif seq != self.last + 1:
                    self.faults.append(f"lost or reordered: {seq} after {self.last}")
                self.shown[seq] = data
                self.last = seq
            self.progress.notify_all()

    async def reached(self, seq: int, seconds: float = 90) -> None:
        """Wait until event `seq` was shown, or the end."""
        async with self.progress:
            await asyncio.wait_for(self.progress.wait_for(lambda: self.last >= seq or self.done), seconds)

    @property
    def text(self) -> str:
        """The answer, put together by seq."""
        return "".join(events.text_of(events.decode(data)) for seq, data in sorted(self.shown.items()) if seq)

    @property
    def end(self) -> str:
        """What the last event says: complete, stopped, failed or interrupted; empty for none of them."""
        last = events.decode(self.shown[self.last]) if self.shown else {}
        if words := last.get("wondercam"):
            return str(words.get("end", ""))
        return events.COMPLETE if events.finish_reason(last) else ""

    def joined(self, after: int = -1) -> "Reader":
        """Another reader of the same stream, which begins after `after`."""
        return Reader(self.url, self.token, self.stream_id, last=after)
