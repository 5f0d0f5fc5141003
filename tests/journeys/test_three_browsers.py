"""Three browsers side by side live one conversation: through a cut line, a killed worker, a queue and a change of mind.

`WONDERCAM_TEST_SCREENSHOTS=<folder>` keeps a picture of all three for each scene.
"""

import asyncio
import io
import os
import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from itertools import count
from pathlib import Path

from PIL import Image
from playwright.async_api import Browser, Page, expect

from tests.browser.test_page import Line, ask, copied, grown_to, token_of
from tests.browser.test_queue import answered, shown
from tests.equality import equal, query
from tests.faults.arena import environment, until
from tests.faults.upstream import Model, Script, upstream
from tests.servers.chromium import tab
from tests.servers.wondercam import Serve, WonderCam

SCREENSHOTS = os.environ.get("WONDERCAM_TEST_SCREENSHOTS")
WINDOW = {"viewport": {"width": 640, "height": 720}}
FIRST, SECOND, THIRD = "seed=1 words=60 hold=20", "seed=2 words=3 then=stall", "seed=3 words=5"
BEGUN, GROWN = 40, 90
"""Characters of the first answer: what is there before it is held back, and with ten words more."""


class Browsers:
    """Three of one person's, on the same conversation."""

    def __init__(self, pages: list[Page]) -> None:
        self.pages = pages
        self._scenes = count(1)

    async def scene(self, name: str) -> None:
        """Keep a picture of all three, if somebody wants to watch."""
        if not SCREENSHOTS:
            return
        pictures = [Image.open(io.BytesIO(await page.screenshot())) for page in self.pages]
        wide = Image.new("RGB", (sum(each.width for each in pictures), pictures[0].height))
        for place, each in enumerate(pictures):
            wide.paste(each, (place * each.width, 0))
        folder = Path(SCREENSHOTS)
        folder.mkdir(parents=True, exist_ok=True)
        wide.save(folder / f"three-browsers-{next(self._scenes):02} {name}.png")

    async def show(self, *statuses: str) -> None:
        """Each shows answers with these ends."""
        await answered(self.pages, len(statuses), statuses[-1])
        for page in self.pages:
            for place, status in enumerate(statuses):
                await expect(page.locator("article[data-role=model]").nth(place)).to_have_attribute(
                    "data-status", status
                )

    async def grow_to(self, length: int) -> None:
        """Each shows so much of the newest answer."""
        await asyncio.gather(*(grown_to(page, length) for page in self.pages))


@asynccontextmanager
async def three(chromium: Browser, server: WonderCam, line: Line) -> AsyncIterator[Browsers]:
    """One asks; the second is another device; the third comes by a line that may be cut."""
    async with AsyncExitStack() as stack:
        first = await stack.enter_async_context(tab(chromium, **WINDOW))
        await first.goto(server.url)
        await ask(first, FIRST)
        await grown_to(first, BEGUN)
        state = await first.context.storage_state()
        others = [await stack.enter_async_context(tab(chromium, **WINDOW, storage_state=state)) for _ in range(2)]
        for page, url in zip(others, (server.url, line.url), strict=True):
            await page.goto(first.url.replace(server.url, url))
        yield Browsers([first, *others])


async def kill_its_worker(server: WonderCam, stream: str) -> None:
    """SIGKILL to the worker that writes the stream, until another one does."""
    writer = query(server, "SELECT worker FROM chat_stream WHERE id = ?", stream)[0][0]
    os.kill(int(writer.rsplit(":", 2)[1]), signal.SIGKILL)
    await until(
        lambda: query(server, "SELECT epoch FROM chat_stream WHERE id = ?", stream) == [(2,)],
        "another worker goes on with the answer",
    )


async def test_three_browsers_live_one_conversation_through_a_cut_a_kill_a_queue_and_a_change_of_mind(
    chromium: Browser, serve: Serve
) -> None:
    async with upstream() as model:
        env = {**environment(model.url), "WONDERCAM_CONTINUE": "all"}
        server = await asyncio.to_thread(serve, env, 2)
        async with Line(server.port) as line, three(chromium, server, line) as browsers:
            await live(browsers, server, line, model)


async def live(browsers: Browsers, server: WonderCam, line: Line, model: Model) -> None:
    """The scenes, one after the other."""
    first, second, third = browsers.pages
    await browsers.grow_to(BEGUN)
    await browsers.scene("all three see the answer grow")

    await ask(second, SECOND)
    await shown(browsers.pages, SECOND)
    await ask(third, THIRD)
    await shown(browsers.pages, SECOND, THIRD)
    await browsers.scene("two messages wait, one from each of the others")

    line.cut()
    model.let(10)
    await browsers.grow_to(GROWN)
    await browsers.scene("the third has come back over its line")

    stream = str(await first.locator("article[data-role=model]").get_attribute("data-stream"))
    await kill_its_worker(server, stream)
    await browsers.scene("the worker was killed, another one goes on")
    model.let()
    await browsers.show("complete", "running")
    await shown(browsers.pages, THIRD)
    await browsers.scene("the first answer is whole, and the next message was sent")

    await grown_to(first, len(Script.of(SECOND).text) // 2)
    await first.locator("#queue").get_by_role("button", name="Send now").click()
    await browsers.show("complete", "stopped", "complete")
    await shown(browsers.pages)
    await browsers.scene("the last message was sent in place of what ran")

    await are_equal(browsers, server)
    assert len(model.asked) == 4, "each question once, and the first again after the kill"


async def are_equal(browsers: Browsers, server: WonderCam) -> None:
    """All three show the same, byte for byte, which is what is stored and what every other reader gets."""
    texts = [await page.locator("article [data-part=text]").all_text_contents() for page in browsers.pages]
    assert texts[1] == texts[0]
    assert texts[2] == texts[0]
    token = await token_of(browsers.pages[0])
    answers = browsers.pages[0].locator("article[data-role=model]")
    streams = [str(await answers.nth(place).get_attribute("data-stream")) for place in range(3)]
    said = [await equal(server, token, stream, replay=False) for stream in streams]
    assert said == [Script.of(question).text for question in (FIRST, SECOND, THIRD)]
    for page in browsers.pages:
        await page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        await page.bring_to_front()
        assert await copied(page) == said[-1]
