"""docs/outage.webp: the server is killed in the middle of an answer and started again; the page has all of the answer.

The model is simulated (`model.py`).
"""

import asyncio

import pytest
from playwright.async_api import Browser, expect

from tests.browser.test_page import ended
from tests.fakes.server import Server
from tests.films.film import DESKTOP, film
from tests.films.model import environment, says
from tests.servers.chromium import tab
from tests.servers.wondercam import Serve

QUESTION = "Why is the sky blue?"
ANSWER = (
    "Sunlight looks white, but it is **all colours** at once. On its way down it meets molecules of air, which are far "
    "smaller than a wave of light, and each of them sends a little of it off in all directions.\n\n"
    "How much depends on the colour: the shorter the wave, the more is scattered, by its *fourth power*. Blue has "
    "waves about 1.5 times as short as red, so it is scattered about **five times** as much:\n\n"
    "| colour | wavelength | scattered |\n| --- | --- | --- |\n| blue | 450 nm | 4.4 |\n| green | 550 nm | 2.0 |\n"
    "| red | 650 nm | 1.0 |\n\n"
    "So wherever you look, away from the sun, it is mostly blue light that comes down to you. In the evening the light "
    "has a longer way through the air, the blue is gone before it arrives, and the sky turns red."
)


@pytest.mark.timeout(300)
async def test_an_answer_goes_on_after_kill_9(serve: Serve, chromium: Browser) -> None:
    async with Server(says(ANSWER)) as model, tab(chromium, **DESKTOP) as page:
        server = await asyncio.to_thread(serve, environment(model.url))
        await page.goto(server.url)
        async with film(page, "outage") as shown:
            shown.say("An answer streams. Each event is stored before it is shown.")
            await page.get_by_label("Your message").press_sequentially(QUESTION, delay=40)
            await page.keyboard.press("Enter")
            await expect(page.locator("article[data-role=model] table")).to_be_visible()
            shown.say(f"$ kill -9 {server.pid}")
            server.kill9()
            await asyncio.sleep(2.5)
            shown.say("$ manage.py serve")
            await asyncio.to_thread(server.restart)
            shown.say("Started again: the same answer goes on, nothing is missing, nothing comes twice.")
            await ended(page, "complete")
            await asyncio.sleep(1)
