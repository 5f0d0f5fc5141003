"""From the end of speech to the first word that is painted: for `make soak` on a quiet machine."""

import pytest
from playwright.async_api import Page

from tests.browser.test_camera import DESKTOP, HELLO, live, page
from tests.browser.test_page import Start, ended, start
from tests.browser.test_voice import SERVICES, chromium_flags, hears, listening

__all__ = ["chromium_flags", "page", "start"]

AT_ONCE = {**HELLO, "WONDERCAM_RECORDING_SPEED": "0"}
"""A model whose own time is none."""
MOST_MS = 300
ROUNDS = 5

WATCH = """
window.ends = []; window.words = [];
const stop = window.SpeechRecognition.prototype.stop;
window.SpeechRecognition.prototype.stop = function () { window.ends.push(performance.now()); stop.call(this); };
new MutationObserver(() => {
    const newest = [...document.querySelectorAll("article[data-role=model] [data-part=text]")].at(-1);
    if (!newest?.textContent.trim() || window.words.length >= window.ends.length) return;
    if (newest.closest("article").dataset.counted) return;
    newest.closest("article").dataset.counted = "yes";
    requestAnimationFrame(() => setTimeout(() => window.words.push(performance.now()))); // it is painted by then
}).observe(document, { subtree: true, childList: true, characterData: true });
"""


@pytest.mark.parametrize("page", [DESKTOP], indirect=True, ids=["desktop"])
async def test_the_first_word_is_painted_soon_after_speech_has_ended(page: Page, start: Start) -> None:
    await page.add_init_script(SERVICES)
    await page.add_init_script(WATCH)
    await page.add_init_script('localStorage.setItem("voice", JSON.stringify({ isAllowed: true }))')
    await start(AT_ONCE)
    await page.get_by_role("button", name="Open the camera").click()
    await live(page)
    for number in range(1, ROUNDS + 1):
        await page.get_by_role("button", name="Speak").press("Enter")
        await listening(page, number)
        await hears(page, f"what is this, number {number}")
        await page.wait_for_function("count => window.words.length >= count", arg=number)
        await ended(page, "complete")
    took = await page.evaluate("window.words.map((word, at) => word - window.ends[at])")
    print("end of speech to the first word, ms:", [round(each) for each in took])
    assert sorted(took)[ROUNDS // 2] <= MOST_MS
