"""Upstream event streams: order, backpressure, and one error for each fault."""

import asyncio
from time import monotonic
from typing import Any

import pytest

from chat.protocol import errors, events
from chat.protocol.prompt import Model, Prompt
from chat.providers import gemini as reader
from chat.providers import policy
from chat.providers.breaker import Breaker
from chat.providers.http.client import Connection
from tests.fakes import gemini
from tests.fakes.server import Play, Reply, Request, Server

pytestmark = pytest.mark.servers

MANY = 4000
LONG = "x" * 10_000
"""Together 40 MB: more than any socket's buffers hold."""


async def read(play: Play, give: events.Give) -> None:
    """Read one answer from a server that does as told."""

    async def headers() -> dict[str, str]:
        return {}

    async with Server(play) as server:
        connection = Connection()
        provider = reader.Gemini("gemini", "X", (), lambda name: f"{server.url}/m", headers, connection)
        try:
            await provider.answer(Prompt(Model("gemini", "m"), [{"role": "user", "parts": [{"text": "Hi"}]}]), give)
        finally:
            await connection.close()


class Flood:
    """A server that sends as fast as it may; `sent` counts."""

    def __init__(self) -> None:
        self.sent = 0

    async def __call__(self, request: Request, reply: Reply) -> None:
        await reply.head()
        for number in range(MANY):
            await reply.send(gemini.sse(gemini.chunk(f"{number} {LONG}")))
            self.sent += 1
        await reply.send(gemini.sse(gemini.chunk("", "STOP")))
        await reply.end()

    async def stands_still(self) -> int:
        """Wait until it does; how far it came."""
        while True:
            before = self.sent
            await asyncio.sleep(0.2)
            if before == self.sent:
                return before


async def test_while_it_is_paused_the_server_waits_and_then_everything_comes_in_order() -> None:
    flood, came = Flood(), list[int]()
    room: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def give(chunk: events.Chunk) -> "asyncio.Future[None] | None":
        came.append(int(chunk.parts[0]["text"].split(" ")[0] or MANY))
        return None if room.done() else room

    reading = asyncio.create_task(read(flood, give))
    assert 0 < await flood.stands_still() < MANY
    assert len(came) * len(LONG) < 1024 * 1024
    room.set_result(None)
    await asyncio.wait_for(reading, 30)
    assert came == list(range(MANY + 1))


async def test_every_time_there_is_no_room_it_waits_again() -> None:
    flood, came, waits = Flood(), list[int](), list[int]()

    def give(chunk: events.Chunk) -> "asyncio.Future[None] | None":
        came.append(len(came))
        if len(came) % 100:
            return None
        loop = asyncio.get_running_loop()
        room: asyncio.Future[None] = loop.create_future()
        loop.call_later(0.001, room.set_result, None)
        waits.append(len(came))
        return room

    await asyncio.wait_for(read(flood, give), 30)
    assert len(came) == MANY + 1
    assert waits == list(range(100, MANY + 1, 100))


async def test_what_the_reader_raises_ends_the_answer_and_is_raised() -> None:
    came: list[events.Chunk] = []

    def give(chunk: events.Chunk) -> None:
        came.append(chunk)
        if len(came) == 3:
            raise errors.TooLarge("enough")

    with pytest.raises(errors.TooLarge, match="enough"):
        await asyncio.wait_for(read(Flood(), give), 10)
    assert len(came) == 3


async def test_what_came_before_an_error_in_the_same_piece_is_given() -> None:
    async def play(request: Request, reply: Reply) -> None:
        await reply.head()
        await reply.send(gemini.sse(gemini.chunk("so far"), gemini.OVERLOADED, gemini.chunk("never")))
        await reply.stall()

    came: list[Any] = []
    with pytest.raises(errors.Unavailable):
        await asyncio.wait_for(read(play, lambda chunk: came.append(chunk.parts)), 10)
    assert came == [[{"text": "so far"}]]


@pytest.mark.slow
async def test_a_reader_without_room_is_not_the_upstreams_delay() -> None:
    async def play(request: Request, reply: Reply) -> None:
        await reply.head()
        await reply.send(gemini.sse(gemini.chunk("a")))
        await full.wait()
        await reply.send(gemini.sse(gemini.chunk("b", "STOP")))
        await reply.end()

    loop, full, came = asyncio.get_running_loop(), asyncio.Event(), list[str]()

    def give(chunk: events.Chunk) -> "asyncio.Future[None] | None":
        came.extend(part["text"] for part in chunk.parts)
        if came != ["a"]:
            return None
        room: asyncio.Future[None] = loop.create_future()
        loop.call_later(1.5, room.set_result, None)
        loop.call_later(1.5, full.set)
        return room

    async def ask(prompt: Prompt, give: events.Give) -> None:
        await read(play, give)

    limits = policy.AttemptLimits(first=1, idle=1)
    attempts = policy.Attempts(limits, monotonic() + 30)
    prompt = Prompt(Model("gemini", "m"), [])
    await policy.answer(ask, prompt, Breaker(), attempts, give)
    assert came == ["a", "b"]
