"""Answers in scripts that run from right to left, alone and beside others."""

from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, Page, expect

from tests.browser.recorded import record
from tests.browser.test_first_paint import opened_again
from tests.browser.test_page import HELLO, Start, ask, ended, start

__all__ = ["start"]

TEXT = """A list in Arabic:

- واحد
- اثنان (two)
- three

1. One in English:

   - `code` هو ثلاثة

> اقتباس من كتاب

| الاسم | العدد |
|---|--:|
| تفاح | 12 |

- قبل الشفرة

  ```python
  print(1)
  ```
"""
DIRECTIONS = """() => {
  const text = [...document.querySelectorAll("article [data-part=text]")].at(-1);
  const of = (selector) => [...text.querySelectorAll(selector)].map((each) => getComputedStyle(each).direction);
  return Object.fromEntries(["li", "blockquote", "table", "pre"].map((selector) => [selector, of(selector)]));
}"""
WANTED = {"li": ["rtl", "rtl", "rtl", "ltr", "rtl", "rtl"], "blockquote": ["rtl"], "table": ["rtl"], "pre": ["ltr"]}
EDGES = """() => [...document.querySelectorAll("[data-part=text] .blocks > ul:first-of-type > li > p")].map((each) => {
  const range = document.createRange();
  range.selectNodeContents(each);
  const [{ left, right }, { left: from, right: to }] = [range.getBoundingClientRect(), each.getBoundingClientRect()];
  return [Math.round(left - from) === 0, Math.round(to - right) === 0];
})"""
"""Of each of the list's paragraphs, whether its words touch the left edge, and the right one."""


@pytest.mark.parametrize("scripts", [True, False])
async def test_a_list_stands_on_the_side_where_its_text_begins(
    chromium: Browser, page: Page, start: Start, tmp_path: Path, scripts: bool
) -> None:
    await start(record(tmp_path, "arabic", [TEXT]))
    await ask(page, "A list, please.")
    await ended(page, "complete")
    options: dict[str, Any] = {} if scripts else {"java_script_enabled": False}
    async with opened_again(chromium, page, **options) as other:
        if scripts:
            await ended(other, "complete")
        assert await other.evaluate(DIRECTIONS) == WANTED
        assert await other.evaluate(EDGES) == [[False, True]] * 3, "beside the marks"


QUESTION = "ما هذا البناء الذي رأيته أمس في وسط المدينة القديمة قرب النهر الكبير، ومن الذي بناه؟"
STARTS_AT_THE_LEFT = """(element) => {
  const range = document.createRange();
  range.selectNodeContents(element);
  return Math.abs(range.getBoundingClientRect().left - element.getBoundingClientRect().left) < 1;
}"""
FIRST_LETTER_SEEN = """(element) => {
  const range = document.createRange();
  range.setStart(element.firstChild, 0);
  range.setEnd(element.firstChild, 1);
  const [{ left, right }, seen] = [range.getBoundingClientRect(), element.getBoundingClientRect()];
  return left >= seen.left - 1 && right <= seen.right + 1;
}"""


async def test_what_is_typed_and_the_title_made_of_it_run_from_right_to_left(page: Page, start: Start) -> None:
    await page.set_viewport_size({"width": 390, "height": 844})
    await start(HELLO)
    box = page.get_by_label("Your message")
    await box.fill(QUESTION)
    await expect(box).to_have_css("direction", "rtl")
    await page.keyboard.press("Enter")
    await ended(page, "complete")
    for title in (page.locator("#title"), page.locator("#conversations [data-part=title]")):
        await expect(title).to_contain_text("…")
        await expect(title).to_have_css("direction", "rtl")
        assert await title.evaluate(FIRST_LETTER_SEEN), "it is cut at its end, not at its beginning"
    await page.set_viewport_size({"width": 1280, "height": 800})
    assert await page.locator("#title").evaluate(STARTS_AT_THE_LEFT), "where other titles do"
    await page.locator("#conversations li").hover()
    await page.get_by_label("Delete this chat").click()
    said = page.locator("#undo [data-part=said]")
    await expect(said).to_contain_text("is deleted.")
    assert await said.evaluate("(element) => element.scrollWidth <= element.clientWidth"), "all of it is read"
