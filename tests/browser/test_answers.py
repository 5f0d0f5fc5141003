"""What an answer looks like: all of Markdown, formulas, thoughts, pictures; whatever it is, the tab lives."""

import re
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page, expect

from tests.browser.recorded import picture, record, thought
from tests.browser.test_page import Start, answer, ask, ended, model, start
from tests.fakes.gemini import PICTURE
from tests.faults.arena import environment
from tests.faults.upstream import Model
from tests.soak import SOAK

__all__ = ["model", "start"]

MARKDOWN = (
    "By $I \\propto \\lambda^{-4}$.[^1]\n\n$$\\frac{1}{2}$$\n\n| a | b |\n|:-:|--:|\n| 1 | 2 |\n\n- [x] done\n\n"
    "```python\nprint(1)\n" + "x = 1\n" * 20 + "```\n\n[^1]: Rayleigh.\n"
)
HOSTILE = {
    "quotations": ">" * 3_000,
    "marks": "*a _b " * 10_000,
    "columns": "|a" * 10_000 + "|\n" + "|-" * 10_000 + "|\n",
    "lists": "\n".join("  " * depth + "- x" for depth in range(300)),
    "brackets": "[" * 50_000 + "]" * 50_000,
    "line": "a" * 100_000,
    "code": "`" + "a" * 100_000 + "`",
}
TASKS = """
window.__tasks = [];
new PerformanceObserver((list) => window.__tasks.push(...list.getEntries().map((task) => task.duration)))
  .observe({ type: "longtask", buffered: true });
"""
SHIFTS = """
window.__shifts = 0;
new PerformanceObserver((list) => {
  for (const shift of list.getEntries()) window.__shifts += shift.value;
}).observe({ type: "layout-shift", buffered: true });
"""


def words(text: str) -> list[str]:
    """A text as a model sends it."""
    return re.findall(r"\s*\S+|\s+", text)


async def test_formulas_tables_tasks_and_code_stand_as_they_are_meant(page: Page, start: Start, tmp_path: Path) -> None:
    await page.add_init_script(SHIFTS)
    await start(record(tmp_path, "markdown", words(MARKDOWN), 15_000))
    await ask(page, "Show me everything.")
    await expect(answer(page).locator("figcaption")).to_contain_text("python")
    await ended(page, "complete")
    await expect(answer(page).locator("math")).to_have_count(2)
    await expect(answer(page).locator("td.align-end")).to_have_css("text-align", "end")
    await expect(answer(page).get_by_role("checkbox", name="Done")).to_be_checked()
    await expect(answer(page).locator("code .hl-number").first).to_be_visible()
    assert await page.evaluate("window.__shifts") < 0.1
    await answer(page).get_by_role("button", name="Wrap").click()
    await expect(answer(page).locator("pre")).to_have_css("white-space", "pre-wrap")


async def test_thoughts_are_folded_with_their_time_and_pictures_are_shown_live_and_after_a_reload(
    page: Page, start: Start, tmp_path: Path
) -> None:
    pieces: list[str | dict[str, Any]] = [
        thought("Let me see. "),
        thought("Yes."),
        "Here: ",
        picture(PICTURE),
        "That is it.",
    ]
    await start(record(tmp_path, "drawn", pieces, 100_000))
    await ask(page, "Draw a dot.")
    for _ in range(2):
        await ended(page, "complete")
        folded = answer(page).locator("details.thoughts")
        await expect(folded.locator("summary")).to_have_text(re.compile(r"Thought for \d+\.\d s"))
        await folded.locator("summary").click()
        await expect(folded).to_contain_text("Let me see. Yes.")
        image = answer(page).get_by_alt_text("Picture made by the model")
        await expect(image).to_have_js_property("naturalWidth", 1)
        before, after = await answer(page).locator("[data-part=text] p").all_text_contents()
        assert (before, after) == ("Here:", "That is it.")
        await expect(answer(page).locator("summary[data-part=rate]")).to_contain_text(" s")
        await page.reload()


async def test_that_a_model_thinks_is_said_once(page: Page, start: Start, tmp_path: Path) -> None:
    await start(record(tmp_path, "slow", [thought("Let me see."), "Yes."], 1_500_000))
    await ask(page, "Well?")
    await expect(answer(page).locator("details.thoughts summary")).to_have_text("Thoughts")
    await expect(answer(page).locator(".waiting")).to_contain_text("Thinking…")
    await expect(answer(page).locator("details.thoughts summary")).to_have_text(re.compile(r"Thought for \d+\.\d s"))


async def test_what_is_waited_for_is_said_with_seconds_and_that_a_model_pauses(
    page: Page, start: Start, model: Model
) -> None:
    await start(environment(model.url))
    await ask(page, "words=1 hold=0 then=stall")
    waiting = answer(page).locator(".waiting")
    await expect(waiting).to_contain_text("Waiting for script…")
    await expect(waiting.locator("[data-part=seconds]")).to_have_text(re.compile(r"^[1-9]\d* s$"))
    model.let()
    await expect(answer(page).locator("[data-part=text]")).not_to_be_empty()
    await expect(waiting).to_contain_text("The model pauses…")
    await expect(waiting).to_be_visible()


@pytest.mark.parametrize("name", HOSTILE)
async def test_a_model_s_text_never_freezes_the_tab_live_or_when_it_is_opened_again(
    page: Page, start: Start, tmp_path: Path, name: str
) -> None:
    await page.add_init_script(TASKS)
    text = HOSTILE[name]
    await start(record(tmp_path, name, [text[at : at + 5_000] for at in range(0, len(text), 5_000)]))
    await ask(page, "Go.")
    for _ in range(2):
        await ended(page, "complete")
        await expect(page.locator("#transcript[data-whole]")).to_be_attached()
        tasks: list[Any] = await page.evaluate("window.__tasks")
        if SOAK:  # where other tests take the processor, a task is as long as they like
            assert max(tasks, default=0) < 600, tasks
        assert await page.evaluate("document.querySelectorAll('*').length") < 12_000
        await page.reload()
