"""A network that misbehaves: a TCP proxy, one fault a connection, chosen from a table.

    async with Proxy(port, "cut", 500) as proxy: … http://127.0.0.1:{proxy.port} …

Faults apply to what the server sends; what the client sends passes. `fault` may be changed between connections.
"""

import asyncio
import contextlib
from collections.abc import Callable, Coroutine
from typing import Any, Self

from tests.connections import abort

Carry = Callable[[asyncio.StreamReader, asyncio.StreamWriter, int], Coroutine[Any, Any, None]]
PIECE = 65536


async def whole(source: asyncio.StreamReader, sink: asyncio.StreamWriter, _: int) -> None:
    """No fault."""
    while data := await source.read(PIECE):
        sink.write(data)
        await sink.drain()


async def cut(source: asyncio.StreamReader, sink: asyncio.StreamWriter, size: int) -> None:
    """`size` bytes arrive, then the connection is reset."""
    while size and (data := await source.read(size)):
        sink.write(data)
        await sink.drain()
        size -= len(data)
    sink.close()


async def buffer_all(source: asyncio.StreamReader, sink: asyncio.StreamWriter, _: int) -> None:
    """Everything arrives when the server has closed the connection, and nothing before."""
    sink.write(await source.read())
    await sink.drain()


async def hold(source: asyncio.StreamReader, sink: asyncio.StreamWriter, size: int) -> None:
    """`size` bytes arrive, then nothing: read from the server, and kept back."""
    while size and (data := await source.read(size)):
        sink.write(data)
        size -= len(data)
    while await source.read(PIECE):
        pass


async def half_open(source: asyncio.StreamReader, sink: asyncio.StreamWriter, size: int) -> None:
    """`size` bytes arrive, then the client is gone without a word: nobody reads from the server, nobody closes."""
    while size and (data := await source.read(size)):
        sink.write(data)
        size -= len(data)
    await asyncio.Event().wait()


async def trickle(source: asyncio.StreamReader, sink: asyncio.StreamWriter, rate: int) -> None:
    """`rate` bytes a second."""
    while data := await source.read(1):
        sink.write(data)
        await sink.drain()
        await asyncio.sleep(1 / rate)


async def silence_cut(source: asyncio.StreamReader, sink: asyncio.StreamWriter, milliseconds: int) -> None:
    """Cut after so many milliseconds without a byte, as proxies do after 60 s."""
    with contextlib.suppress(TimeoutError):
        while data := await asyncio.wait_for(source.read(PIECE), milliseconds / 1000):
            sink.write(data)
            await sink.drain()


FAULTS: dict[str, Carry] = {
    "none": whole,
    "cut": cut,
    "buffer": buffer_all,
    "hold": hold,
    "half-open": half_open,
    "trickle": trickle,
    "silence": silence_cut,
}


class Proxy:
    """Listens on `port` of its own and carries every connection to `target`, a port of this machine."""

    def __init__(self, target: int, fault: str = "none", amount: int = 0) -> None:
        self.target, self.fault, self.amount = target, fault, amount
        self.port = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._halves: set[asyncio.Task[None]] = set()
        self._writers: set[asyncio.StreamWriter] = set()

    @property
    def url(self) -> str:
        """Where clients go."""
        return f"http://127.0.0.1:{self.port}"

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, limit=PIECE)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *error: object) -> None:
        self._server.close()
        await asyncio.sleep(0)  # who has just been accepted is known after this
        while self._tasks:
            for half in self._halves:
                half.cancel()
            for writer in self._writers:
                abort(writer)
            await asyncio.wait(self._tasks, timeout=0.1)

    async def _serve(self, client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self._writers.add(to_client)
        try:
            server, to_server = await asyncio.open_connection("127.0.0.1", self.target, limit=PIECE)
            self._writers.add(to_server)
            await self._carry(client, to_client, server, to_server)
            await self._close(to_client, to_server)
        except OSError:  # the server takes no connection: the client learns it, and may come again
            abort(to_client)
        finally:
            self._tasks.discard(task)

    async def _carry(
        self,
        client: asyncio.StreamReader,
        to_client: asyncio.StreamWriter,
        server: asyncio.StreamReader,
        to_server: asyncio.StreamWriter,
    ) -> None:
        halves = {
            asyncio.create_task(whole(client, to_server, 0)),
            asyncio.create_task(FAULTS[self.fault](server, to_client, self.amount)),
        }
        self._halves |= halves
        await asyncio.wait(halves, return_when=asyncio.FIRST_COMPLETED)
        for half in halves:
            half.cancel()
        await asyncio.gather(*halves, return_exceptions=True)
        self._halves -= halves

    async def _close(self, *writers: asyncio.StreamWriter) -> None:
        for writer in writers:
            writer.close()
        for writer in writers:
            with contextlib.suppress(OSError):
                await writer.wait_closed()  # until all of it is read, or the proxy ends
            self._writers.discard(writer)
