"""What is loaded on first use, where the connection is gone: the page names it, and it comes when it is tried again."""

import asyncio
import re

import pytest
from playwright.async_api import Browser, Page, expect

from tests.browser.test_page import HELLO, ask, ended
from tests.servers.chromium import WHOLE, held, tab
from tests.servers.wondercam import Share, WonderCam

SETTINGS = re.compile(r"/static/chat/settings\.(\w+\.)?js")


@pytest.fixture
def chromium_programs() -> list[str]:
    """The headless shell recognises no speech."""
    return WHOLE


async def abort(page: Page, module: re.Pattern[str]) -> None:
    """From now on this module is not fetched."""
    await page.route(module, lambda route: route.abort())


@pytest.mark.parametrize(
    ("language", "sentence"),
    [
        ("en", "Could not load the settings. Look at the connection, then try again."),
        ("fr", "Impossible de charger les réglages. Vérifiez la connexion, puis réessayez."),
    ],
)
async def test_a_part_that_cannot_be_loaded_is_named_and_comes_when_tried_again(
    chromium: Browser, shared_server: WonderCam, language: str, sentence: str
) -> None:
    """Under another address, too: Firefox does not fetch one again that has failed in a page."""
    async with tab(chromium, locale=language) as page:
        asked: list[str] = []
        page.on("request", lambda sent: asked.append(sent.url) if SETTINGS.search(sent.url) else None)
        await page.goto(shared_server.url)
        await abort(page, SETTINGS)
        button = page.locator("[data-do=open-settings]:visible").first
        await button.click()
        await expect(page.locator("#problem")).to_have_text(sentence)
        await page.unroute(SETTINGS)
        await button.click()
        await expect(page.locator("#settings")).to_be_visible()
        assert asked[1:] == [f"{asked[0]}?1"]
        await expect(page.locator("#problem")).to_be_hidden()


@pytest.mark.parametrize("key", ["Control+k", "Control+/"])
async def test_what_a_shortcut_failed_by_is_said_until_it_is_pressed_again(
    page: Page, shared_server: WonderCam, key: str
) -> None:
    switcher = re.compile(r"/static/chat/switcher\.")
    await page.goto(shared_server.url)
    await abort(page, switcher)
    await page.keyboard.press(key)
    await expect(page.locator("#problem")).to_contain_text("Could not load the search.")
    await page.unroute(switcher)
    await page.keyboard.press(key)
    await expect(page.locator("dialog[open]")).to_be_visible()
    await expect(page.locator("#problem")).to_be_hidden()


async def test_what_is_typed_while_the_search_is_on_its_way_stands_in_it(page: Page, share: Share) -> None:
    async with held(page, re.compile(r"/static/chat/switcher\.")):
        server = await asyncio.to_thread(share, HELLO)
        await page.goto(server.url)
        await ask(page, "Why is the sky blue?")
        await ended(page, "complete")
        await page.keyboard.press("Control+k")
        await page.keyboard.type("sky")
    await expect(page.get_by_role("option")).to_have_count(1)
    await expect(page.get_by_role("combobox", name="Search in titles and texts")).to_have_value("sky")
    await expect(page.locator("#question")).to_have_value("")
    await page.keyboard.press("Control+k")
    await expect(page.get_by_role("combobox", name="Search in titles and texts")).to_have_value("")


async def test_a_chat_that_could_not_be_opened_is_said_until_something_else_is_done(
    page: Page, shared_server: WonderCam
) -> None:
    await page.goto(shared_server.url)
    await page.get_by_label("Your message").fill("Hello")
    await page.keyboard.press("Enter")
    row = page.locator("#sidebar li a")
    await expect(row).to_have_count(1)
    await page.keyboard.press("Control+Shift+o")
    await expect(page.locator("article")).to_have_count(0)
    await page.route("**/v2/conversations/*", lambda route: route.abort())
    await row.click()
    await expect(page.locator("#problem")).not_to_be_empty()
    await page.keyboard.press("Control+k")
    await expect(page.locator("#switcher")).to_be_visible()
    await expect(page.locator("#problem")).to_be_hidden()


async def test_voice_that_cannot_be_loaded_comes_when_tried_again(page: Page, shared_server: WonderCam) -> None:
    voice = re.compile(r"/static/chat/voice/voice\.")
    await page.goto(shared_server.url)
    await abort(page, voice)
    talk = page.locator("#talk")
    await talk.click()
    await expect(page.locator("#problem")).to_have_text(
        "Could not load the voice. Look at the connection, then try again."
    )
    await page.unroute(voice)
    await talk.click()
    await expect(page.locator("#problem")).not_to_contain_text("Could not load")


async def test_a_chat_stays_in_the_list_if_what_deletes_it_cannot_be_loaded(
    page: Page, shared_server: WonderCam
) -> None:
    """Nothing is taken from the list that would come back with the next page."""
    deletion = re.compile(r"/static/chat/deletion\.")
    await abort(page, deletion)
    await page.goto(shared_server.url)
    await page.get_by_label("Your message").fill("Hello")
    await page.keyboard.press("Enter")
    row = page.locator("#sidebar li")
    await expect(row).to_have_count(1)
    await row.hover()
    await row.locator("[data-do=delete]").click()
    await expect(page.locator("#problem")).to_contain_text("Could not load a part of the page.")
    await expect(row).to_have_count(1)
    await page.unroute(deletion)
    await row.locator("[data-do=delete]").click()
    await expect(row).to_have_count(0)
    await expect(page.locator("#problem")).to_be_hidden()
