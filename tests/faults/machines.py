"""Machines that serve one site behind nginx, and the people who keep asking there, whatever happens to the machines.

Machine   a `serve` on a loopback address of its own, under a host name of its own
Visitor   a reader who comes to nginx by TLS, over HTTP/2 or HTTP/1.1, from an address of its own
Visitors  so many who ask question after question, each with another reader of every answer
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from itertools import count, cycle
from time import monotonic
from typing import Any

import httpx
import psycopg

from chat.protocol import events
from chat.protocol.events import Event
from tests.equality import check_log, query
from tests.faults.arena import until
from tests.faults.reader import Answer, Reader
from tests.faults.upstream import Script
from tests.servers.front import Front
from tests.servers.wondercam import WonderCam

ENDS = (events.COMPLETE, events.INTERRUPTED)
READERS_AN_ADDRESS = 40
"""Far from what nginx allows one address, with the connections that are still being closed."""
TOKEN_SECONDS = 200
"""Within which a question is asked by the same access token, which lasts for 300 s."""
UNAVAILABLE = 503
WAIT = 300
"""Seconds after which something hangs."""
VISITOR = cycle(range(1, 250))


class Machine(WonderCam):
    """One machine: its processes have a host name of their own, and listen on an address of their own."""

    def __init__(self, name: str, address: str, env: Mapping[str, str]) -> None:
        self.name, self.address = name, address
        super().__init__(env, 1, ())

    def _command(self) -> list[str]:
        return ["-m", "tests.faults.machine", self.name, "serve", "--host", self.address, "--port", str(self.port)]

    @property
    def server(self) -> str:
        """`address:port`, as nginx names it."""
        return f"{self.address}:{self.port}"

    def streams(self) -> int:
        """How many running streams this machine's workers hold, as the database has it."""
        held = "SELECT COUNT(*) FROM chat_stream WHERE status = 'running' AND worker LIKE ?"
        return int(query(self, held, f"{self.name}/%")[0][0])


@dataclass
class Arriving:
    """A response of httpx."""

    response: httpx.Response

    @property
    def status(self) -> int:
        return self.response.status_code

    @property
    def headers(self) -> dict[str, str]:
        return dict(self.response.headers)

    async def pieces(self) -> AsyncIterator[bytes]:
        async for piece in self.response.aiter_raw():
            yield piece

    async def body(self) -> bytes:
        return await self.response.aread()


@dataclass
class Visitor(Reader):
    """A reader whose requests `client` makes."""

    client: httpx.AsyncClient = field(kw_only=True)
    pause: float = 0.2

    def request(
        self, method: str, path: str, headers: dict[str, str], body: Any
    ) -> AbstractAsyncContextManager[Answer]:
        return self._request(method, path, headers, body)

    @asynccontextmanager
    async def _request(self, method: str, path: str, headers: dict[str, str], body: Any) -> AsyncIterator[Answer]:
        try:
            async with self.client.stream(method, self.url + path, headers=headers, json=body) as response:
                yield Arriving(response)
        except httpx.TransportError as cut:
            raise ConnectionResetError(repr(cut)) from cut


