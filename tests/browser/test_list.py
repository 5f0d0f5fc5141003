"""The list of chats, where there are many: what changes is painted, and nothing else."""

import asyncio

import httpx
import pytest
from playwright.async_api import Page, expect

from tests.browser.test_page import HELLO, Start, ask, ended, start
from tests.browser.test_tasks import LONGEST, long_tasks, slowed
from tests.servers.wondercam import WonderCam

__all__ = ["start"]

FILL = """
from datetime import timedelta
from chat.models import Conversation
shown = Conversation.objects.get(pk="{chat}")
for number in range({count}):
    made = Conversation.objects.create(user=shown.user, title=f"Chat {{number}}", pinned=number % 50 == 9)
    asked = shown.updated_at - timedelta(hours=4 * number + 1)
    Conversation.objects.filter(pk=made.pk).update(updated_at=asked)
"""
WATCH = """() => {
  window.__changed = new Set();
  const rowOf = (node) => (node.nodeType === 1 ? node : node.parentElement)?.closest("li")?.dataset.conversation;
  new MutationObserver((changes) => {
    for (const { target, addedNodes, removedNodes } of changes)
      for (const node of [target, ...addedNodes, ...removedNodes]) window.__changed.add(rowOf(node) ?? "");
  }).observe(document.querySelector("#conversations"), {
    attributes: true, childList: true, characterData: true, subtree: true,
  });
}"""
CHANGED = "[...window.__changed].filter(Boolean)"
TO_THE_END = "(() => { const list = document.querySelector('#conversations'); list.scrollTop = list.scrollHeight; })()"


class Elsewhere:
    """The same reader, in another window."""

    def __init__(self, page: Page, server: WonderCam) -> None:
        self._server = server
        self._token = ""
        page.on("request", lambda sent: self._keep(sent.headers.get("authorization", "")))

    def _keep(self, token: str) -> None:
        self._token = token or self._token

    async def change(self, chat: str, **changes: str | bool) -> None:
        """Rename or pin this chat."""
        async with httpx.AsyncClient(base_url=self._server.url) as client:
            headers = {"Authorization": self._token}
            (await client.patch(f"/v2/conversations/{chat}", json=changes, headers=headers)).raise_for_status()


async def many(page: Page, start: Start, count: int) -> Elsewhere:
    """A page with one chat that was asked here, and so many older ones."""
    server = await start(HELLO)
    elsewhere = Elsewhere(page, server)
    await ask(page, "Why is the sky blue?")
    await ended(page, "complete")
    code = FILL.format(chat=page.url.rpartition("/")[2], count=count)
    await asyncio.to_thread(server.manage, "shell", "-c", code)
    return elsewhere


async def test_a_change_of_one_chat_touches_its_own_row_alone(page: Page, start: Start) -> None:
    elsewhere = await many(page, start, 49)
    await page.reload()
    rows = page.locator("#conversations li")
    await expect(rows).to_have_count(50)
    chat = await rows.nth(30).get_attribute("data-conversation") or ""
    await page.evaluate(WATCH)
    await elsewhere.change(chat, title="Renamed elsewhere")
    await expect(rows.nth(30)).to_contain_text("Renamed elsewhere")
    assert await page.evaluate(CHANGED) == [chat]
    await elsewhere.change(chat, pinned=True)
    await expect(rows.nth(1)).to_contain_text("Renamed elsewhere")
    assert await page.evaluate(CHANGED) == [chat]
    shown, other = await rows.nth(2).get_attribute("data-conversation"), rows.nth(7)
    await other.get_by_role("link").click()
    await expect(other.get_by_role("link")).to_have_attribute("aria-current", "page")
    touched = {chat, shown, await other.get_attribute("data-conversation")}
    assert set(await page.evaluate(CHANGED)) == touched


async def test_a_row_has_its_tools_once_it_is_pointed_at_focused_or_shown(page: Page, start: Start) -> None:
    await many(page, start, 49)
    await page.reload()
    rows, tools = page.locator("#conversations li"), page.locator(".tools")
    await expect(rows).to_have_count(50)
    await expect(rows.filter(has=tools)).to_have_count(1)  # of the chat that is shown
    await rows.nth(4).hover()
    await expect(rows.nth(4).get_by_label("Delete this chat")).to_be_visible()
    await rows.nth(6).get_by_role("link").focus()
    await page.keyboard.press("Tab")
    await expect(rows.nth(6).get_by_label("Pin or unpin this chat")).to_be_focused()
    await page.keyboard.press("Shift+Tab")
    await expect(rows.nth(6).get_by_role("link")).to_be_focused()
    await expect(rows.filter(has=tools)).to_have_count(3)


@pytest.mark.soak
async def test_500_chats_change_without_holding_up_a_press(page: Page, start: Start) -> None:
    elsewhere = await many(page, start, 500)
    await slowed(page)
    await page.reload()
    rows = page.locator("#conversations li")
    while await rows.count() <= 500:
        await page.evaluate(TO_THE_END)
        await asyncio.sleep(0.2)
    chat = await rows.nth(400).get_attribute("data-conversation") or ""
    await page.evaluate("window.__tasks.length = 0")
    await elsewhere.change(chat, title="Renamed elsewhere")
    await expect(rows.nth(400)).to_contain_text("Renamed elsewhere")
    await elsewhere.change(chat, pinned=True)
    await expect(rows.nth(1)).to_contain_text("Renamed elsewhere")
    await rows.nth(7).get_by_role("link").click()
    await expect(rows.nth(7).get_by_role("link")).to_have_attribute("aria-current", "page")
    assert max(await long_tasks(page, "500 chats are listed, and one changes"), default=0) < LONGEST
