"""Where the focus goes when what had it is gone: never to the page's beginning."""

import re

from playwright.async_api import Page, expect

from tests.browser.test_camera import DESKTOP, chromium_flags, live
from tests.browser.test_page import HELLO, LONG, Start, ask, ended, start
from tests.browser.test_photos import attach, sign

__all__ = ["chromium_flags", "start"]

UNDO_MS = 10_000


async def test_another_version_has_the_focus_where_it_was_chosen(page: Page, start: Start) -> None:
    await start(HELLO)
    await ask(page, "Hello")
    await ended(page, "complete")
    for again in (1, 2):
        await page.get_by_role("button", name="Answer once more").click()
        await expect(page.locator("article[data-role=model] [data-part=place]")).to_have_text(
            f"{again + 1}/{again + 1}"
        )
        await ended(page, "complete")
    earlier, later = (page.get_by_role("button", name=name) for name in ("Earlier version", "Later version"))
    await earlier.focus()
    await page.keyboard.press("Enter")
    await expect(page.locator("article[data-role=model] [data-part=place]")).to_have_text("2/3")
    await expect(earlier).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(later).to_be_focused()  # there is no earlier one


async def test_the_last_photo_of_a_draft_leaves_the_focus_to_the_choice_of_photos(page: Page, start: Start) -> None:
    await start(HELLO)
    await attach(page, sign("GATE"))
    await page.get_by_role("button", name=re.compile("^Remove")).focus()
    await page.keyboard.press("Enter")
    await expect(page.locator("#files")).to_be_focused()


async def test_a_camera_that_is_closed_gives_the_focus_back_to_what_opened_it(page: Page, start: Start) -> None:
    await page.set_viewport_size(DESKTOP["viewport"])
    await start(HELLO)
    for opener in (page.get_by_role("button", name="Open the camera"), page.locator(".bar [data-do=toggle-camera]")):
        await opener.focus()
        await page.keyboard.press("Enter")
        await live(page)
        await expect(page.get_by_role("button", name="Take a photo")).to_be_focused()
        await page.keyboard.press("Escape")
        await expect(opener).to_be_focused()


async def test_the_way_to_the_end_leaves_the_focus_in_the_box(page: Page, start: Start) -> None:
    await start(LONG)
    await ask(page, "At length, please.")
    await ended(page, "complete")
    await page.locator("#viewport").hover()
    await page.mouse.wheel(0, -5000)
    await page.get_by_role("button", name="Jump to latest").focus()
    await page.keyboard.press("Enter")
    await expect(page.locator("#latest")).to_be_hidden()
    await expect(page.get_by_label("Your message")).to_be_focused()


async def test_an_undo_that_ends_leaves_the_focus_in_the_list(page: Page, start: Start) -> None:
    await page.clock.install()
    await start(HELLO)
    await ask(page, "Delete me")
    await ended(page, "complete")
    await page.locator("#conversations li").hover()
    await page.get_by_label("Delete this chat").click()
    await page.get_by_role("button", name="Undo").focus()
    await page.clock.fast_forward(UNDO_MS)
    await expect(page.locator("#undo")).to_be_hidden()
    await expect(page.locator(".sidebar .new")).to_be_focused()
