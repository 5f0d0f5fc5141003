"""The HTTP client of all providers: connections are reused, and closed at once when an answer is stopped."""

import asyncio
import socket
from collections.abc import AsyncGenerator
from contextlib import ExitStack
from typing import Any

import pytest
from aiohttp import web

from chat.protocol import errors, events
from chat.protocol.prompt import Prompt
from chat.providers.local import provider as local
from chat.providers.local import weights
from chat.providers.local.server import Embedded, Running, Shape
from tests.catalogue import providers
from tests.fakes import gemini, openai
from tests.fakes.server import Reply, Request, Server
from tests.unit.providers.conftest import ONCE, ask, responses

pytestmark = pytest.mark.servers

QUESTION = [{"role": "user", "parts": [{"text": "Hi"}]}]
BODIES = {"gemini/hello": gemini.BODIES["hello"], "openai/hello": openai.BODIES["hello"]}
WITHIN = 5
"""Seconds in which a stop reaches the provider."""


def point_at(url: str, **settings: str) -> None:
    """Both HTTP providers ask this server."""
    given = {"GEMINI_API_KEY": "k", "GEMINI_BASE_URL": url, "OPENAI_BASE_URL": f"{url}/v1"}
    providers.configure({**ONCE, "WONDERCAM_MODELS": ",".join(BODIES), **given, **settings})


@pytest.mark.parametrize("model", BODIES)
async def test_one_connection_serves_one_answer_after_the_other(model: str) -> None:
    peers = []

    async def play(request: web.BaseRequest) -> web.Response:
        peers.append(request.transport and request.transport.get_extra_info("peername"))
        return web.Response(body=BODIES[model], content_type="text/event-stream")

    runner = web.ServerRunner(web.Server(play))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        point_at("http://{}:{}".format(*runner.addresses[0][:2]))
        for _ in range(4):
            assert (await ask(model)).error is None
    finally:
        await providers.close()
        await runner.cleanup()
    assert len(peers) == 4
    assert len(set(peers)) == 1


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("model", BODIES)
async def test_no_redirect_is_followed_and_no_key_goes_elsewhere(model: str, status: int) -> None:
    async def elsewhere(request: Request, reply: Reply) -> None:
        await reply.whole(200, BODIES[model], "text/event-stream")

    async with Server(elsewhere) as other:

        async def play(request: Request, reply: Reply) -> None:
            await reply.whole(status, b"", Location=f"{other.url}/{request.target}")

        async with Server(play) as server:
            point_at(server.url)
            error = (await ask(model)).error
            assert isinstance(error, errors.NotFound)  # the operator's matter, which trying again does not help
            assert "address that is set" in error.message
            assert other.requests == []


async def test_a_server_that_takes_no_connection_is_given_up_after_the_connect_deadline() -> None:
    loop = asyncio.get_running_loop()
    with socket.create_server(("127.0.0.1", 0), backlog=0) as deaf, ExitStack() as held:
        for _ in range(4):  # more than its queue holds: who comes now gets no answer at all
            one = held.enter_context(socket.socket())
            one.setblocking(False)
            one.connect_ex(deaf.getsockname())
        url = f"http://127.0.0.1:{deaf.getsockname()[1]}"
        point_at(url, WONDERCAM_LIMIT_CONNECT_SECONDS="0.3", WONDERCAM_LIMIT_FIRST_TOKEN_SECONDS="30")
        began = loop.time()
        outcome = await ask("gemini/hello")
    assert isinstance(outcome.error, errors.Unavailable)
    assert 0.25 < loop.time() - began < 20


class Slow:
    """An upstream that says some words and then nothing; it notes who is there, and when each has gone."""

    def __init__(self, words: int) -> None:
        self.words = words
        self.asked = asyncio.Event()
        self.gone: asyncio.Future[float] = asyncio.get_running_loop().create_future()

    async def __call__(self, request: Request, reply: Reply) -> None:
        """One question."""
        try:
            await reply.head()
            fake: Any = gemini if "Content" in request.target else openai
            for word in ["so ", "far"][: self.words]:
                chunk = gemini.chunk(word) if fake is gemini else openai.chunk({"content": word})
                await reply.send(fake.sse(chunk))
            self.asked.set()
            await reply.stall()
        finally:
            if not self.gone.done():
                self.gone.set_result(asyncio.get_running_loop().time())


