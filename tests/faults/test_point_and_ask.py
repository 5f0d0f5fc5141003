"""An hour of pointing and asking, by a clock that is moved: nothing is stored that was not sent, and memory stays flat.

Others end such a session after minutes; here each question is a turn of its own. Between two questions the page's clock
goes on by the hour's share, so that every timer, refresh and watchdog of the page gets its time. WONDERCAM_TEST_SOAK=1
asks every ten seconds of the hour, otherwise every twelve minutes.
"""

import sqlite3
from contextlib import closing

import pytest
from playwright.async_api import CDPSession, Page, expect

from tests.browser.test_camera import DESKTOP, HELLO, ask, chromium_flags, open_camera, page
from tests.browser.test_page import Start, ended, start
from tests.servers.wondercam import WonderCam
from tests.soak import SOAK

__all__ = ["chromium_flags", "page", "start"]

HOUR = 3600
QUESTIONS = 360 if SOAK else 5
WARM = 2
"""Questions after which everything is loaded that a question needs."""
GROWTH = 250_000
"""Bytes that the page's scripts may hold more for each question: its messages (18,000; 60,000 of the first few), and no
frame's pixels (307,200)."""
AT_ONCE = {**HELLO, "WONDERCAM_RECORDING_SPEED": "0"}


async def heap(session: CDPSession) -> float:
    """Bytes that the page's scripts hold, after the garbage is gone."""
    await session.send("HeapProfiler.collectGarbage")
    return float((await session.send("Runtime.getHeapUsage"))["usedSize"])


def stored(server: WonderCam) -> list[tuple[int, int]]:
    """Of the photos that the server keeps: how many there are, and of how many conversations."""
    with closing(sqlite3.connect(server.data_dir / "wondercam.sqlite3")) as database:
        return database.execute("SELECT count(*), count(DISTINCT conversation_id) FROM chat_attachment").fetchall()


@pytest.mark.soak
@pytest.mark.timeout(7200 if SOAK else 600)
@pytest.mark.parametrize("page", [DESKTOP], indirect=True, ids=["desktop"])
async def test_an_hour_of_pointing_and_asking_stores_what_was_sent_and_keeps_no_frame(page: Page, start: Start) -> None:
    await page.clock.install()
    server = await start(AT_ONCE)
    session = await page.context.new_cdp_session(page)
    await open_camera(page)
    warm = 0.0
    for number in range(1, QUESTIONS + 1):
        await page.clock.fast_forward(HOUR * 1000 // QUESTIONS)
        await ask(page, f"What is this, for the {number}th time?")
        await expect(page.locator("article[data-role=user]")).to_have_count(number)
        await ended(page, "complete")
        assert stored(server) == [(number, 1)]
        if number == WARM:
            warm = await heap(session)
    assert (await heap(session) - warm) / (QUESTIONS - WARM) < GROWTH
    assert await page.evaluate("window.track.readyState") == "live"
    await page.get_by_label("Close the camera").click()
    await page.clock.fast_forward(HOUR * 1000)
    assert stored(server) == [(QUESTIONS, 1)]
