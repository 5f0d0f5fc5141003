"""A proxy that gathers event streams until they end: the answer still grows on the page, in steps."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from aiohttp import ClientSession, ClientTimeout, web
from playwright.async_api import Page, expect

from tests.browser.test_page import SLOW, answer, ask, assert_equal_everywhere, ended, grown_to
from tests.servers.process import free_port
from tests.servers.wondercam import Share

HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length"}

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def gathering_proxy(port: int, headers_pass: bool) -> AsyncIterator[str]:
    """An HTTP proxy that holds event streams back until they end, with their headers or without; yields its URL."""
    async with ClientSession(auto_decompress=False, timeout=ClientTimeout(total=None)) as session:

        async def forward(request: web.Request) -> web.StreamResponse:
            url, body = f"http://127.0.0.1:{port}{request.path_qs}", await request.read()
            sent = {name: value for name, value in request.headers.items() if name.lower() not in HOP_BY_HOP}
            async with session.request(
                request.method, url, headers=sent, data=body or None, allow_redirects=False
            ) as back:
                kept = [(name, value) for name, value in back.headers.items() if name.lower() not in HOP_BY_HOP]
                response = web.StreamResponse(status=back.status)
                response.headers.extend(kept)
                if headers_pass:
                    await response.prepare(request)
                everything = await back.read()
                if not headers_pass:
                    await response.prepare(request)
                await response.write(everything)
                return response

        app = web.Application(client_max_size=2**24)
        app.router.add_route("*", "/{path:.*}", forward)
        runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
        await runner.setup()
        own = free_port()
        await web.TCPSite(runner, "127.0.0.1", own).start()
        try:
            yield f"http://127.0.0.1:{own}"
        finally:
            await runner.cleanup()


@pytest.mark.parametrize("headers_pass", [True, False])
async def test_a_stream_that_is_held_back_grows_by_polls_and_the_page_says_why(
    page: Page, share: Share, headers_pass: bool
):
    server, polls, begun = await asyncio.to_thread(share, SLOW), [], set()

    def heard(sent: object) -> None:
        url, stream = getattr(sent, "url", ""), getattr(sent, "headers", {}).get("x-stream-id")
        begun.update({stream} - {None})
        if "poll=1" in url:
            polls.append(url)

    page.on("response", heard)
    await page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    async with gathering_proxy(server.port, headers_pass) as url:
        await page.goto(url)
        await ask(page, "Why is the sky blue?")
        await grown_to(page, 40)
        await expect(answer(page).locator("[data-part=line]")).to_contain_text("holds the stream back")
        before = len(await answer(page).locator("[data-part=text]").inner_text())
        await expect(answer(page)).to_have_attribute("data-status", "running")
        await grown_to(page, before + 40)
        await ended(page, "complete")
        await expect(answer(page).locator("[data-part=line]")).to_be_empty()
        await assert_equal_everywhere(page, server)
    assert len(polls) > 3
    assert len(begun) == 1
