"""axe-core finds nothing to object to, in any state of the page, at desktop and phone size, light and dark."""

from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, Page, expect

from tests.browser.recorded import record, thought
from tests.browser.test_answers import MARKDOWN, words
from tests.browser.test_choosing_photos import choose, photo
from tests.browser.test_page import answer, ended
from tests.servers.wondercam import ROOT, Serve

AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
RUN = """async () => (await axe.run(document, { resultTypes: ["violations"] })).violations.map(
  ({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 160)).join(" | ")}`)"""


async def objections(page: Page) -> list[Any]:
    """What axe-core objects to in the page as it stands."""
    return list(await page.evaluate(RUN))


@pytest.mark.parametrize(
    "device",
    [
        {"viewport": {"width": 1280, "height": 800}},
        {"viewport": {"width": 390, "height": 844}, "has_touch": True, "color_scheme": "dark"},
    ],
    ids=["desktop", "phone"],
)
async def test_axe_objects_to_nothing_in_any_state(
    chromium: Browser, serve: Serve, tmp_path: Path, device: dict[str, Any]
) -> None:
    server = serve(
        record(tmp_path, "all", [thought("Hm. "), *words("## Light\n\n#### Its parts\n\n" + MARKDOWN)], 15_000)
    )
    context = await chromium.new_context(**device, bypass_csp=True, reduced_motion="reduce")
    page = await context.new_page()
    await page.add_init_script(path=AXE)
    await page.goto(server.url)
    found = {"empty": await objections(page)}
    await page.get_by_role("button", name="Watch an example").click()
    await expect(page.get_by_role("dialog", name="Replay").get_by_role("button", name="Play")).to_be_visible()
    found["the example"] = await objections(page)
    await page.keyboard.press("Escape")
    await choose(page, {"name": "a.jpg", "mimeType": "image/jpeg", "buffer": photo()})
    await page.get_by_label("Your message").fill("Show me everything.")
    found["with a photo"] = await objections(page)
    if "has_touch" in device:
        for name in ("Send", "Camera"):
            box = await page.get_by_role("button", name=name, exact=True).bounding_box()
            assert box is not None
            assert min(box["width"], box["height"]) >= 44, name
    await page.get_by_role("button", name="Send").click()
    await expect(answer(page).locator("figcaption")).to_be_visible()
    found["growing"] = await objections(page)
    await ended(page, "complete")
    await answer(page).locator("details.thoughts summary").click()
    found["answered"] = await objections(page)
    await answer(page).get_by_label("Answer once more").click()
    await page.get_by_label("Stop the answer").click()
    await ended(page, "stopped")
    await page.locator("article[data-role=user]").get_by_label("Edit this question").click()
    found["stopped, with two versions, while the question is edited"] = await objections(page)
    await page.keyboard.press("Escape")
    await page.keyboard.press("Control+k")
    await expect(page.get_by_role("listbox", name="Chats").get_by_role("option")).to_have_count(1)
    found["looking for a chat"] = await objections(page)
    await page.keyboard.press("Escape")
    await page.keyboard.press("Control+/")
    await expect(page.get_by_role("dialog", name="Shortcuts")).to_be_visible()
    found["the shortcuts"] = await objections(page)
    for name in ("signin", "signup"):
        await page.goto(f"{server.url}/accounts/{name}/")
        found[name] = await objections(page)
    await page.goto(f"{server.url}/offline")
    found["without a network"] = await objections(page)
    await page.goto(server.url)
    await page.evaluate("document.getElementById('settings').showModal()")
    found["settings"] = await objections(page)
    await page.keyboard.press("Escape")
    await page.get_by_role("button", name="Instructions for this chat").click()
    await expect(page.get_by_role("dialog", name="Instructions")).to_be_visible()
    found["instructions"] = await objections(page)
    await page.goto(f"{server.url}/c/5d7e4a90-2f1b-4b7c-8c66-0a9b1e2d3f02")
    found["not here"] = await objections(page)
    await context.close()
    assert {state: said for state, said in found.items() if said} == {}
