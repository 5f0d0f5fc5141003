"""Code in an answer: its colours come with the highlighter and the language that it is in, and with no other."""

import re
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from chat.protocol import recording
from tests.browser.recorded import record
from tests.browser.test_page import Start, answer, ask, ended, start
from tests.browser.test_tasks import LONGEST, long_tasks, slowed
from tests.servers.chromium import held

__all__ = ["start"]

MODULE = re.compile(r"/static/vendor/highlight/(?:languages/)?([a-z-]+)\.min(?:\.\w+)?\.js")
PYTHON = "```py\nfor each in range(3):\n    print(each)\n```\n"
LONG = "for each in range(3):\n    print(each)\n\n" * 250 + '"""\n' + "It is not over yet.\n" * 300 + '"""\n'
"""Of several pieces, the last of which are one string."""
YAML = "```yml\nname: sky # blue\n```\n"
HTML = "```html\n<p class=sky><script>let blue = `${1}`;</script><style>p { top: 1px }</style>\n```\n"


def modules_of(page: Page) -> list[str]:
    """The highlighter's modules that are asked for from now on, by their names."""
    asked: list[str] = []
    page.on("request", lambda sent: asked.extend(MODULE.findall(sent.url)))
    return asked


async def test_code_loads_the_highlighter_and_its_own_language_once(page: Page, start: Start, tmp_path: Path) -> None:
    asked = modules_of(page)
    await start(record(tmp_path, "code", [f"{PYTHON}\n{PYTHON}\n```klingon\nqo' 1\n```\n\n```text\nplain 1\n```\n"]))
    await ask(page, "Show me.")
    await ended(page, "complete")
    blocks = answer(page).locator("pre code")
    await expect(blocks.nth(1).locator(".hl-number")).to_have_text("3")
    assert asked == ["core", "python"]
    await expect(blocks.nth(2)).to_have_text("qo' 1")
    await expect(blocks.nth(3)).to_have_text("plain 1")
    assert await blocks.nth(2).or_(blocks.nth(3)).locator("span").count() == 0


async def test_a_language_comes_with_those_inside_it(page: Page, start: Start, tmp_path: Path) -> None:
    asked = modules_of(page)
    await start(record(tmp_path, "code", [HTML]))
    await ask(page, "Show me.")
    await ended(page, "complete")
    code = answer(page).locator("pre code")
    await expect(code.locator(".hl-keyword")).to_have_text("let")
    await expect(code.locator(".hl-attribute")).to_have_text("top")
    assert sorted(asked) == ["core", "css", "graphql", "javascript", "xml"]


async def test_a_language_that_could_not_be_loaded_comes_with_the_next_block(
    page: Page, start: Start, tmp_path: Path
) -> None:
    refused = re.compile(r"/languages/yaml\.")
    await start(record(tmp_path, "code", [f"{YAML}\n{PYTHON}"]))
    await page.route(refused, lambda route: route.abort())
    await ask(page, "Show me.")
    await expect(answer(page).locator(".hl-number")).to_have_text("3")
    await expect(answer(page).locator("pre code").first).to_have_text("name: sky # blue")
    await page.unroute(refused)
    await ended(page, "complete")
    await ask(page, "Once more.")
    await expect(answer(page).locator(".hl-comment")).to_have_text("# blue")


async def test_long_code_is_read_at_once_and_its_colours_move_nothing(page: Page, start: Start, tmp_path: Path) -> None:
    await start(record(tmp_path, "code", [f"```py\n{LONG}```\n\n{YAML}"]))
    code = answer(page).locator("pre code").first
    size = "each => [each.scrollWidth, each.scrollHeight, each.closest('article').scrollHeight]"
    async with held(page, re.compile(r"/highlight/core\.")):
        await ask(page, "Show me.")
        await ended(page, "complete")
        assert await code.evaluate("each => each.textContent") == LONG.rstrip("\n")
        assert await answer(page).locator("pre code span:not(.lines)").count() == 0
        plain = await code.evaluate(size)
        await answer(page).locator("pre code").last.evaluate("each => getSelection().selectAllChildren(each)")
    last = code.locator(".lines").last
    await expect(last.locator(".hl-string").last).to_have_text(re.compile('"""$'))
    await expect(code.locator(".hl-number")).to_have_count(LONG.count("range"))
    assert await code.evaluate("each => each.textContent") == LONG.rstrip("\n")
    assert await code.evaluate(size) == plain
    await expect(answer(page).locator("pre code").last.locator("span")).to_have_count(0)
    assert await page.evaluate("getSelection().toString()") == "name: sky # blue", "what is selected stays so"
    await page.evaluate("getSelection().removeAllRanges()")
    await expect(answer(page).locator(".hl-comment")).to_have_text("# blue")
    await code.evaluate("each => getSelection().selectAllChildren(each)")
    assert await page.evaluate("getSelection().toString()") == LONG.rstrip("\n")


@pytest.mark.soak
@pytest.mark.parametrize("characters", [15_000, 60_000])
async def test_long_code_gets_its_colours_without_holding_up_a_press(
    page: Page, start: Start, tmp_path: Path, characters: int
) -> None:
    text = (Path(recording.__file__).read_text() * 20).replace("`", "'")[:characters]
    await start(record(tmp_path, "code", [f"```py\n{text}\n```\n"]))
    await slowed(page)
    await page.reload()
    async with held(page, re.compile(r"/highlight/core\.")):
        await ask(page, "Show me.")
        await ended(page, "complete")
        await page.evaluate("window.__tasks.length = 0")
    await expect(answer(page).locator(".lines").last.locator("span").first).to_be_attached()
    assert max(await long_tasks(page, f"code of {characters:,} characters is coloured"), default=0) < LONGEST


@pytest.mark.soak
async def test_the_first_code_gets_its_colours_without_holding_up_a_press(
    page: Page, start: Start, tmp_path: Path
) -> None:
    await start(record(tmp_path, "code", [f"{PYTHON}\n{HTML}\n{YAML}"]))
    await slowed(page)
    await page.reload()
    await ask(page, "Show me.")
    await expect(answer(page).locator(".hl-comment")).to_have_text("# blue")
    assert max(await long_tasks(page, "code in three languages is coloured"), default=0) < LONGEST
