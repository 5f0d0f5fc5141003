"""A small HTTP proxy that misbehaves in one way: it holds, changes or cuts what the server sends.

    async with Relay(target, Way(body=pieces(4096))) as relay: … relay.url …

It reads one request a connection, asks the server, and passes the answer's body through `body`, piece by piece.
"""

import asyncio
import contextlib
import zlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Self

from tests.connections import abort

Pieces = AsyncIterator[bytes]
Body = Callable[[Pieces], Pieces]
Head = list[str]
CUT = b""
"""A piece that ends the connection there."""


async def as_it_comes(body: Pieces) -> Pieces:
    """No fault."""
    async for piece in body:
        yield piece


def pieces(size: int) -> Body:
    """So many bytes at a time, and the rest at the end."""

    async def held(body: Pieces) -> Pieces:
        kept = b""
        async for piece in body:
            kept += piece
            while len(kept) >= size:
                yield kept[:size]
                kept = kept[size:]
        if kept:
            yield kept

    return held


def every(seconds: float) -> Body:
    """What came within so many seconds, at once."""

    async def held(body: Pieces) -> Pieces:
        kept, loop = b"", asyncio.get_running_loop()
        due = loop.time() + seconds
        queue: asyncio.Queue[bytes | None] = asyncio.Queue()

        async def read() -> None:
            async for piece in body:
                queue.put_nowait(piece)
            queue.put_nowait(None)

        reading = asyncio.create_task(read())
        try:
            while True:
                try:
                    piece = await asyncio.wait_for(queue.get(), max(due - loop.time(), 0.001))
                except TimeoutError:
                    due += seconds
                    if kept:
                        yield kept
                    kept = b""
                    continue
                if piece is None:
                    break
                kept += piece
        finally:
            reading.cancel()
        if kept:
            yield kept

    return held


def first(size: int) -> Body:
    """The first so many bytes at once, the rest as it comes."""

    async def held(body: Pieces) -> Pieces:
        kept: bytes | None = b""
        async for piece in body:
            if kept is None:
                yield piece
            elif len(kept := kept + piece) >= size:
                yield kept
                kept = None
        if kept:
            yield kept

    return held


async def whole(body: Pieces) -> Pieces:
    """Everything when it is over."""
    yield b"".join([piece async for piece in body])


def compressed(wbits: int = 31, flush: bool = False) -> Body:
    """gzip (31) or zlib (15), with or without a flush after each piece."""

    async def held(body: Pieces) -> Pieces:
        compressor = zlib.compressobj(wbits=wbits)
        async for piece in body:
            out = compressor.compress(piece) + (compressor.flush(zlib.Z_SYNC_FLUSH) if flush else b"")
            if out:
                yield out
        yield compressor.flush()

    return held


def silent_for(seconds: float) -> Body:
    """Cut after so many seconds without a byte."""

    async def held(body: Pieces) -> Pieces:
        with contextlib.suppress(TimeoutError):
            while True:
                try:
                    yield await asyncio.wait_for(anext(body), seconds)
                except StopAsyncIteration:
                    return
        yield CUT

    return held


def lasting(seconds: float) -> Body:
    """Cut after so many seconds, whatever comes."""

    async def held(body: Pieces) -> Pieces:
        until = asyncio.get_running_loop().time() + seconds
        async for piece in body:
            if asyncio.get_running_loop().time() > until:
                break
            yield piece
        else:
            return
        yield CUT

    return held


def later(seconds: Callable[[], float]) -> Body:
    """Each piece so much later than the one before it allows."""

    async def held(body: Pieces) -> Pieces:
        async for piece in body:
            await asyncio.sleep(seconds())
            yield piece

    return held


def changed(change: Callable[[bytes], bytes]) -> Body:
    """Other bytes."""

    async def held(body: Pieces) -> Pieces:
        async for piece in body:
            yield change(piece)

    return held


def at_rate(bytes_a_second: int) -> Body:
    """A slow line: a kilobyte at a time, each when it has gone over the line."""

    async def held(body: Pieces) -> Pieces:
        async for piece in body:
            for start in range(0, len(piece), 1_000):
                some = piece[start : start + 1_000]
                await asyncio.sleep(len(some) / bytes_a_second)
                yield some

    return held


