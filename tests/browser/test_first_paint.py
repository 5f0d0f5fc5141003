"""What is read of a chat before the page's modules have been loaded, and how these take it over."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, Page, expect

from tests.browser.recorded import record
from tests.browser.test_camera import PHONE
from tests.browser.test_page import HELLO, Start, answer, ask, ended, start
from tests.servers.chromium import held, tab
from tests.servers.wondercam import Share, WonderCam

__all__ = ["start"]

TEXT = """## Why the *sky* is blue

Air scatters **short** waves, see [here](https://example.com/a?b=c "d") and <https://example.org/e>, not [there](/f).
A second line, a third\\
after a ~~long~~ break: `a < b`, 1 &lt; 2, \\*no emphasis\\*, ***both***, ![a photo](https://example.com/p.png).

- one
- واحد
- two `code`
  - deeper

  and more

3. three
4. four

> ### Quoted
> and said
>
> - قائمة
>
> `code` first

| a | b | c |
|---|--:|:-:|
| 1 | **2** | `3` |

```python
for each in range(3):
    print("<b>")
```

    indented < code

---

The last words of it, which are read first.
"""
SHAPE = """() => {
  const text = [...document.querySelectorAll("article [data-part=text]")].at(-1).cloneNode(true);
  for (const code of text.querySelectorAll("figure code")) code.textContent = code.textContent; // without colours
  return text.innerHTML;
}"""
PLACES = """() => [...document.querySelectorAll("article")].slice(-2).flatMap((article) => {
  const { top, left, width, height } = article.getBoundingClientRect();
  return [top, left, width, height];
})"""
FILL = """
from chat.models import Conversation, Message
chat = Conversation.objects.get(pk="{chat}")
last = chat.messages.order_by("position").last()
for number in range(20):
    role = ("user", "model")[number % 2]
    parts = [{{"text": f"{{role}} {{number}}. " * 30}}]
    last = Message.objects.create(
        conversation=chat, parent=last, role=role, parts=parts, position=last.position + 1
    )
"""
FROM_END = """() => {
  const { scrollHeight, clientHeight, scrollTop } = document.querySelector("#viewport");
  return scrollHeight - clientHeight - scrollTop;
}"""


@asynccontextmanager
async def opened_again(chromium: Browser, page: Page, **options: Any) -> AsyncIterator[Page]:
    """The reader's chat in another window."""
    async with tab(chromium, storage_state=await page.context.storage_state(), **options) as other:
        await other.goto(page.url)
        yield other


async def test_the_styles_of_what_is_not_shown_hold_no_paint_back(page: Page, share: Share) -> None:
    async with held(page, re.compile(r"/(camera|photo|settings|voice)\.[\w.]*css")):
        server = await asyncio.to_thread(share, HELLO)
        await page.goto(server.url, wait_until="commit")
        await page.wait_for_function("() => performance.getEntriesByName('first-contentful-paint').length > 0")
    await page.wait_for_load_state()  # modules wait for the styles, too: an earlier click would reach none
    await page.get_by_role("button", name="Settings").click()
    await expect(page.get_by_role("dialog")).to_be_visible()


@pytest.mark.parametrize("options", [{}, PHONE])
async def test_the_newest_answer_is_read_without_scripts_as_with_them(
    chromium: Browser, page: Page, start: Start, tmp_path: Path, options: dict[str, Any]
) -> None:
    await start(record(tmp_path, "marks", [TEXT]))
    await ask(page, "Why?\n<b>")
    await ended(page, "complete")
    async with opened_again(chromium, page, java_script_enabled=False, **options) as plain:
        await expect(plain.get_by_text("The last words of it")).to_be_in_viewport()
        await plain.evaluate("document.querySelector('noscript').remove()")
        written, places = await plain.evaluate(SHAPE), await plain.evaluate(PLACES)
    async with opened_again(chromium, page, **options) as whole:
        await ended(whole, "complete")
        assert await whole.evaluate(SHAPE) == written
        moved = [abs(now - before) for now, before in zip(await whole.evaluate(PLACES), places, strict=True)]
        assert max(moved) < 1, "browsers scroll by whole pixels, and lines end between them"


async def long_chat(page: Page, server: WonderCam) -> None:
    """The page shows one whose beginning is out of sight."""
    await ask(page, "Why?")
    await ended(page, "complete")
    code = FILL.format(chat=page.url.rpartition("/")[2])
    await asyncio.to_thread(server.manage, "shell", "-c", code)


STYLED = "() => [...document.querySelectorAll('link[rel=stylesheet]')].every((link) => link.sheet)"
"""Whether all styles have come: places that are asked for before are others."""


@asynccontextmanager
async def without_module(page: Page, name: str) -> AsyncIterator[None]:
    """Meanwhile the page loads again, and this module of it does not come."""
    async with held(page, re.compile(rf"/static/chat/{name}[\w.]*\.js")):
        await page.reload(wait_until="commit")
        await expect(answer(page)).to_be_visible()
        await page.wait_for_function(STYLED)
        await page.evaluate("() => document.fonts.ready.then(() => null)")
        yield
    await page.locator("#transcript[data-whole]").wait_for()


async def test_the_modules_take_over_what_the_server_has_written(page: Page, start: Start) -> None:
    server = await start(HELLO)
    await long_chat(page, server)
    async with without_module(page, "page"):
        written = await page.locator("article").count()
        assert 2 <= written < 22
        assert await page.evaluate("[...document.querySelectorAll('article')].every((each) => (each.isWritten = true))")
        await expect(page.locator("#latest")).to_be_hidden()
        await expect(answer(page).locator("[data-do=copy].of-answer")).to_be_hidden()
    await expect(page.locator("article")).to_have_count(22)
    kept = "[...document.querySelectorAll('article')].map((each) => Boolean(each.isWritten))"
    assert await page.evaluate(kept) == [False] * (22 - written) + [True] * written
    await expect(page.locator("article").last).to_contain_text("model 19.")
    await expect(page.locator("#announcer")).to_be_empty()
    await expect(answer(page).get_by_label("Copy this answer")).to_be_visible()
    assert abs(await page.evaluate(FROM_END)) < 2


async def test_a_reader_who_has_scrolled_up_before_the_modules_came_stays_there(page: Page, start: Start) -> None:
    server = await start(HELLO)
    await page.set_viewport_size({"width": 412, "height": 500})
    await long_chat(page, server)
    place = "[...document.querySelectorAll('article')].at(-2).getBoundingClientRect().top"
    async with without_module(page, "page"):
        await page.evaluate("document.querySelector('#viewport').scrollBy(0, -150)")
        before = await page.evaluate(place)
    await expect(page.locator("article")).to_have_count(22)
    assert abs(await page.evaluate(place) - before) < 2
