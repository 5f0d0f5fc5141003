"""The page on paper, and where the reader's own colours take the place of its own."""

import re
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, Page, expect

from tests.browser.recorded import record, thought
from tests.browser.test_choosing_photos import choose, photo
from tests.browser.test_page import HELLO, Start, answer, ask, ended, start
from tests.servers.chromium import held, tab
from tests.servers.wondercam import WonderCam

__all__ = ["start"]

PART = (
    "## A part\n\nAir scatters short waves, see [here](https://example.com).\n\n| a | b |\n|---|--:|\n| 1 | 2 |\n\n"
    "```python\nprint('" + "and so on " * 30 + "')\n```\n\n"
)
CONTROLS = "button, a:not(.text a), input:not(.text input), select, textarea, summary:not(.thoughts summary), dialog"
UNSEEN_ON_PAPER = """() => [...document.querySelectorAll("main h1, .message, .message .text *")].filter((each) => {
  const { left, right, width, height } = each.getBoundingClientRect();
  const isControl = each.closest("button, svg, math");
  return !isControl && (!width || !height || left < -1 || right > innerWidth + 1);
}).map((each) => each.outerHTML.slice(0, 90))"""


async def test_a_chat_is_printed_whole_and_without_controls(page: Page, start: Start, tmp_path: Path) -> None:
    await start(record(tmp_path, "long", [thought("Let me see."), *[PART] * 12]))
    await ask(page, "Why is the sky blue?")
    await ended(page, "complete")
    for theme in ("light", "dark"):
        await page.evaluate("theme => { document.documentElement.dataset.theme = theme; }", theme)
        await page.emulate_media(media="print")
        assert (
            await page.locator(CONTROLS).evaluate_all("found => found.filter((each) => each.checkVisibility())") == []
        )
        assert await page.evaluate(UNSEEN_ON_PAPER) == []
        ink = await answer(page).locator("[data-part=text] p").last.evaluate("each => getComputedStyle(each).color")
        assert ink == "rgb(22, 32, 29)", "dark on white, whatever the screen has"
        await page.emulate_media(media="null")
    pages = len(re.findall(rb"/Type /Page\b", await page.pdf(format="A4")))
    assert pages > 3
    await page.reload()  # as the server writes it
    await ended(page, "complete")
    assert len(re.findall(rb"/Type /Page\b", await page.pdf(format="A4"))) == pages


PRINTED = """window.print = () => {
  window.__printed = [...document.querySelectorAll(".photos img")].map(({ naturalWidth }) => naturalWidth);
}"""
BY_THE_MENU = """() => {
  dispatchEvent(new Event("beforeprint"));
  return document.querySelector("article .photos img").src.startsWith("blob:");
}"""


async def test_photos_that_never_came_into_view_are_printed_by_the_keys_and_by_the_menu(
    page: Page, start: Start, tmp_path: Path
) -> None:
    await page.add_init_script(PRINTED)
    await start(record(tmp_path, "long", [PART] * 12))
    await choose(page, {"name": "a.jpg", "mimeType": "image/jpeg", "buffer": photo()})
    await ask(page, "Why is the sky blue?")
    await ended(page, "complete")
    await page.reload()
    await ended(page, "complete")
    image = page.locator("article .photos img")
    await expect(image).to_have_count(1)
    await expect(image).to_have_js_property("src", "")
    await page.keyboard.press("Control+p")
    await page.wait_for_function("() => window.__printed")
    assert await page.evaluate("window.__printed") == [600]
    await page.evaluate("dispatchEvent(new Event('afterprint'))")
    await expect(image).to_have_js_property("src", "")
    assert await page.evaluate(BY_THE_MENU), "there before the browser goes on"
    await expect(image).to_have_js_property("naturalWidth", 600)


async def test_a_chat_that_has_just_been_opened_is_printed_by_the_keys_with_its_photos(
    page: Page, start: Start
) -> None:
    await page.add_init_script(PRINTED)
    await start(HELLO)
    await choose(page, {"name": "a.jpg", "mimeType": "image/jpeg", "buffer": photo()})
    await ask(page, "Why is the sky blue?")
    await ended(page, "complete")
    async with held(page, re.compile(r"/photo_loader\.|/v2/attachments/")):
        await page.reload()
        await ended(page, "complete")
        image = page.locator("article .photo img")
        await expect(image).to_have_css("opacity", "0")  # no sign of a broken one
        assert await image.evaluate("image => image.width === image.height"), "nor is its text measured"
        await page.keyboard.press("Control+p")
        assert await page.evaluate("window.__printed") is None, "it waits"
    await page.wait_for_function("() => window.__printed")
    assert await page.evaluate("window.__printed") == [600]
    await expect(image).to_have_css("opacity", "1")


OUTLINE = "each => [getComputedStyle(each).outlineStyle, getComputedStyle(each).outlineWidth]"
LINE: list[Any] = ["solid", "2px"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_what_a_background_says_is_said_by_lines_where_the_reader_has_other_colours(
    chromium: Browser, shared_server: WonderCam, scheme: Any
) -> None:
    async with tab(chromium, forced_colors="active", color_scheme=scheme) as page:
        await page.goto(shared_server.url)
        await ask(page, "Hello")
        await ended(page, "complete")
        assert await page.locator(".conversation:has([aria-current])").evaluate(OUTLINE) == LINE
        await page.get_by_label("Your message").focus()
        assert await page.locator("#composer").evaluate(OUTLINE) == LINE
        await expect(page.locator(".send:visible")).to_have_css("border-top-style", "solid")
        await answer(page).get_by_label("A good answer").click()
        await expect(answer(page).locator("[aria-pressed=true]")).to_have_css("border-top-style", "solid")
        await expect(page.locator("#camera .stage")).to_have_css("border-top-style", "solid")
        await page.keyboard.press("Control+k")
        await expect(page.locator("#switcher")).to_be_visible()
        assert await page.locator("#switcher [aria-selected=true]").evaluate(OUTLINE) == LINE


async def test_controls_over_a_picture_and_in_a_dialog_have_edges_where_the_reader_has_other_colours(
    chromium: Browser, shared_server: WonderCam
) -> None:
    async with tab(chromium, forced_colors="active", color_scheme="dark") as page:
        await page.goto(shared_server.url)
        await choose(page, {"name": "a.jpg", "mimeType": "image/jpeg", "buffer": photo()})
        await expect(page.locator("#previews li:not([data-sending])")).to_have_count(1)
        await ask(page, "Hello")
        await ended(page, "complete")
        await page.locator("article .photo").click()
        tools = page.get_by_role("dialog", name="Photo").locator(".tool")
        await expect(tools).to_have_count(4)
        edges = await tools.evaluate_all("found => found.map((each) => getComputedStyle(each).borderTopStyle)")
        assert edges == ["solid"] * 4
        await page.keyboard.press("Escape")
        await page.evaluate("document.getElementById('consent').showModal()")
        quiet = page.locator("#consent .quiet:not(.icon)")
        assert await quiet.count()
        await expect(quiet.first).to_have_css("border-top-style", "solid")