@dataclass
class Visitors:
    """So many who ask one question after the other until `leave`; what was found wrong is raised there."""

    front: Front
    machine: Machine
    many: int
    words: int
    gap: int
    counts: Counter[str] = field(default_factory=Counter)
    asking: dict[int, Visitor] = field(default_factory=dict)
    silences: list[float] = field(default_factory=list)
    silences_of_picked_up: list[float] = field(default_factory=list)
    _seeds: Iterator[int] = field(default_factory=lambda: count(1))
    _leaving: bool = False

    @asynccontextmanager
    async def come(self) -> AsyncIterator["Visitors"]:
        """They ask for as long as the block lasts, then read their last answers to the end."""
        async with AsyncExitStack() as stack, asyncio.TaskGroup() as group:
            for number in range(0, self.many, READERS_AN_ADDRESS // 2):
                clients = [await stack.enter_async_context(client) for client in self._clients()]
                for each in range(number, min(number + READERS_AN_ADDRESS // 2, self.many)):
                    group.create_task(self._ask_again_and_again(each, clients))
            yield self
            self._leaving = True

    def _clients(self) -> list[httpx.AsyncClient]:
        """One over HTTP/2 and one over HTTP/1.1, both from one address."""
        address = f"127.0.1.{next(VISITOR)}"
        return [self._client(address, http2) for http2 in (True, False)]

    def _client(self, address: str, http2: bool) -> httpx.AsyncClient:
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=0)
        way = httpx.AsyncHTTPTransport(
            verify=self.front.trusted, http1=not http2, http2=http2, limits=limits, local_address=address
        )
        return httpx.AsyncClient(transport=way, timeout=httpx.Timeout(120))

    async def _token(self, client: httpx.AsyncClient) -> str:
        """The access token of a new guest, asked for again where the stores are away."""
        while True:
            with suppress(httpx.TransportError):
                answer = await client.post(f"{self.front.url}/v2/auth/guest")
                if answer.status_code != UNAVAILABLE:
                    return str(answer.raise_for_status().json()["access"])
            await asyncio.sleep(0.2)

    async def _ask_again_and_again(self, number: int, clients: list[httpx.AsyncClient]) -> None:
        token, until = "", 0.0
        while not self._leaving:
            if monotonic() > until:
                token, until = await self._token(clients[0]), monotonic() + TOKEN_SECONDS
            seed = next(self._seeds)
            own, other = clients if number % 2 else reversed(clients)
            asker = Visitor(self.front.url, token, client=own)
            self.asking[number] = asker
            script = Script(seed, self.words, self.gap)
            question = asker.ask(f"seed={seed} words={script.words} gap={script.gap:g}")
            reader, _ = await asyncio.gather(self._join(asker, token, other), question)
            self._reckon([asker, reader], await self._log_of(asker), script)

    async def _join(self, asker: Visitor, token: str, client: httpx.AsyncClient) -> Visitor:
        """Another reader, from the beginning, as soon as the stream is known."""
        await asker.reached(0, WAIT)
        reader = Visitor(self.front.url, token, asker.stream_id, client=client)
        await reader.follow()
        return reader

    def _reckon(self, readers: list[Visitor], log: list[Event], script: Script) -> None:
        """Nothing lost, doubled or reordered; one end; the text is the model's, as far as it came."""
        asker = readers[0]
        kept = {event.seq: event.data for event in log}
        for reader in readers:
            self.counts["events"] += len(reader.shown)
            self.counts["resumed"] += reader.connections - 1
            assert reader.faults == []
            assert reader.shown == kept, "a reader has not got the log"
        text = events.answer_text(log)
        assert script.text.startswith(text)
        assert asker.end in ENDS
        assert asker.end != events.COMPLETE or text == script.text
        self.counts[asker.end] += 1
        self.silences.append(asker.silence)
        if times := sum(events.PICKED_UP in event.data for event in log):
            self.counts["picked up"] += times
            self.silences_of_picked_up.append(asker.silence)

    async def _log_of(self, reader: Visitor) -> list[Event]:
        """The stream's log, asked for again where PostgreSQL is just being restarted."""
        while True:
            with suppress(psycopg.OperationalError):
                return await asyncio.to_thread(check_log, self.machine, reader.stream_id)
            await asyncio.sleep(0.2)

    async def hear(self, more: int) -> None:
        """Until everybody who is asking now has been shown so many further events, or the end."""
        await asyncio.gather(*(each.reached(each.last + more, WAIT) for each in list(self.asking.values())))

    async def are_answered_by(self, *machines: Machine) -> None:
        """Until each of these machines holds a fair share of what runs."""
        fair = self.many // (2 * len(machines))
        for machine in machines:
            await until(
                lambda machine=machine: asyncio.to_thread(lambda: machine.streams() >= fair),
                f"{machine.name} answers",
                WAIT,
            )
