"""The example of the empty page: a recorded answer to a photo, played by one press."""

import os
from pathlib import Path

from playwright.async_api import Page, expect

from tests.servers.wondercam import WonderCam

SCREENSHOTS = os.environ.get("WONDERCAM_TEST_SCREENSHOTS")
"""A folder, where somebody is to look at them."""


async def test_the_example_plays_by_one_press_and_asks_the_server_nothing(page: Page, shared_server: WonderCam) -> None:
    await page.goto(shared_server.url)
    await page.wait_for_load_state("networkidle")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url.removeprefix(shared_server.url)))
    await page.get_by_role("button", name="Watch an example").click()

    dialog = page.get_by_role("dialog", name="Replay")
    await expect(dialog.get_by_role("button", name="Pause")).to_be_visible()
    photo = dialog.get_by_role("img", name="What is this?")
    await expect(photo).not_to_have_js_property("naturalWidth", 0)
    await expect(dialog.locator("[data-part=text] blockquote")).to_contain_text("GATE 42")
    await expect(dialog.get_by_role("button", name="Play")).to_be_visible()
    await expect(dialog.locator("[data-part=text]")).to_contain_text("can be played again like this.")
    if SCREENSHOTS:
        await page.screenshot(path=Path(SCREENSHOTS) / "example.png")
    assert [path for path in asked if not path.startswith("/static/")] == []

    await page.keyboard.press("Escape")
    await expect(dialog).to_have_count(0)
    await expect(page.locator("article")).to_have_count(0)
