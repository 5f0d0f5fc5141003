"""The instructions of a chat: given before its first question or later, followed in every answer, shown above them."""

from collections.abc import AsyncIterator

import pytest_asyncio
from playwright.async_api import Page, expect

from tests.browser.test_page import Start, answer, ask, ended, start
from tests.faults.arena import environment
from tests.faults.upstream import Model, upstream

__all__ = ["start"]

BUTTON = "Instructions for this chat"


@pytest_asyncio.fixture(loop_scope="session")
async def model() -> AsyncIterator[Model]:
    async with upstream() as model:
        yield model


async def instruct(page: Page, text: str) -> None:
    await page.get_by_role("button", name=BUTTON).click()
    await page.get_by_role("dialog").get_by_role("textbox").fill(text)
    await page.get_by_role("button", name="Save", exact=True).click()
    await expect(page.get_by_role("dialog")).to_have_count(0)


def told_beside(model: Model) -> list[str]:
    """What the model was told beside each question."""
    said = [request.json()["messages"][0] for request in model.asked]
    return [first["content"] if first["role"] == "system" else "" for first in said]


async def test_what_is_asked_of_every_answer_goes_with_every_question(page: Page, start: Start, model: Model) -> None:
    server = await start(environment(model.url))
    shown = page.locator("#instruction")
    await expect(shown).to_be_hidden()
    await instruct(page, "Answer like a pirate.")
    await expect(shown).to_have_text("Answer like a pirate.")
    async with page.expect_response(lambda said: said.request.method == "PATCH") as kept:
        await ask(page, "words=3")
        await ended(page, "complete")
    assert (await kept.value).ok
    await ask(page, "words=4")
    await expect(answer(page)).to_contain_text("3")
    await ended(page, "complete")
    assert all("Answer like a pirate." in told for told in told_beside(model))
    assert len(model.asked) == 2

    chat = page.url
    beside = await page.context.new_page()
    await beside.goto(chat)
    await instruct(page, "Answer like a poet.")
    await expect(beside.locator("#instruction")).to_have_text("Answer like a poet.")
    await page.get_by_role("link", name="New chat").first.click()
    await expect(shown).to_be_hidden()
    await page.goto(chat)
    await expect(shown).to_have_text("Answer like a poet.")
    await instruct(page, "")
    await expect(shown).to_be_hidden()
    await expect(beside.locator("#instruction")).to_be_hidden()
    await ask(page, "words=5")
    await expect(page.locator("article")).to_have_count(6)
    await ended(page, "complete")
    assert "pirate" not in told_beside(model)[-1]
    assert server.url in page.url


async def test_what_is_cancelled_or_refused_changes_nothing(page: Page, start: Start) -> None:
    await start({"WONDERCAM_MODELS": "recording/hello"})
    await ask(page, "Hello?")
    await ended(page, "complete")
    await page.get_by_role("button", name=BUTTON).click()
    await page.get_by_role("dialog").get_by_role("textbox").fill("Be brief.")
    await page.get_by_role("button", name="Cancel").click()
    await expect(page.locator("#instruction")).to_be_hidden()
    await page.route("**/v2/conversations/*", lambda route: route.abort())
    await page.get_by_role("button", name=BUTTON).click()
    await expect(page.get_by_role("dialog").get_by_role("textbox")).to_have_value("")
    await page.get_by_role("dialog").get_by_role("textbox").fill("Be brief.")
    await page.get_by_role("button", name="Save", exact=True).click()
    await expect(page.get_by_role("dialog").get_by_role("alert")).to_contain_text("The server cannot be reached")
    await expect(page.locator("#instruction")).to_be_hidden()
