"""`PushBody`: the pieces, their order, and the private names of aiohttp that it uses."""

import asyncio
import re
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from chat import providers as package
from chat.providers.http.push_body import PRIVATE, PushBody, check_aiohttp
from tests.fakes.server import Play, Reply, Request, Server

pytestmark = pytest.mark.servers

SMALL_BUFFER = 16 * 1024


@asynccontextmanager
async def body_from(play: Play) -> AsyncGenerator[PushBody, None]:
    """A response's body, from a server that does as told."""
    async with (
        Server(play) as server,
        aiohttp.ClientSession(read_bufsize=SMALL_BUFFER) as session,
        session.get(server.url) as response,
    ):
        yield PushBody(response)


async def test_it_gives_what_is_there_when_it_arrives_and_ends_with_the_body() -> None:
    async def play(request: Request, reply: Reply) -> None:
        await reply.head()
        for number in range(3):
            await reply.send(b"piece %d;" % number)
            await taken[number].wait()
        await reply.end()

    taken = [asyncio.Event() for _ in range(3)]
    found: list[bytes] = []

    def sink(piece: bytes) -> None:
        found.append(piece)
        taken[len(found) - 1].set()

    async with body_from(play) as body:
        over = body.over()
        body.on_data(sink)
        await over
        assert found == [b"piece 0;", b"piece 1;", b"piece 2;"]
        await body.over()


async def test_a_piece_is_given_in_the_call_that_brought_it_and_wakes_nobody() -> None:
    async def play(request: Request, reply: Reply) -> None:
        await reply.head()
        await more.wait()
        await reply.send(b"now")
        await reply.stall()

    more, came = asyncio.Event(), asyncio.Event()
    inside: list[asyncio.Task[None] | None] = []

    def sink(piece: bytes) -> None:
        inside.append(asyncio.current_task())
        came.set()

    async with body_from(play) as body:
        over = body.over()
        body.on_data(sink)
        more.set()
        await came.wait()
        assert inside == [None]  # the loop's own call, and no task's
        assert not over.done()


async def test_a_sink_that_is_full_holds_the_server_back_and_then_gets_every_byte() -> None:
    pieces = [b"%06d;" % number * 1000 for number in range(6000)]  # 42 MB, more than any socket's buffer
    progress = 0

    async def play(request: Request, reply: Reply) -> None:
        nonlocal progress
        await reply.head()
        for piece in pieces:
            await reply.send(piece)
            progress += 1
        await reply.end()

    found = bytearray()
    async with body_from(play) as body:
        over = body.over()
        body.on_data(found.extend)
        body.pause()
        while (sent := progress) < len(pieces):  # until it stands still
            await asyncio.sleep(0.2)
            if sent == progress:
                break
        assert progress < len(pieces)
        assert len(found) < 2 * 1024 * 1024
        body.resume()
        await over
    assert found == b"".join(pieces)


async def test_many_small_chunks_behind_those_that_were_given_do_not_stop_the_upstream_for_ever() -> None:
    async def play(request: Request, reply: Reply) -> None:
        await reply.head()
        for number in range(6000):  # aiohttp stops the upstream at some 1,000 chunks that nobody has read
            await reply.send(b"%d;" % number)
            if number == 3000:
                await paused.wait()
        await reply.end()

    paused, found = asyncio.Event(), bytearray()
    async with body_from(play) as body:

        def sink(piece: bytes) -> None:
            found.extend(piece)
            if found.endswith(b";3000;"):
                body.pause()
                paused.set()

        over = body.over()
        body.on_data(sink)
        await paused.wait()
        while not body._content._protocol._reading_paused:
            await asyncio.sleep(0)
        body.resume()
        await asyncio.wait_for(over, 30)
    assert found == b"".join(b"%d;" % number for number in range(6000))


async def test_what_came_before_a_cut_is_given_before_the_cut_is_told() -> None:
    async def play(request: Request, reply: Reply) -> None:
        await reply.head()
        await reply.send(b"so far")
        reply.writer.close()  # in the middle of a chunked body

    found: list[bytes] = []
    async with body_from(play) as body:
        while body._content.exception() is None:
            await asyncio.sleep(0)
        body.on_data(found.append)
        assert found == [b"so far"]
        with pytest.raises(aiohttp.ClientPayloadError):
            await body.over()


async def test_a_cut_is_told_to_who_waits() -> None:
    async def play(request: Request, reply: Reply) -> None:
        await reply.head()
        await waited.wait()
        reply.writer.close()

    waited = asyncio.Event()
    async with body_from(play) as body:
        over = body.over()
        body.on_data(lambda piece: None)
        waited.set()
        with pytest.raises(aiohttp.ClientPayloadError):
            await over


def test_an_aiohttp_without_one_of_the_names_is_refused_at_the_import_with_what_to_do() -> None:
    for lacking in PRIVATE:
        reader = type("Reader", (), {"__slots__": tuple(PRIVATE.keys() - {lacking})})
        with pytest.raises(ImportError, match=rf"StreamReader\.{lacking} .*requirements\.txt"):
            check_aiohttp(reader)


def test_no_other_module_touches_a_private_name_of_aiohttp() -> None:
    root = Path(package.__file__).parent
    users = [path.name for path in root.rglob("*.py") if re.search(r"\b(content|response)\._[a-z]", path.read_text())]
    assert users == ["push_body.py"]


async def test_a_body_that_was_paused_in_the_middle_still_ends() -> None:
    async def play(request: Request, reply: Reply) -> None:
        await reply.head()
        await reply.send(b"first")
        await paused.wait()
        await reply.send(b"second")
        await reply.end()
        await reply.stall()

    paused, found = asyncio.Event(), list[bytes]()
    async with body_from(play) as body:

        def sink(piece: bytes) -> None:
            found.append(piece)
            if not paused.is_set():
                body.pause()
                paused.set()

        over = body.over()
        body.on_data(sink)
        await paused.wait()
        await asyncio.sleep(0.05)  # what is sent meanwhile must not be given
        assert found == [b"first"]
        body.resume()
        await asyncio.wait_for(over, 60)
    assert found == [b"first", b"second"]


async def test_a_response_without_a_body_is_an_empty_one() -> None:
    async def play(request: Request, reply: Reply) -> None:
        await reply.whole(200, b"", "text/event-stream")

    found: list[bytes] = []
    async with body_from(play) as body:
        body.on_data(found.append)
        await body.over()
    assert found == []
