"""Several windows in view, of one browser and of another: what is done in one is there in all."""

import asyncio

from playwright.async_api import Browser, Page, expect

from tests.browser.test_page import Start, ask, ended, start

__all__ = ["start"]


async def test_windows_in_view_live_the_same_conversations(page: Page, chromium: Browser, start: Start) -> None:
    server = await start({"WONDERCAM_MODELS": "recording/hello"})
    await ask(page, "Why is the sky blue?")
    await ended(page, "complete")
    beside = await page.context.new_page()
    elsewhere = await (await chromium.new_context(storage_state=await page.context.storage_state())).new_page()
    windows = [page, beside, elsewhere]
    for window in (beside, elsewhere):
        await window.goto(page.url)
        await ended(window, "complete")

    for number, asking in enumerate(windows, 2):  # each asks, and nobody hides or reloads anything
        await ask(asking, f"Question {number}?")
        for window in windows:
            await expect(window.locator("article")).to_have_count(2 * number)
            await expect(window.locator("article[data-role=user]").last).to_contain_text(f"Question {number}?")
        await asyncio.gather(*(ended(window, "complete") for window in windows))

    row = "#conversations li"
    await page.locator(row).hover()
    await page.locator(row).get_by_label("Rename").click()
    await expect(page.get_by_label("New name")).to_be_focused()
    await page.keyboard.type("The sky")
    await page.keyboard.press("Enter")
    for window in windows:
        await expect(window.locator(row)).to_contain_text("The sky")
        await expect(window).to_have_title("The sky · WonderCam")

    await beside.goto(server.url)
    await ask(beside, "Hello?")
    for window in windows:
        await expect(window.locator(row)).to_have_text(["Hello?", "The sky"], use_inner_text=True)
    await page.locator(row).last.hover()
    await page.locator(row).last.get_by_label("Pin").click()
    for window in windows:
        await expect(window.locator(row)).to_have_text(["The sky", "Hello?"], use_inner_text=True)

    await page.locator(row).first.hover()
    await page.locator(row).first.get_by_label("Delete").click()
    await page.goto(server.url)  # from here on it cannot be undone
    for window in windows:
        await expect(window.locator(row)).to_have_text(["Hello?"], use_inner_text=True)
    await expect(elsewhere.locator("#problem")).to_contain_text("deleted in another window")