async def stopped(model: str, slow: Slow) -> float:
    """Read what there is, go away as a stop does, and wait until the upstream has noticed; the seconds that took."""
    answer = responses(Prompt(providers.find(model)[1], QUESTION))
    came: list[events.Response] = []
    heard = asyncio.Event()

    async def read() -> None:
        try:
            async for response in answer:
                came.append(response)
                heard.set()
        finally:
            await answer.aclose()

    reading = asyncio.create_task(read())
    await slow.asked.wait()
    while len(came) < slow.words:
        heard.clear()
        await heard.wait()
    began = asyncio.get_running_loop().time()
    reading.cancel()
    async with asyncio.timeout(60):
        left = await slow.gone
    await asyncio.gather(reading, return_exceptions=True)
    assert len(came) == slow.words
    return left - began


@pytest.mark.parametrize("words", [0, 2])
@pytest.mark.parametrize("model", BODIES)
async def test_a_stop_lets_the_upstream_go_at_once_before_and_after_the_first_word(model: str, words: int) -> None:
    slow = Slow(words)
    async with Server(slow) as server:
        point_at(server.url, WONDERCAM_LIMIT_FIRST_TOKEN_SECONDS="30", WONDERCAM_LIMIT_IDLE_SECONDS="30")
        assert await stopped(model, slow) < WITHIN


@pytest.fixture
async def slow_model(monkeypatch: pytest.MonkeyPatch) -> AsyncGenerator[tuple[Slow, Server], None]:
    """The embedded provider with one slot; in the engine's place is one that says two words and then nothing."""
    slow = Slow(2)
    async with Server(slow) as server:
        monkeypatch.setattr(Embedded, "_run", lambda self: Running(server.url, "key", None))
        provider = local.Local(Embedded(Shape(slots=1)))
        monkeypatch.setattr("chat.providers.catalogue.PROVIDERS", (lambda settings: provider,))
        providers.configure({})
        yield slow, server


async def test_a_stop_frees_the_embedded_models_slot_for_the_next_in_line(slow_model: tuple[Slow, Server]) -> None:
    slow, server = slow_model
    waiting = responses(Prompt(providers.find(None)[1], QUESTION))
    first = asyncio.create_task(stopped(f"{local.NAME}/{weights.MODEL}", slow))
    await slow.asked.wait()
    assert await anext(waiting) == events.notice(events.WAITING, local.waiting(0))

    served = asyncio.create_task(anext(waiting))
    assert await first < WITHIN
    began = asyncio.get_running_loop().time()
    async with asyncio.timeout(60):
        assert events.text_of(await served) == "so "
    assert asyncio.get_running_loop().time() - began < WITHIN
    assert len(server.requests) == 2
    await waiting.aclose()


async def test_who_stops_while_waiting_leaves_the_line_and_no_slot_is_lost(slow_model: tuple[Slow, Server]) -> None:
    _, server = slow_model
    prompt = Prompt(providers.find(None)[1], QUESTION)
    first, second, third = (responses(prompt) for _ in range(3))
    assert events.text_of(await anext(first)) == "so "
    assert await anext(second) == events.notice(events.WAITING, local.waiting(0))
    assert await anext(third) == events.notice(events.WAITING, local.waiting(1))
    waiting = asyncio.create_task(anext(second))
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    await first.aclose()
    async with asyncio.timeout(60):
        found = [await anext(third), await anext(third)]
    assert events.text_of(found[-1]) in ("so ", "far")
    assert len(server.requests) == 2
    await third.aclose()


HEAD = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n"
HEADS = {
    "200": HEAD,
    "without a phrase": HEAD.replace(" OK", ""),
    "behind interim ones": "HTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n" + HEAD,
    "of HTTP/1.0": HEAD.replace("1.1", "1.0"),
    "with a large header": f"{HEAD}X-Policy: {'a' * 20_000}\r\n",
    "with many headers": HEAD + "".join(f"X-{number}: a\r\n" for number in range(200)),
    "with line feeds": HEAD.replace("\r\n", "\n"),
}


@pytest.mark.parametrize("name", HEADS)
async def test_a_response_with_any_head_that_clients_read_is_read(name: str) -> None:
    async def play(request: Request, reply: Reply) -> None:
        reply.writer.write(HEADS[name].encode() + (b"\n" if "feeds" in name else b"\r\n") + BODIES["openai/hello"])
        reply.writer.close()

    async with Server(play) as server:
        point_at(server.url)
        assert (await ask("openai/hello")).text == openai.TEXT


@pytest.mark.parametrize("said", ["hello\r\n\r\n", "HTTP/2 200\r\n\r\n", f"{HEAD}X: {'a' * 100_000}\r\n\r\n"])
async def test_what_is_no_http_is_called_that_and_not_out_of_reach(said: str) -> None:
    async def play(request: Request, reply: Reply) -> None:
        reply.writer.write(said.encode())
        reply.writer.close()

    async with Server(play) as server:
        point_at(server.url)
        error = (await ask("openai/hello")).error

    assert isinstance(error, errors.BadUpstream)
    assert "no answer" in error.message
