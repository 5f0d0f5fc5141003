"""Scrolling while an answer grows: the page stays at the end, until its reader looks back."""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, ViewportSize, expect

from tests.browser.recorded import record
from tests.browser.test_page import answer, ask, ended
from tests.servers.chromium import tab
from tests.servers.wondercam import Serve

PHONE: ViewportSize = {"width": 390, "height": 500}
STILL = """() => {
    const { scrollTop } = document.getElementById("viewport");
    window.frames_still = scrollTop === window.last_place ? (window.frames_still ?? 0) + 1 : 0;
    window.last_place = scrollTop;
    return window.frames_still > 10;
}"""
"""Called in each frame: whether the view has stood still for ten, as a finger's push goes on for a while."""


async def drag(page: Page) -> None:
    """A finger on the text goes down by 200 px."""
    cdp = await page.context.new_cdp_session(page)
    await cdp.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [{"x": 190, "y": 100}]})
    for y in range(110, 310, 20):
        await cdp.send("Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": [{"x": 190, "y": y}]})
    await cdp.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})


async def wheel(page: Page) -> None:
    """A trackpad's small steps."""
    await page.mouse.move(190, 200)
    for _ in range(10):
        await page.mouse.wheel(0, -6)


@pytest.mark.parametrize("look_back", [drag, wheel])
async def test_a_reader_who_looks_back_is_left_alone_and_can_jump_to_the_end(
    chromium: Browser, serve: Serve, tmp_path: Path, look_back: Callable[[Page], Awaitable[None]]
) -> None:
    server = serve(record(tmp_path, "lines", [f"Line {n}.\n\n" for n in range(3000)], 10_000))
    touch = look_back is drag
    context = await chromium.new_context(viewport=PHONE, has_touch=touch, is_mobile=touch)
    page = await context.new_page()
    await page.goto(server.url)
    await page.get_by_label("Your message").fill("Tell me everything.")
    await page.get_by_role("button", name="Send").click()
    await expect(answer(page)).to_contain_text("Line 60.")
    await look_back(page)
    await expect(page.locator("#latest")).to_be_visible()
    await page.wait_for_function(STILL)
    place = "viewport => viewport.scrollTop"
    before = await page.locator("#viewport").evaluate(place)
    shown = (await answer(page).locator("[data-part=text]").inner_text()).count("Line")
    await expect(answer(page)).to_contain_text(f"Line {shown + 60}.")
    assert abs(await page.locator("#viewport").evaluate(place) - before) < 60
    await page.locator("#latest").click()
    await expect(page.locator("#latest")).to_be_hidden()
    await context.close()


ADD = """(article, tag) => {
  const part = document.createElement(tag);
  part.textContent = "One line.\\n".repeat(20);
  part.style = "display: block; block-size: 60px; overflow: auto; position: fixed; inset: 100px auto auto 60px";
  article.append(part);
  part.scrollTop = 80;
}"""
"""A part of the answer that is in view, whatever has grown."""


async def zoom(page: Page) -> None:
    """What a trackpad's two fingers send, and Ctrl with the wheel; without a window Chromium would scroll by these."""
    await answer(page).dispatch_event("wheel", {"deltaY": -6, "ctrlKey": True, "bubbles": True})


async def pinch(page: Page) -> None:
    """Two fingers on the text meet: the first one goes down."""
    await answer(page).evaluate("""article => {
      const at = (identifier, clientY) => new Touch({ identifier, target: article, clientX: 190, clientY });
      const tell = (type, touches) => article.dispatchEvent(new TouchEvent(type, { touches, bubbles: true }));
      tell("touchstart", [at(0, 100), at(1, 300)]);
      for (const y of [120, 140, 160]) tell("touchmove", [at(0, y), at(1, 400 - y)]);
      tell("touchend", []);
    }""")


async def write_a_reason(page: Page) -> None:
    """Keys that move in a field."""
    await answer(page).evaluate(ADD, "textarea")
    await answer(page).locator("textarea").focus()
    for key in ("ArrowUp", "PageUp", "Home", "Shift+Space"):
        await page.keyboard.press(key)


async def read_code(page: Page) -> None:
    """The wheel scrolls what is below it, which has not come to its beginning."""
    await answer(page).evaluate(ADD, "pre")
    await page.mouse.move(90, 120)
    await page.mouse.wheel(0, -6)


@pytest.mark.parametrize("act", [zoom, pinch, write_a_reason, read_code])
async def test_a_reader_who_does_something_else_still_follows_the_answer(
    chromium: Browser, serve: Serve, tmp_path: Path, act: Callable[[Page], Awaitable[None]]
) -> None:
    server = serve(record(tmp_path, "lines", [f"Line {n}.\n\n" for n in range(1500)], 10_000))
    async with tab(chromium, viewport=PHONE) as page:
        await page.goto(server.url)
        await page.get_by_label("Your message").fill("Tell me everything.")
        await page.get_by_role("button", name="Send").click()
        await expect(answer(page)).to_contain_text("Line 60.")
        await act(page)
        shown = (await answer(page).locator("[data-part=text]").inner_text()).count("Line")
        await expect(answer(page)).to_contain_text(f"Line {shown + 60}.")
        await expect(page.locator("#latest")).to_be_hidden(timeout=1)


@pytest_asyncio.fixture(loop_scope="session")
async def read_to_its_end(chromium: Browser, serve: Serve, tmp_path: Path) -> AsyncIterator[Page]:
    """A page on a phone, at the end of an answer that is longer than it."""
    server = serve(record(tmp_path, "lines", [f"Line {n}.\n\n" for n in range(40)], 1_000))
    async with tab(chromium, viewport=PHONE) as page:
        await page.goto(server.url)
        await ask(page, "Tell me everything.")
        await ended(page, "complete")
        await page.wait_for_function(STILL)
        yield page


CLAMPED = """async () => {
    const viewport = document.getElementById("viewport");
    const frames = async (left) => { while (left--) await new Promise(requestAnimationFrame); };
    const box = document.createElement("div");
    box.style.height = "2000px";
    document.getElementById("transcript").append(box);
    await frames(3);
    box.style.height = "100px";
    void viewport.scrollTop;
    box.style.height = "3000px";
    await frames(3);
    return viewport.scrollHeight - viewport.clientHeight - viewport.scrollTop;
}"""
"""How far the view is from the end, after what is shown has shrunk and grown within one frame."""


async def test_what_shrinks_and_grows_at_once_is_no_look_back(read_to_its_end: Page) -> None:
    """As where a photo is lower than the place that was kept for it, and what was drawn over it comes with it."""
    assert await read_to_its_end.evaluate(CLAMPED) <= 4


GRABBED = """async () => {
    const viewport = document.getElementById("viewport");
    const { left, top } = viewport.getBoundingClientRect();
    const at = { clientX: left + viewport.clientWidth + 5, clientY: top + 9, bubbles: true };
    viewport.dispatchEvent(new PointerEvent("pointerdown", at));
    viewport.querySelector("article:last-of-type").style.paddingBottom = "500px";
    for (let left = 3; left; left--) await new Promise(requestAnimationFrame);
    return viewport.scrollHeight - viewport.clientHeight - viewport.scrollTop;
}"""
"""How far the view is from the end, after its scrollbar was taken, at a place where Playwright's browsers hide it."""


async def test_whoever_takes_the_scrollbar_is_left_where_they_are(read_to_its_end: Page) -> None:
    assert await read_to_its_end.evaluate(GRABBED) >= 500
