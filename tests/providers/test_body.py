"""The body that takes aiohttp's apart: what it gives, what it holds, and that aiohttp still has the names it uses."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import aiohttp
import pytest

from chat.providers.body import body_of
from tests.fakes.server import Play, Reply, Request, Server

SMALL_BUFFER = 16 * 1024


@asynccontextmanager
async def body_from(play: Play) -> AsyncGenerator[aiohttp.StreamReader, None]:
    """A response's body, from a server that does as told."""
    async with (
        Server(play) as server,
        aiohttp.ClientSession(read_bufsize=SMALL_BUFFER) as session,
        session.get(server.url) as response,
    ):
        yield body_of(response)


async def test_it_gives_what_is_there_as_soon_as_it_is_there_and_ends_with_the_body() -> None:
    async def play(request: Request, reply: Reply) -> None:
        await reply.head()
        for number in range(3):
            await reply.send(b"piece %d;" % number)
            await taken[number].wait()
        await reply.end()

    taken = [asyncio.Event() for _ in range(3)]
    async with body_from(play) as body:
        for number in range(3):
            assert await body.readany() == b"piece %d;" % number
            taken[number].set()
        assert await body.readany() == b""
        assert await body.readany() == b""


async def test_a_reader_that_waits_holds_the_server_back_and_then_gets_every_byte() -> None:
    pieces = [b"%06d;" % number * 1000 for number in range(6000)]  # 42 MB, more than any socket's buffer
    progress = 0

    async def play(request: Request, reply: Reply) -> None:
        nonlocal progress
        await reply.head()
        for piece in pieces:
            await reply.send(piece)
            progress += 1
        await reply.end()

    async with body_from(play) as body:
        first = await body.readany()
        while (sent := progress) < len(pieces):  # until it stands still
            await asyncio.sleep(0.2)
            if sent == progress:
                break
        assert progress < len(pieces)
        assert body._size < 2 * 1024 * 1024
        found = bytearray(first)
        while piece := await body.readany():
            found += piece
    assert found == b"".join(pieces)


async def test_what_came_before_a_cut_is_given_before_the_cut_is_told() -> None:
    async def play(request: Request, reply: Reply) -> None:
        await reply.head()
        await reply.send(b"so far")
        reply.writer.close()  # in the middle of a chunked body

    async with body_from(play) as body:
        while body._exception is None:
            await asyncio.sleep(0)
        assert await body.readany() == b"so far"
        with pytest.raises(aiohttp.ClientPayloadError):
            await body.readany()


async def test_a_response_without_a_body_is_an_empty_one() -> None:
    async def play(request: Request, reply: Reply) -> None:
        await reply.whole(200, b"", "text/event-stream")

    async with body_from(play) as body:
        assert await body.readany() == b""


async def test_a_reader_that_is_cancelled_can_be_followed_by_another() -> None:
    async def play(request: Request, reply: Reply) -> None:
        await reply.head()
        await more.wait()
        await reply.send(b"at last")
        await reply.end()

    more = asyncio.Event()
    async with body_from(play) as body:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await body.readany()
        more.set()
        assert await body.readany() == b"at last"
