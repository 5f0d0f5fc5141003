"""What the server refuses, or never answers: it is said where it happened, and nothing that was typed is lost."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from playwright.async_api import Page, Route, expect

from tests.browser.test_camera import PHONE
from tests.browser.test_page import HELLO, Start, ask, ended, start

__all__ = ["start"]

CHAT = re.compile(r"/v2/conversations/[0-9a-f-]+$")
IN_FRONT = """(place) => {
  const { x, y, width, height } = place.getBoundingClientRect();
  return document.elementFromPoint(x + width / 2, y + height / 2) === place;
}"""
SAID = "Something went wrong on the server; it has been logged."


@asynccontextmanager
async def refused(page: Page, requests: re.Pattern[str]) -> AsyncIterator[None]:
    """Meanwhile the server answers such requests with 500."""

    async def refuse(route: Route) -> None:
        await route.fulfill(status=500, json={"error": {"code": 500, "status": "INTERNAL", "message": SAID}})

    await page.route(requests, refuse)
    yield
    await page.unroute(requests, refuse)


async def test_a_name_that_is_refused_stays_in_its_row_and_is_stored_when_tried_again(page: Page, start: Start) -> None:
    await page.set_viewport_size(PHONE["viewport"])
    await start(HELLO)
    await ask(page, "First")
    await ended(page, "complete")
    await page.get_by_label("Open the list of chats").click()
    row, field = page.locator("#conversations li"), page.get_by_label("New name of this chat")
    await row.hover()
    async with refused(page, CHAT):
        await row.get_by_label("Rename").click()
        await field.fill("The very first")
        await page.keyboard.press("Enter")
        await expect(row.get_by_role("alert")).to_have_text(SAID)
        await expect(field).to_have_value("The very first")
        await expect(field).to_be_focused()
        await expect(page.locator("#problem")).to_be_hidden()
    await page.keyboard.press("Enter")
    await expect(field).to_have_count(0)
    await expect(row.get_by_role("alert")).to_have_count(0)
    await expect(row).to_contain_text("The very first")
    async with refused(page, CHAT):
        await row.get_by_label("Pin").click()
        await expect(row.get_by_role("alert")).to_have_text(SAID)
    await row.get_by_label("Pin").click()
    await expect(row).to_have_attribute("data-pinned", "")
    await expect(row.get_by_role("alert")).to_have_count(0)


async def test_a_name_that_is_refused_is_given_up_by_escape(page: Page, start: Start) -> None:
    await start(HELLO)
    await ask(page, "First")
    await ended(page, "complete")
    row = page.locator("#conversations li")
    async with refused(page, CHAT):
        await row.hover()
        await row.get_by_label("Rename").click()
        await page.get_by_label("New name of this chat").fill("The very first")
        await page.keyboard.press("Enter")
        await expect(row.get_by_role("alert")).to_have_text(SAID)
        await page.keyboard.press("Escape")
    await expect(row.get_by_role("alert")).to_have_count(0)
    await expect(row).to_contain_text("First")
    await expect(row.get_by_role("link")).to_be_focused()


async def test_what_fails_behind_an_open_list_is_read_before_it(page: Page, start: Start) -> None:
    await page.set_viewport_size(PHONE["viewport"])
    server = await start(HELLO)
    for question in ("First", "Second"):
        await page.goto(server.url)
        await ask(page, question)
        await ended(page, "complete")
    await page.get_by_label("Open the list of chats").click()
    await page.context.set_offline(True)
    await page.locator("#conversations li a").last.click()
    await expect(page.locator("#problem")).to_contain_text("The server cannot be reached.")
    assert await page.locator("#problem").evaluate(IN_FRONT)


async def test_a_reason_that_is_refused_stays_to_be_sent_again(page: Page, start: Start) -> None:
    await start(HELLO)
    await ask(page, "Hello")
    await ended(page, "complete")
    thumb, why = page.get_by_role("button", name="A bad answer"), page.get_by_label("What was wrong with it?")
    async with refused(page, re.compile("/feedback$")):
        await thumb.click()
        await expect(page.locator("#problem")).to_have_text(SAID)
        await expect(why).to_be_hidden()  # there is no thumb to be explained
    async with page.expect_response(re.compile("/feedback$")):
        await thumb.click()
    async with refused(page, re.compile("/feedback$")):
        await why.fill("Too short.")
        await page.keyboard.press("Enter")
        await expect(page.locator("#problem")).to_have_text(SAID)
        await expect(why).to_have_value("Too short.")
        await expect(why).to_be_focused()
    async with page.expect_response(re.compile("/feedback$")) as kept:
        await page.keyboard.press("Enter")
    assert (await (await kept.value).json())["feedback"] == {"value": -1, "reason": "Too short."}
    await expect(why).to_be_hidden()
