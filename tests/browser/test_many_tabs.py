"""Many tabs in view of one browser, which opens six connections to a server (HTTP/1.1): questions find a free one."""

import pytest
from playwright.async_api import Page, Request, expect

from tests.browser.test_page import Start, answer, ask, assert_equal_everywhere, ended, grown_to, letters, model, start
from tests.faults.arena import environment
from tests.faults.upstream import Model, Script

__all__ = ["model", "start"]

HELD = "words=40 hold=20 seed={seed}"
"""A question to the script, whose answer stays in its middle until it is let."""
HALF = 60
"""Characters that the first half of such an answer has at least."""


class Lines:
    """The answers that tabs read at this moment, by a connection that stays."""

    def __init__(self) -> None:
        self.open: set[Request] = set()
        self.began: list[Request] = []

    def watch(self, page: Page) -> None:
        """Count those of this tab, too."""
        page.on("request", self._begin)
        page.on("requestfinished", self._end)
        page.on("requestfailed", self._end)

    def _begin(self, request: Request) -> None:
        is_answer = "/v2/echat" in request.url or "/v2/streams/" in request.url
        if is_answer and "poll=1" not in request.url and not request.url.endswith(("/stop", "/receipt")):
            self.open.add(request)
            self.began.append(request)

    def _end(self, request: Request) -> None:
        self.open.discard(request)


async def beside(page: Page, url: str, lines: Lines) -> Page:
    """One more tab in view of the same browser."""
    tab = await page.context.new_page()
    lines.watch(tab)
    await tab.goto(url)
    return tab


@pytest.mark.parametrize("count", [6, pytest.param(12, marks=pytest.mark.soak)])
async def test_tabs_that_are_answered_leave_connections_free_for_a_question_and_a_stop(
    page: Page, start: Start, model: Model, count: int
) -> None:
    server = await start(environment(model.url))
    lines = Lines()
    lines.watch(page)
    await ask(page, HELD.format(seed=0))
    await grown_to(page, HALF)
    tabs = [page]
    for seed in range(1, count):
        tab = await beside(page, server.url, lines)
        await ask(tab, HELD.format(seed=seed))
        await grown_to(tab, HALF)
        tabs.append(tab)
    assert len(lines.open) <= 4
    for tab in (tabs[-1], tabs[0]):
        async with tab.expect_response(lambda response: response.url.endswith("/stop")):
            await tab.get_by_label("Stop the answer").click()
        await ended(tab, "stopped")
    model.let()
    for seed, tab in enumerate(tabs[1:-1], 1):
        await ended(tab, "complete")
        shown = await answer(tab).locator("[data-part=text]").inner_text()
        assert letters(shown).endswith(letters(Script(seed=seed, words=40).said()[-1]))


async def test_tabs_that_show_one_answer_read_it_by_one_connection_that_passes_on(
    page: Page, start: Start, model: Model
) -> None:
    server = await start(environment(model.url))
    lines = Lines()
    lines.watch(page)
    await ask(page, HELD.format(seed=0))
    await grown_to(page, HALF)
    others = [await beside(page, page.url, lines) for _ in range(2)]
    for tab in others:
        await grown_to(tab, HALF)
    assert len(lines.began) == 1
    model.let(10)
    word = letters(Script(words=40).said()[29])
    for tab in [page, *others]:
        await expect(answer(tab).locator("[data-part=text]")).to_contain_text(word)
    await page.goto(server.url)  # the tab that read it goes
    model.let()
    for tab in others:
        await ended(tab, "complete")
        await assert_equal_everywhere(tab, server)
    assert len(lines.began) == 2
