"""One's own API keys in the page: made, seen once, copied, listed and deleted, by the keyboard too."""

import asyncio
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from playwright.async_api import Browser, Locator, Page, expect

from tests.browser.test_accessibility import AXE, objections
from tests.browser.test_keyboard import tab_to
from tests.servers.chromium import tab
from tests.servers.wondercam import WonderCam

SHOTS = os.environ.get("WONDERCAM_TEST_SCREENSHOTS", "")
LINK = "API keys, with which programs of yours ask here"
PASSWORD = "correct horse battery"
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True}


async def sign_up(page: Page, server: WonderCam) -> None:
    await page.goto(f"{server.url}/accounts/signup/")
    await page.get_by_label("Username").fill(f"ada-{uuid4().hex[:12]}")
    await page.get_by_label("Password", exact=True).fill(PASSWORD)
    await page.get_by_label("Password confirmation").fill(PASSWORD)
    await page.get_by_role("button", name="Sign up").click()
    await expect(page.get_by_label("Your message")).to_be_visible()
    await page.wait_for_load_state()  # before that no module hears a click


async def open_keys(page: Page) -> Locator:
    """The dialog, opened from the settings."""
    await page.evaluate("document.querySelector('[data-do=open-settings]').click()")  # on a phone it is in a drawer
    await page.get_by_role("button", name="API keys").click()
    return page.get_by_role("dialog", name="API keys")


def is_taken(server: WonderCam, key: str, path: str = "/v2/conversations", method: str = "GET") -> bool:
    """Whether the server lets whoever has this key in, and do that."""
    answer = httpx.request(method, f"{server.url}{path}", headers={"Authorization": f"Bearer {key}"}, timeout=90)
    return answer.status_code not in (401, 403)


async def test_a_key_is_made_seen_once_copied_used_and_deleted(page: Page, shared_server: WonderCam) -> None:
    await page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    await sign_up(page, shared_server)
    dialog = await open_keys(page)
    await expect(dialog.get_by_text("You have no API keys.")).to_be_visible()
    await dialog.get_by_label("Name").fill("laptop")
    await dialog.get_by_role("button", name="Make a key").click()
    shown = dialog.get_by_label("Your new key")
    await expect(shown).to_be_focused()
    key = await shown.input_value()
    await dialog.get_by_role("button", name="Copy").click()
    await expect(dialog.get_by_role("status")).to_have_text("Copied.")
    assert await page.evaluate("navigator.clipboard.readText()") == key
    row = dialog.get_by_role("listitem").filter(has_text="laptop")
    await expect(row).to_contain_text("Never used")
    await expect(row).to_contain_text(key[:8])
    assert await asyncio.to_thread(is_taken, shared_server, key)

    await dialog.get_by_role("button", name="Done").click()
    assert key not in await page.content()
    dialog = page.get_by_role("dialog", name="API keys")
    await page.get_by_role("button", name="API keys").click()
    await expect(shown).to_be_hidden()
    assert await page.locator("#api-keys [data-part=key]").input_value() == ""
    await expect(row).to_contain_text("Last used")
    await row.get_by_role("button", name="Delete laptop").click()
    await row.get_by_role("button", name="Keep it").click()
    await expect(row.get_by_role("button", name="Delete laptop")).to_be_focused()
    await row.get_by_role("button", name="Delete laptop").click()
    await row.get_by_role("button", name="Delete it").click()
    await expect(dialog.get_by_text("You have no API keys.")).to_be_visible()
    assert not await asyncio.to_thread(is_taken, shared_server, key)


async def test_by_the_keyboard_a_key_that_only_reads_is_made_until_a_day(page: Page, shared_server: WonderCam) -> None:
    await sign_up(page, shared_server)
    await tab_to(page, "Settings", "Shift+Tab")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("dialog", name="Settings")).to_be_visible()
    await tab_to(page, "API keys…")
    await page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="API keys")
    await expect(dialog).to_be_visible()
    await tab_to(page, "Name")
    await page.keyboard.type("backup")
    await tab_to(page, "Valid until, if it shall end")
    until = datetime.now(UTC) + timedelta(days=40)
    await page.keyboard.type(f"{until:%m%d%Y}")
    await tab_to(page, "It may only read")
    await page.keyboard.press("Space")
    await page.keyboard.press("Enter")
    shown = dialog.get_by_label("Your new key")
    await expect(shown).to_be_focused()
    key = await shown.input_value()
    row = dialog.get_by_role("listitem").filter(has_text="backup")
    await expect(row).to_contain_text(f"Ends {until:%b} {until.day}, {until.year}")
    await expect(row).to_contain_text("only reads")
    assert await asyncio.to_thread(is_taken, shared_server, key)
    assert not await asyncio.to_thread(is_taken, shared_server, key, "/v2/tickets", "POST")
    await tab_to(page, "Delete backup")
    await page.keyboard.press("Enter")
    await tab_to(page, "Delete it")
    await page.keyboard.press("Enter")
    await expect(dialog.get_by_label("Name")).to_be_focused()
    assert not await asyncio.to_thread(is_taken, shared_server, key)
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("button", name="API keys")).to_be_focused()


