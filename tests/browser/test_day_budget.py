"""What the page and a client are told once the whole site has been asked as often as one day allows."""

import asyncio
import re

import httpx
from playwright.async_api import Page, expect

from tests.browser.test_page import HELLO, answer, ask, ended
from tests.servers.wondercam import Serve

SAID = r"This site has been asked as often as one day allows, 1: it continues after midnight UTC, in (\d+ h )?\d+ min\."


async def test_a_site_that_was_asked_enough_says_until_when(page: Page, serve: Serve) -> None:
    server = serve({**HELLO, "WONDERCAM_LIMITS": "on", "WONDERCAM_LIMIT_DAY_QUESTIONS_SITE": "1"})
    await page.goto(server.url)
    await ask(page, "The one question of today?")
    await ended(page, "complete")
    await ask(page, "Another?")
    await expect(answer(page).locator("[data-part=sentence]")).to_have_text(re.compile(SAID))

    token = await asyncio.to_thread(server.guest)
    body, headers = {"contents": [{"text": "Somebody else's?"}]}, {"Authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(base_url=server.url, headers=headers, timeout=90) as client:
        refused = await client.post("/v2/echat", json=body)
        openai = await client.post("/v1/chat/completions", json={"messages": [{"role": "user", "content": "Hi"}]})
    assert refused.status_code == openai.status_code == 429
    assert re.fullmatch(SAID, refused.json()["error"]["message"])
    assert 0 < int(refused.headers["Retry-After"]) <= 86_402
