"""Thumbs beneath an answer, by mouse and keyboard, over a reload."""

from playwright.async_api import Page, expect

from tests.browser.test_page import Start, answer, ask, ended, start

__all__ = ["start"]


async def test_a_thumb_and_its_reason_are_kept_over_a_reload_and_taken_back(page: Page, start: Start) -> None:
    await start({"WONDERCAM_MODELS": "recording/hello"})
    await ask(page, "Hello?")
    await ended(page, "complete")
    good, bad = (answer(page).get_by_role("button", name=f"A {kind} answer") for kind in ("good", "bad"))
    await bad.click()
    await expect(bad).to_have_attribute("aria-pressed", "true")
    await answer(page).get_by_label("What was wrong with it?").fill("Too short.")
    async with page.expect_response("**/feedback") as kept:
        await page.keyboard.press("Enter")
    assert (await (await kept.value).json())["feedback"] == {"value": -1, "reason": "Too short."}
    await expect(bad).to_be_focused()
    await page.reload()
    await expect(bad).to_have_attribute("aria-pressed", "true")
    await expect(good).to_have_attribute("aria-pressed", "false")
    async with page.expect_response("**/feedback") as withdrawn:
        await bad.click()
    assert (await (await withdrawn.value).json())["feedback"] is None
    await expect(bad).to_have_attribute("aria-pressed", "false")
