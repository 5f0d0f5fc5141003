"""Clients that are not our page, in real Chromium: a native EventSource, and a page on another origin."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
from aiohttp import web
from playwright.async_api import Page

from tests.faults.arena import environment
from tests.faults.upstream import upstream
from tests.servers.process import free_port
from tests.servers.wondercam import Serve, WonderCam

QUESTION = '{"contents": [{"text": "Tell me about the sea."}], "generationConfig": {"maxOutputTokens": 40}}'

LISTEN = """
async ([url, question]) => {
  const events = [];
  let opened = 0;
  window.arrived = 0;
  const source = new EventSource(url + encodeURIComponent(question));
  const ended = new Promise((resolve) => {
    source.onopen = () => { opened += 1; };
    source.onerror = () => { if (source.readyState === EventSource.CLOSED) resolve("closed"); };
    source.onmessage = (message) => {
      if (message.data === "[DONE]") return;
      events.push([message.lastEventId, message.data]);
      window.arrived = events.length;
    };
  });
  const how = await ended;
  return { events, opened, how };
}
"""

FETCH = """
async ([url, token, question]) => {
  try {
    const response = await fetch(url, {
      method: "POST",
      headers: { "Content-Type": "application/json", Authorization: `Bearer ${token}` },
      body: question,
    });
    const stream = response.headers.get("X-Stream-Id");
    let text = "";
    window.arrived = 0;
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    for (let read = await reader.read(); !read.done; read = await reader.read()) {
      text += read.value;
      window.arrived = text.split("\\ndata:").length - 1;
    }
    return { status: response.status, stream, text };
  } catch (error) {
    return { error: error.name };
  }
}
"""


@asynccontextmanager
async def cutting_proxy(port: int, cut_after: int) -> AsyncIterator[int]:
    """A TCP proxy before `port` that cuts the first event stream after so many bytes; yields its own port."""
    cuts = 0

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, may_cut: bool) -> None:
        nonlocal cuts
        sent, streaming = 0, False
        while data := await reader.read(65536):
            streaming = streaming or b"text/event-stream" in data
            cut = may_cut and streaming and cuts == 0 and sent + len(data) > cut_after
            writer.write(data[: cut_after - sent] if cut else data)
            await writer.drain()
            sent += len(data) if streaming else 0
            if cut:
                cuts += 1
                break
        writer.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        served.append(asyncio.current_task())
        upstream_reader, upstream_writer = await asyncio.open_connection("127.0.0.1", port)
        halves = [
            asyncio.create_task(pump(upstream_reader, writer, True)),
            asyncio.create_task(pump(reader, upstream_writer, False)),
        ]
        try:
            await asyncio.wait(halves, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for half in halves:
                half.cancel()
            await asyncio.gather(*halves, return_exceptions=True)
            writer.close()
            upstream_writer.close()

    served: list[Any] = []
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await asyncio.sleep(0)  # who has just been accepted is known after this
        for task in served:
            task.cancel()
        await asyncio.gather(*served, return_exceptions=True)


async def ticket_of(server: WonderCam, token: str) -> str:
    async with httpx.AsyncClient(
        base_url=server.url, headers={"Authorization": f"Bearer {token}"}, timeout=90
    ) as client:
        return str((await client.post("/v2/tickets")).json()["ticket"])


async def transcripts(server: WonderCam, token: str) -> list[dict[str, Any]]:
    """The messages of every conversation that the token's user has."""
    async with httpx.AsyncClient(
        base_url=server.url, headers={"Authorization": f"Bearer {token}"}, timeout=90
    ) as client:
        rows = (await client.get("/v2/conversations")).json()["conversations"]
        found = [(await client.get(f"/v2/conversations/{row['id']}")).json() for row in rows]
    return [message for conversation in found for message in conversation["messages"]]


async def test_a_native_eventsource_survives_a_cut_without_a_second_generation_and_stops_at_the_end(
    serve: Serve, page: Page
):
    server = serve()
    token = await asyncio.to_thread(server.guest)
    ticket = await ticket_of(server, token)
    async with cutting_proxy(server.port, cut_after=2000) as port:
        await page.goto(f"http://127.0.0.1:{port}/accounts/signin")
        address = f"http://127.0.0.1:{port}/v2/echat?ticket={ticket}&data="
        got = await page.evaluate(LISTEN, [address, QUESTION])

    ids = [int(name.rsplit(":")[-1]) for name, _ in got["events"]]
    assert got["opened"] == 2
    assert got["how"] == "closed"
    assert ids == list(range(len(ids)))
    assert got["events"][0][1] == '{"candidates": [{"content": {"parts": [{"text": "OK"}]}}]}'
    assert "finishReason" in got["events"][-1][1]
    assert [message["role"] for message in await transcripts(server, token)] == ["user", "model"]


async def test_a_native_eventsource_gets_events_as_they_are_generated(serve: Serve, page: Page):
    async with upstream() as model:
        server = await asyncio.to_thread(serve, environment(model.url))
        ticket = await ticket_of(server, await asyncio.to_thread(server.guest))
        await page.goto(f"{server.url}/accounts/signin")
        question = json.dumps({"contents": [{"text": "words=10 hold=0"}]})
        address = f"{server.url}/v2/echat?ticket={ticket}&data="
        listening = asyncio.create_task(page.evaluate(LISTEN, [address, question]))
        for number in range(10):  # each is said when the one before has arrived
            await page.wait_for_function("number => window.arrived > number", arg=number)
            model.let(1)
        got = await listening

    assert len(got["events"]) == 1 + 10 + 1


@asynccontextmanager
async def another_origin(port: int) -> AsyncIterator[str]:
    """A page on another origin than the server's."""

    async def show(_: web.Request) -> web.Response:
        return web.Response(text="<!doctype html><title>another origin</title>", content_type="text/html")

    app = web.Application()
    app.router.add_get("/", show)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        await runner.cleanup()


async def test_a_page_on_a_listed_origin_streams_and_reads_the_stream_s_name(serve: Serve, page: Page):
    port = free_port()
    async with upstream() as model, another_origin(port) as origin:
        settings = environment(model.url, CORS_ALLOWED_ORIGINS=f"http://127.0.0.1:{port}")
        server = await asyncio.to_thread(serve, settings)
        token = await asyncio.to_thread(server.guest)
        await page.goto(origin)
        question = json.dumps({"contents": [{"text": "words=3 hold=0"}]})
        fetching = asyncio.create_task(page.evaluate(FETCH, [f"{server.url}/v2/echat", token, question]))
        for number in range(3):
            await page.wait_for_function("number => window.arrived > number", arg=number)
            model.let(1)
        got = await fetching

    assert got["status"] == 200
    assert got["stream"]
    assert got["text"].endswith("data: [DONE]\n\n")


async def test_a_page_on_an_origin_that_is_not_listed_gets_nothing(serve: Serve, page: Page):
    server = serve({"CORS_ALLOWED_ORIGINS": "https://somebody-else.example"})
    token = await asyncio.to_thread(server.guest)
    async with another_origin(free_port()) as origin:
        await page.goto(origin)
        got = await page.evaluate(FETCH, [f"{server.url}/v2/echat", token, QUESTION])

    assert got == {"error": "TypeError"}
    assert await transcripts(server, token) == []