async def test_the_account_page_leads_to_them_by_the_keyboard(page: Page, shared_server: WonderCam) -> None:
    await sign_up(page, shared_server)
    await page.goto(f"{shared_server.url}/accounts/")
    await tab_to(page, LINK)
    await page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="API keys")
    await expect(dialog.get_by_label("Name")).to_be_focused()
    await page.keyboard.press("Escape")
    await expect(dialog).to_be_hidden()
    await expect(page.get_by_role("dialog")).to_have_count(0)


async def test_the_account_page_leads_to_them_by_a_thumb(chromium: Browser, shared_server: WonderCam) -> None:
    async with tab(chromium, **PHONE) as page:
        await sign_up(page, shared_server)
        await page.goto(f"{shared_server.url}/accounts/")
        link = page.get_by_role("link", name=LINK)
        box = await link.bounding_box()
        assert box is not None
        assert box["height"] >= 44
        await page.route("**/own_keys*.js", lambda route: route.abort())
        await link.tap()
        await expect(page.get_by_role("dialog", name="Settings").get_by_role("alert")).to_contain_text("the API keys")
        await page.unroute("**/own_keys*.js")
        await page.get_by_role("button", name="API keys").tap()
        await expect(page.get_by_role("dialog", name="API keys").get_by_text("You have no API keys.")).to_be_visible()


async def test_what_the_server_refuses_is_said_in_the_dialog(page: Page, shared_server: WonderCam) -> None:
    await sign_up(page, shared_server)
    dialog = await open_keys(page)
    said = "You have as many API keys as one may have: end one first."
    refused = {"code": 429, "status": "RESOURCE_EXHAUSTED", "message": said}

    async def refuse(route: Any) -> None:
        is_made = route.request.method == "POST"
        await (route.fulfill(status=429, json={"error": refused}) if is_made else route.continue_())

    await page.route("**/v2/keys", refuse)
    await dialog.get_by_label("Name").fill("one more")
    await dialog.get_by_role("button", name="Make a key").click()
    await expect(dialog.get_by_role("alert")).to_have_text(said)
    await expect(dialog.get_by_label("Name")).to_have_value("one more")
    await expect(dialog.get_by_role("button", name="Make a key")).to_be_enabled()


async def test_a_guest_has_no_keys_in_the_settings(page: Page, shared_server: WonderCam) -> None:
    await page.goto(f"{shared_server.url}/#api-keys")
    await page.get_by_role("button", name="Settings").click()
    await expect(page.get_by_role("radio", name="System")).to_be_visible()
    await expect(page.get_by_role("button", name="API keys")).to_have_count(0)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("device", [{"viewport": {"width": 1280, "height": 800}}, PHONE], ids=["desktop", "phone"])
async def test_axe_objects_to_nothing_and_all_of_it_fits(
    chromium: Browser, shared_server: WonderCam, device: dict[str, Any], theme: str
) -> None:
    async with tab(chromium, **device, color_scheme=theme, bypass_csp=True, reduced_motion="reduce") as page:
        await page.add_init_script(path=AXE)
        await sign_up(page, shared_server)
        dialog = await open_keys(page)
        for name in ("laptop", "a name that somebody has made longer than any line of this dialog has place for"):
            await dialog.get_by_label("Name").fill(name)
            await dialog.get_by_role("button", name="Make a key").click()
            await expect(dialog.get_by_role("listitem").filter(has_text=name)).to_be_visible()
        await dialog.get_by_role("button", name="Delete laptop").click()
        await expect(dialog.get_by_role("button", name="Keep it")).to_be_focused()
        assert await objections(page) == []
        assert await dialog.evaluate("(at) => at.scrollWidth <= at.clientWidth")
        if "has_touch" in device:
            for button in await dialog.get_by_role("button").all():
                box = await button.bounding_box()
                assert box is None or box["height"] >= 44, await button.inner_text()
        if SHOTS:
            await page.screenshot(path=Path(SHOTS) / f"keys-{theme}-{device['viewport']['width']}.png")
