"""The page at 200 %: as a browser enlarges it, which leaves it half as wide and half as high."""

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from tests.browser.test_camera import chromium_flags, live
from tests.browser.test_page import LONG, ended
from tests.servers.chromium import tab
from tests.servers.wondercam import Share

__all__ = ["chromium_flags"]

DESKTOP: dict[str, Any] = {"viewport": {"width": 640, "height": 400}}
PHONE: dict[str, Any] = {"viewport": {"width": 195, "height": 422}, "has_touch": True, "is_mobile": True}
SCREENSHOTS = os.environ.get("WONDERCAM_TEST_SCREENSHOTS")
"""A folder, where somebody is to look at them."""

OUT_OF_REACH = """() => {
  const root = document.querySelector("dialog[open], .menu[open]") ?? document.body;
  const shown = { checkOpacity: true, checkVisibilityCSS: true };
  const found = document.documentElement.scrollWidth > innerWidth ? ["the page scrolls sideways"] : [];
  const isAt = (element, x, y) => {
    const top = document.elementFromPoint(x, y);
    return top !== null && (element.contains(top) || top.contains(element) || top.closest("label")?.contains(element));
  };
  for (const element of root.querySelectorAll("a, button, input, select, summary, textarea, h1, h2")) {
    if (!element.checkVisibility(shown) || element.closest(".unseen, .skip, [inert]")) continue;
    element.scrollIntoView({ block: "center", behavior: "instant" });
    const { left, right, top, bottom, width, height } = element.getBoundingClientRect();
    if (!width || !height) continue;
    const isSeen = [0.5, 0.2, 0.8].some((part) => isAt(element, left + part * width, (top + bottom) / 2));
    const isWhole = left >= -1 && right <= innerWidth + 1 && isSeen;
    const around = (element.closest("form, dialog") ?? document.documentElement).getBoundingClientRect();
    const isInItsPlace = left >= around.left - 1 && right <= around.right + 1;
    if (!isWhole || !isInItsPlace) found.push(element.outerHTML.slice(0, 90));
  }
  return found;
}"""


@pytest_asyncio.fixture(loop_scope="session", params=[PHONE, DESKTOP], ids=["phone", "desktop"])
async def page(request: pytest.FixtureRequest, chromium: Browser) -> AsyncIterator[Page]:
    async with tab(chromium, device_scale_factor=2, **request.param) as page:
        yield page


async def assert_whole(page: Page, state: str) -> None:
    """Nothing scrolls sideways, and whatever can be used is whole, in its place and not covered."""
    if SCREENSHOTS:
        width = await page.evaluate("innerWidth")
        await page.screenshot(path=Path(SCREENSHOTS) / f"{state}-{width}.png")
    assert await page.evaluate(OUT_OF_REACH) == [], state


async def test_nothing_is_cut_covered_or_beside_the_page_at_200_percent(page: Page, share: Share) -> None:
    server = await asyncio.to_thread(share, LONG)
    await page.goto(f"{server.url}/accounts/signin/")
    await assert_whole(page, "sign-in")
    await page.goto(server.url)
    await assert_whole(page, "empty")
    await page.get_by_label("Your message").fill("Why is the sky blue?")
    await page.get_by_role("button", name="Send", exact=True).click()
    await ended(page, "complete")
    await assert_whole(page, "answer")
    await page.locator("#export summary").click()
    await assert_whole(page, "menu")
    await page.keyboard.press("Escape")
    await page.get_by_role("button", name="Instructions for this chat").click()
    await expect(page.locator("dialog[open]")).to_be_visible()
    await assert_whole(page, "instructions")
    await page.keyboard.press("Escape")
    await page.get_by_role("button", name="Open the list of chats").click()
    await page.locator("#sidebar").get_by_role("button", name="Settings").click()
    await expect(page.locator("dialog[open]")).to_be_visible()
    await assert_whole(page, "settings")
    await page.keyboard.press("Escape")
    await page.keyboard.press("Escape")
    await page.get_by_role("button", name="Camera", exact=True).click()
    await live(page)
    await expect(page.locator("#sidebar")).not_to_be_in_viewport()
    await assert_whole(page, "camera")
