"""docs/timeline.webp: a reviewer sees when each event of an answer arrived, was stored, sent and painted."""

import asyncio

import pytest
from playwright.async_api import Browser, expect

from tests.browser.test_page import ended
from tests.browser.test_review import HEARD, PREPARE, sign_in
from tests.fakes.server import Server
from tests.films.film import DESKTOP, TALL, film
from tests.films.model import environment, says
from tests.films.outage import ANSWER, QUESTION
from tests.servers.chromium import tab
from tests.servers.wondercam import Serve


@pytest.mark.timeout(300)
async def test_a_reviewer_sees_the_times_of_an_answer_and_replays_it(serve: Serve, chromium: Browser) -> None:
    async with Server(says(ANSWER)) as model, tab(chromium, **DESKTOP) as asker, tab(chromium, **TALL) as page:
        server = await asyncio.to_thread(serve, environment(model.url))
        await asyncio.to_thread(server.manage, "shell", "-c", PREPARE)
        await asker.goto(server.url)
        await asker.get_by_label("Your message").fill(QUESTION)
        async with asker.expect_response("**/receipt"):
            await asker.keyboard.press("Enter")
            await ended(asker, "complete")
        await sign_in(server, page, "/admin/chat/verdict/")
        await page.locator(HEARD).wait_for(state="attached")
        async with film(page, "timeline") as shown:
            shown.say("The review: by keyboard, the next answer.")
            await asyncio.sleep(1)
            await page.keyboard.press("j")
            await asyncio.sleep(1)
            await page.keyboard.press("Enter")
            replay = page.get_by_label("Replay", exact=True)
            await expect(replay.locator("[data-part=play]")).to_be_enabled()
            shown.say("The answer, as its reader saw it, and how fast it came.")
            await asyncio.sleep(2.5)
            shown.say("Each event: from the provider, into the log, to the socket, onto the screen.")
            await replay.evaluate("replay => replay.closest('details').scrollIntoView()")
            await asyncio.sleep(2.5)
            shown.say("Replayed at its own pace, in the page's own renderer.")
            await replay.get_by_label("Place in the recording").fill("0")
            await replay.locator("[data-part=play]").click()
            await asyncio.sleep(6)
