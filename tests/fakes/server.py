"""An HTTP/1.1 server of a few lines that can misbehave in every byte: what a client library would never send."""

import asyncio
import contextlib
import json
import ssl
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, Self

from tests.connections import abort


@dataclass(slots=True)
class Request:
    """One request as it came."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


@dataclass(slots=True)
class Reply:
    """The other direction: a head, pieces, an end; or a cut."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    gone: asyncio.Event = field(default_factory=asyncio.Event)
    chunked: bool = False

    async def head(self, status: int = 200, content_type: str = "text/event-stream", **headers: str) -> None:
        """Status line and headers; the body is chunked unless a Content-Length is given."""
        self.chunked = "Content_Length" not in headers and not 300 <= status < 400
        lines = [f"HTTP/1.1 {status} X", f"Content-Type: {content_type}", "Connection: close"]
        lines += ["Transfer-Encoding: chunked"] if self.chunked else []
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        self.writer.write(("\r\n".join(lines) + "\r\n\r\n").encode())
        await self.writer.drain()

    async def send(self, data: bytes) -> None:
        """One piece, in one write."""
        if data:
            self.writer.write(b"%x\r\n%b\r\n" % (len(data), data) if self.chunked else data)
            await self.writer.drain()

    async def end(self) -> None:
        """The proper end of a chunked body."""
        self.writer.write(b"0\r\n\r\n")
        await self.writer.drain()

    async def whole(self, status: int, body: Any, content_type: str = "application/json", **headers: str) -> None:
        """A response in one go."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        await self.head(status, content_type, Content_Length=str(len(data)), **headers)
        self.writer.write(data)
        await self.writer.drain()

    def cut(self) -> None:
        """Reset the connection."""
        abort(self.writer)

    async def silence(self, seconds: float) -> None:
        """Nothing for a while, unless the client goes."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.gone.wait(), seconds)

    async def stall(self) -> None:
        """Nothing more, until the client goes."""
        await self.gone.wait()


Play = Callable[[Request, Reply], Coroutine[Any, Any, None]]


class Server:
    """`async with Server(play) as server`: one request a connection, all of them kept in `requests`.

    On a port of its own, or on the one given: what stands before it may then outlast the test.
    """

    def __init__(self, play: Play, tls: ssl.SSLContext | None = None, port: int = 0) -> None:
        self.play = play
        self._port = port
        self.requests: list[Request] = []
        self.gone: list[float] = []
        self._tls = tls
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._writers: list[asyncio.StreamWriter] = []

    @property
    def url(self) -> str:
        """Where it listens."""
        assert self._server is not None
        port = self._server.sockets[0].getsockname()[1]
        return f"http{'s' if self._tls else ''}://127.0.0.1:{port}"

    async def start(self) -> None:
        """Listen on loopback."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self._port, ssl=self._tls)

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *error: object) -> None:
        assert self._server is not None
        self._server.close()
        await asyncio.sleep(0)  # who has just been accepted is known after this
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for writer in self._writers:  # also where its client has not read everything
            abort(writer)
        await asyncio.sleep(0)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self._writers.append(writer)
        watcher = None
        try:
            request = await _read(reader)
            self.requests.append(request)
            reply = Reply(reader, writer)
            watcher = asyncio.create_task(self._watch(reply))
            playing = asyncio.create_task(self.play(request, reply))
            self._tasks |= {watcher, playing}
            await asyncio.wait({watcher, playing}, return_when=asyncio.FIRST_COMPLETED)
            playing.cancel()
            with contextlib.suppress(asyncio.CancelledError, ConnectionError):
                await playing
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError, ssl.SSLError):
            pass  # the client or the test has had enough
        finally:
            if watcher is not None:
                watcher.cancel()
            writer.close()
            self._tasks.discard(task)

    async def _watch(self, reply: Reply) -> None:
        with contextlib.suppress(ConnectionError):
            while await reply.reader.read(4096):
                pass
        self.gone.append(asyncio.get_running_loop().time())
        reply.gone.set()


async def _read(reader: asyncio.StreamReader) -> Request:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    first, *lines = head.strip().split("\r\n")
    method, target, _ = first.split(" ")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    return Request(method, target, headers, await reader.readexactly(int(headers.get("content-length", 0))))
