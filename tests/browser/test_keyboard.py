"""The keyboard alone, from signing in to a photographed question and back through what was answered."""

import asyncio
from typing import Any

from playwright.async_api import Page, expect

from tests.browser.test_camera import DESKTOP, chromium_flags, live
from tests.browser.test_page import HELLO, Start, ask, ended, start

__all__ = ["chromium_flags", "start"]

MOST_TABS = 40
"""Steps within which anything on a page is reached."""
NAME = """() => {
  const at = document.activeElement;
  if (at === document.body) return ["", true];  // between the page's end and its beginning
  const style = getComputedStyle(at);
  const isField = at.matches("textarea, input, label *");
  const isMarked = isField || style.outlineStyle !== "none" || style.boxShadow !== "none";
  const written = at.labels?.[0]?.textContent ?? at.querySelector("img")?.alt ?? at.textContent;
  return [(at.getAttribute("aria-label") ?? written).trim(), isMarked];
}"""


async def tab_to(page: Page, name: str, key: str = "Tab") -> None:
    """Step until what has the focus is called that; whatever has it on the way is marked for the eye."""
    passed: list[str] = []
    for _ in range(MOST_TABS):
        found: Any = await page.evaluate(NAME)
        named, is_marked = found
        assert is_marked, f"the focus on {named!r} cannot be seen"
        if named == name:
            return
        passed.append(named)
        await page.keyboard.press(key)
    raise AssertionError(f"{name!r} is not among {passed}")


async def test_the_focus_goes_back_from_the_menu_to_what_opened_it(page: Page, start: Start) -> None:
    await start(HELLO)
    await ask(page, "Hello")
    await ended(page, "complete")
    await tab_to(page, "Save this chat")
    await page.keyboard.press("Enter")
    await tab_to(page, "JSON")
    await page.keyboard.press("Escape")
    await expect(page.locator("#export")).not_to_have_attribute("open", "")
    await expect(page.locator("#export summary")).to_be_focused()


async def test_a_shortcut_takes_the_place_of_a_list_and_waits_for_a_form(page: Page, start: Start) -> None:
    await start(HELLO)
    await ask(page, "Hello")
    await ended(page, "complete")
    chat = page.url
    await page.get_by_role("button", name="Instructions for this chat").click()
    await expect(page.locator("dialog[open]")).to_have_id("instruction-dialog")  # it is loaded on first use
    await page.keyboard.type("Be brief.")
    await page.keyboard.press("Control+Shift+o")
    await page.keyboard.press("Control+k")
    await expect(page.locator("dialog[open]")).to_have_id("instruction-dialog")
    await page.keyboard.press("Escape")
    assert page.url == chat
    await page.keyboard.press("Control+/")
    await expect(page.locator("dialog[open]")).to_have_id("shortcuts")
    await page.keyboard.press("Control+k")
    await expect(page.locator("dialog[open]")).to_have_id("switcher")
    await page.keyboard.press("Control+Shift+o")
    await expect(page.locator("dialog[open]")).to_have_count(0)
    await expect(page.locator("article")).to_have_count(0)


async def test_from_signing_in_to_a_photographed_question_by_the_keyboard_alone(page: Page, start: Start) -> None:
    server = await start(HELLO)
    create = "from chat.models import User; User.objects.create_user('kim', password='correct horse battery')"
    await asyncio.to_thread(server.manage, "shell", "-c", create)
    await page.set_viewport_size(DESKTOP["viewport"])
    await tab_to(page, "Sign in", "Shift+Tab")
    await page.keyboard.press("Enter")
    await expect(page.get_by_label("Username")).to_be_focused()
    await page.keyboard.type("kim")
    await tab_to(page, "Password")
    await page.keyboard.type("correct horse battery")
    await page.keyboard.press("Enter")
    box = page.get_by_label("Your message")
    await expect(box).to_be_focused()

    await tab_to(page, "Camera")
    await page.keyboard.press("Space")
    await live(page)
    await tab_to(page, "Take a photo")
    await page.keyboard.press("Space")
    await expect(page.get_by_role("button", name="Retake")).to_be_visible()
    await tab_to(page, "Your message")
    await page.keyboard.type("What is this?")
    await page.keyboard.press("Enter")
    await ended(page, "complete")
    await expect(page.locator("article[data-role=user] [data-part=photos] img")).to_have_count(1)
    await expect(box).to_be_focused()

    await tab_to(page, "Copy this answer", "Shift+Tab")
    await page.keyboard.press("Enter")
    await expect(page.locator("#announcer, [role=status]").filter(has_text="Copied.").first).to_be_attached()
    await tab_to(page, "Photo 1 of this message", "Shift+Tab")
    await page.keyboard.press("Enter")
    await expect(page.locator("#photo")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("button", name="Photo 1 of this message")).to_be_focused()
