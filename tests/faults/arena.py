"""`arena`: servers under test with the scripted model behind them, and readers in front.

`arena.serve()` starts a server that the test may stop; `arena.shared()` is the one of all tests that only talk to it.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import Any

import httpx
import pytest
import pytest_asyncio

from tests.faults.reader import Reader
from tests.faults.upstream import Model, upstream
from tests.servers.process import free_port
from tests.servers.wondercam import Serve, Share, WonderCam


def environment(model: str, **more: str) -> dict[str, str]:
    """The settings that point a server at the scripted model."""
    return {
        "OPENAI_BASE_URL": f"{model}/v1",
        "OPENAI_API_KEY": "a-key",
        "WONDERCAM_MODELS": "openai/script",
        "WONDERCAM_UPSTREAM_ATTEMPTS": "1",
        **more,
    }


@dataclass
class Arena:
    """One test's model, and what to start with it."""

    model: Model
    start: Serve
    share: Share
    tokens: dict[str, str] = field(default_factory=dict)
    neighbours: list[WonderCam] = field(default_factory=list)

    async def serve(self, env: Mapping[str, str] | None = None, workers: int = 1) -> WonderCam:
        """A server whose default model is the script."""
        settings = environment(self.model.url, **(env or {}))
        server: WonderCam = await asyncio.to_thread(self.start, settings, workers)
        self.tokens[server.url] = await guest(server.url)
        return server

    async def shared(self) -> WonderCam:
        """The shared server before the model, with a guest of this test's own."""
        server = await asyncio.to_thread(self.share, environment(self.model.url))
        self.tokens[server.url] = await guest(server.url)
        return server

    async def beside(self, server: WonderCam) -> WonderCam:
        """Another server process on the same database: what one writes, the other must follow."""
        other = await asyncio.to_thread(WonderCam, server.env, 1, ())
        self.neighbours.append(other)
        self.tokens[other.url] = self.tokens[server.url]
        return other

    def reader(self, server: WonderCam) -> Reader:
        """A new reader, as the server's one guest."""
        return Reader(server.url, self.tokens[server.url])


async def guest(url: str) -> str:
    """The access token of a new guest."""
    async with httpx.AsyncClient(timeout=90) as client:
        return str((await client.post(f"{url}/v2/auth/guest")).raise_for_status().json()["access"])


async def stop(reader: Reader) -> dict[str, str]:
    """Stop the reader's stream."""
    async with httpx.AsyncClient(headers={"Authorization": f"Bearer {reader.token}"}, timeout=90) as client:
        answer = await client.post(f"{reader.url}/v2/streams/{reader.stream_id}/stop")
    return dict(answer.raise_for_status().json())


async def asking(reader: Reader, question: str, seq: int = 1, **fields: Any) -> "asyncio.Task[None]":
    """Ask, and go on in the background once event `seq` was shown; the task that reads on to the end."""
    task = asyncio.create_task(reader.ask(question, **fields))
    shown = asyncio.create_task(reader.reached(seq))
    await asyncio.wait({task, shown}, return_when=asyncio.FIRST_COMPLETED)
    if task.done():
        await task
    await shown
    return task


async def until(true: Callable[[], object] | Callable[[], Awaitable[object]], what: str, seconds: float = 90) -> float:
    """Ask again every 10 ms until it is so; how many seconds that took."""
    began = monotonic()
    while True:
        found = true()
        if await found if isinstance(found, Awaitable) else found:
            return monotonic() - began
        assert monotonic() - began < seconds, f"{what}: not so after {seconds:g} s"
        await asyncio.sleep(0.01)


def workers_of(server: WonderCam) -> list[int]:
    """The process ids of a server's workers."""
    children = Path(f"/proc/{server.pid}/task/{server.pid}/children").read_text().split()
    return [int(pid) for pid in children]


@pytest.fixture(scope="session")
def upstream_port() -> int:
    """Where each test has its model, so that a server before it may be shared."""
    return free_port()


@pytest_asyncio.fixture
async def arena(serve: Serve, share: Share, upstream_port: int) -> AsyncIterator[Arena]:
    """A model that is gone with the test, and a way to serve it."""
    async with upstream(upstream_port) as model:
        found = Arena(model, serve, share)
        yield found
        for server in found.neighbours:
            server.kill9()
