"""What is sent while an answer runs: it waits above the composer of every tab, and is sent once."""

import re
from typing import Any

from playwright.async_api import Browser, Locator, Page, expect

from tests.browser.test_accessibility import AXE, objections
from tests.browser.test_page import HELD, Start, ask, ended, grown_to, model, start
from tests.browser.test_photos import attach, sign
from tests.equality import query
from tests.faults.arena import environment
from tests.faults.upstream import Model
from tests.servers.chromium import tab

__all__ = ["model", "start"]

PHONE: dict[str, Any] = {"viewport": {"width": 390, "height": 700}, "has_touch": True}

CUT_TIMES = """[...document.querySelectorAll("summary[data-part=rate]")].filter((summary) => {
    if (!summary.checkVisibility()) return false;
    const words = document.createRange();
    words.selectNodeContents(summary);
    return words.getBoundingClientRect().left < summary.closest("article").getBoundingClientRect().left;
}).length"""
"""How many answers' times begin left of what is shown of them."""

LEFT = 20
"""Words that are held back in an answer to HELD."""


def queue(page: Page) -> Locator:
    """The messages that wait."""
    return page.locator("#queue").get_by_role("listitem")


async def two_tabs(page: Page) -> list[Page]:
    """The page, and a second tab with the same chat, while an answer is held back in it."""
    await ask(page, HELD)
    await grown_to(page, 40)
    beside = await page.context.new_page()
    await beside.goto(page.url)
    await grown_to(beside, 40)
    return [page, beside]


async def shown(pages: list[Page], *texts: str) -> None:
    """Each tab shows these messages as waiting, and no others."""
    for page in pages:
        await expect(queue(page)).to_have_count(len(texts))
        for place, text in enumerate(texts):
            await expect(queue(page).nth(place).locator("[data-part=said]")).to_have_text(text)


async def answered(pages: list[Page], count: int, status: str = "complete") -> None:
    """Each tab shows so many answers, and the end of the last."""
    for page in pages:
        await expect(page.locator("article[data-role=model]")).to_have_count(count)
        await ended(page, status)


async def test_messages_wait_in_every_tab_are_changed_taken_back_and_sent_after_the_answer(
    page: Page, chromium: Browser, start: Start, model: Model
) -> None:
    await start(environment(model.url))
    tabs = [page, beside] = await two_tabs(page)

    await expect(page.get_by_label("Send after this answer")).to_be_hidden()
    await ask(page, "seed=2 words=3")
    await expect(page.locator("#announcer")).to_have_text("Queued: it is sent after this answer.")
    await expect(page.get_by_label("Your message")).to_have_value("")
    await shown(tabs, "seed=2 words=3")
    await beside.get_by_label("Your message").fill("seed=3 words=3")
    await beside.get_by_label("Send after this answer").click()
    await shown(tabs, "seed=2 words=3", "seed=3 words=3")
    await ask(page, "seed=4 words=3")
    await shown(tabs, "seed=2 words=3", "seed=3 words=3", "seed=4 words=3")
    for window in tabs:
        await expect(window.get_by_label("Stop the answer")).to_be_visible()
        await expect(window.locator("article")).to_have_count(2)

    await queue(beside).nth(1).get_by_role("button", name="Edit").press("Enter")
    await beside.keyboard.press("Control+A")
    await beside.keyboard.type("seed=5 words=3")
    await beside.keyboard.press("Enter")
    await shown(tabs, "seed=2 words=3", "seed=5 words=3", "seed=4 words=3")
    await expect(queue(beside).nth(1).get_by_role("button", name="Edit")).to_be_focused()
    await queue(page).nth(2).get_by_role("button", name="Remove").press("Enter")
    await shown(tabs, "seed=2 words=3", "seed=5 words=3")
    async with tab(chromium, **PHONE, bypass_csp=True, storage_state=await page.context.storage_state()) as phone:
        await phone.add_init_script(path=AXE)
        await phone.goto(page.url)
        await shown([phone], "seed=2 words=3", "seed=5 words=3")
        await queue(phone).first.get_by_role("button", name="Edit").tap()
        assert await objections(phone) == []
        assert await phone.evaluate("document.documentElement.scrollWidth <= innerWidth")

    model.let(LEFT)
    await answered(tabs, 3)
    await shown(tabs)
    for window in tabs:
        questions = window.locator("article[data-role=user] [data-part=text]")
        await expect(questions).to_have_text([HELD, "seed=2 words=3", "seed=5 words=3"])
    assert len(model.asked) == 3
    await beside.set_viewport_size({"width": 320, "height": 700})  # the times are on a line of their own
    await beside.reload()
    await expect(beside.locator("summary[data-part=rate]").last).to_contain_text(" s")
    assert await beside.evaluate(CUT_TIMES) == 0