@dataclass
class Way:
    """What a relay does: to the body, to the lines of both heads, and in which version of HTTP it answers."""

    body: Body = as_it_comes
    request: Callable[[Head], Head] = list
    response: Callable[[Head], Head] = list
    http: str = "1.1"
    length: bool = False
    instead: bytes = b""
    remembers: bool = False
    memory: dict[str, tuple[Head, list[bytes]]] = field(default_factory=dict)


def without(*names: str) -> Callable[[Head], Head]:
    """A head without these headers."""
    return lambda lines: [line for line in lines if line.partition(":")[0].lower() not in names]


def with_lines(*added: str) -> Callable[[Head], Head]:
    """A head with these headers in place of those of the same names."""
    names = [line.partition(":")[0].lower() for line in added]
    return lambda lines: [*without(*names)(lines), *added]


class Relay:
    """Listens on a port of its own and asks `target`, an address of this machine."""

    def __init__(self, target: int, way: Way) -> None:
        self._target, self._way = target, way
        self.port = 0
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        """Where clients go."""
        return f"http://127.0.0.1:{self.port}"

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *error: object) -> None:
        self._server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            with contextlib.suppress(OSError, asyncio.IncompleteReadError):
                await self._answer(client, to_client)
        finally:
            abort(to_client) if to_client.transport.is_closing() else to_client.close()
            self._tasks.discard(task)

    async def _answer(self, client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        first, *lines = _head(await client.readuntil(b"\r\n\r\n"))
        if self._way.instead:
            to_client.write(self._way.instead)
            await to_client.drain()
            return
        if self._way.remembers and first in self._way.memory:
            head, kept = self._way.memory[first]
            return await self._send(to_client, head, _of(kept))
        server, to_server = await asyncio.open_connection("127.0.0.1", self._target)
        try:
            asked = with_lines("Connection: close")(self._way.request(lines))
            to_server.write("\r\n".join([first, *asked, "", ""]).encode("latin-1"))
            head = _head(await server.readuntil(b"\r\n\r\n"))
            body = _body(server, any("chunked" in line.lower() for line in head))
            if self._way.remembers:
                body = self._kept(first, head, body)
            await self._send(to_client, head, body)
        finally:
            abort(to_server)

    async def _kept(self, first: str, head: Head, body: Pieces) -> Pieces:
        kept = []
        async for piece in body:
            kept.append(piece)
            yield piece
        self._way.memory[first] = (head, kept)

    async def _send(self, to_client: asyncio.StreamWriter, head: Head, body: Pieces) -> None:
        way = self._way
        out = way.body(body)
        known: list[bytes] = [piece async for piece in out] if way.length else []
        lines = way.response(without("transfer-encoding", "connection", "content-length")(head[1:]))
        lines += ["Connection: close"]
        if way.length:
            lines += [f"Content-Length: {len(b''.join(known))}"]
        elif way.http == "1.1":
            lines += ["Transfer-Encoding: chunked"]
        to_client.write("\r\n".join([f"HTTP/{way.http} {head[0][9:]}", *lines, "", ""]).encode("latin-1"))
        chunked = way.http == "1.1" and not way.length
        async for piece in _of(known) if way.length else out:
            if piece == CUT:
                await to_client.drain()
                return
            to_client.write(b"%x\r\n%s\r\n" % (len(piece), piece) if chunked else piece)
            await to_client.drain()
        if chunked:
            to_client.write(b"0\r\n\r\n")
        await to_client.drain()


async def _of(kept: list[bytes]) -> Pieces:
    for piece in kept:
        yield piece


def _head(raw: bytes) -> Head:
    return raw.decode("latin-1").split("\r\n")[:-2]


async def _body(server: asyncio.StreamReader, chunked: bool) -> Pieces:
    if not chunked:
        while data := await server.read(65536):
            yield data
        return
    while size := int((await server.readuntil(b"\r\n")).strip(), 16):
        yield (await server.readexactly(size + 2))[:-2]