async def test_a_stop_keeps_what_waits_and_send_now_takes_the_place_of_what_runs(
    page: Page, start: Start, model: Model
) -> None:
    await start(environment(model.url))
    await ask(page, HELD)
    await grown_to(page, 40)
    beside = await page.context.new_page()
    await beside.goto(page.url)
    tabs = [page, beside]
    await ask(page, "words=3 then=stall")
    await ask(page, "seed=3 words=3")
    await shown(tabs, "words=3 then=stall", "seed=3 words=3")
    await page.get_by_label("Stop the answer").click()
    await answered(tabs, 1, "stopped")
    why = "The answer was stopped, so nothing more is sent by itself."
    for window in tabs:
        await expect(window.locator("#queue [data-part=held]")).to_have_text(why)
        await expect(window.get_by_role("region", name="On hold")).to_be_visible()
    await shown(tabs, "words=3 then=stall", "seed=3 words=3")

    await queue(beside).first.get_by_role("button", name="Send now").click()
    await shown(tabs, "seed=3 words=3")
    for window in tabs:
        await expect(window.locator("#queue [data-part=held]")).to_have_text("")
        await expect(window.get_by_role("region", name="Sent next")).to_be_visible()
        await expect(window.locator("article[data-role=model]")).to_have_count(2)
        await grown_to(window, 3)
    await queue(page).first.get_by_role("button", name="Send now").click()
    await answered(tabs, 3)
    await shown(tabs)
    for window in tabs:
        statuses = window.locator("article[data-role=model]")
        for place, status in enumerate(("stopped", "stopped", "complete")):
            await expect(statuses.nth(place)).to_have_attribute("data-status", status)
    await page.reload()
    await expect(page).to_have_url(re.compile("/c/"))
    await expect(page.locator("#queue")).to_be_hidden()


async def test_photos_wait_with_their_messages_in_every_tab_and_go_with_them(
    page: Page, start: Start, model: Model
) -> None:
    server = await start(environment(model.url, OPENAI_IMAGES="1"))
    tabs = [page, beside] = await two_tabs(page)
    photos = "[data-part=photos] img[src^='blob:']"

    await attach(page, sign())
    await ask(page, "seed=2 words=3")
    await shown(tabs, "seed=2 words=3")
    await attach(beside, sign("taken back"))
    await beside.get_by_label("Send after this answer").click()
    await shown(tabs, "seed=2 words=3", "Photos: 1")
    for window in tabs:
        await expect(queue(window).locator(photos)).to_have_count(2)
        await expect(window.locator("#previews li")).to_have_count(0)
    await queue(page).first.get_by_role("button", name="Photo").click()
    await expect(page.locator("#photo img")).to_be_visible()
    await page.keyboard.press("Escape")
    await queue(page).nth(1).get_by_role("button", name="Remove").click()
    await shown(tabs, "seed=2 words=3")
    assert query(server, "SELECT COUNT(*) FROM chat_attachment") == [(1,)]

    model.let(LEFT)
    await answered(tabs, 2)
    await shown(tabs)
    for window in tabs:
        await expect(window.locator("article[data-role=user]").nth(1).locator("img[src^='blob:']")).to_have_count(1)
    assert len(model.asked) == 2
    parts = model.asked[1].json()["messages"][-1]["content"]
    assert [part["type"] for part in parts] == ["image_url", "text"]
    await page.reload()
    await expect(page.locator("#previews li")).to_have_count(0)
