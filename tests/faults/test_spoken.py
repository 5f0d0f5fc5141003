"""From the end of speech to the first word that is painted, and from a sound to the voice's silence: for `make soak` on
a quiet machine."""

import pytest
from playwright.async_api import Page

from tests.browser.test_camera import DESKTOP, HELLO, SLOW, live, page
from tests.browser.test_page import Start, ended, start
from tests.browser.test_voice import SERVICES, chromium_flags, hears, listening

pytestmark = pytest.mark.soak  # its bounds mean something on a quiet machine

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

ONSETS = """
window.onsets = [];
const open = MediaDevices.prototype.getUserMedia;
MediaDevices.prototype.getUserMedia = async function (wanted) {
    const stream = await open.call(this, wanted);
    if (wanted.audio) listen(stream);
    return stream;
};
function listen(stream) {
    const context = new AudioContext(), analyser = context.createAnalyser(), samples = new Float32Array(256);
    analyser.fftSize = samples.length;
    context.createMediaStreamSource(stream).connect(analyser);
    let loud = 0;
    setInterval(() => {
        analyser.getFloatTimeDomainData(samples);
        if (Math.hypot(...samples) / 16 < 0.005) return;
        if (performance.now() - loud > 1000) window.onsets.push(performance.now());
        loud = performance.now();
    }, 4);
}
"""
"""When sounds begin after a second of silence, by an analyser of the test's own: 5 ms of sound, each 4 ms."""


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


@pytest.mark.parametrize("page", [DESKTOP], indirect=True, ids=["desktop"])
async def test_a_sound_silences_the_voice_at_once(page: Page, start: Start) -> None:
    await page.add_init_script(SERVICES)
    await page.add_init_script(ONSETS)
    await page.add_init_script(
        "localStorage.setItem('voice', JSON.stringify({ isAloud: true, isHandsFree: true, isAllowed: true }))"
    )
    await start(SLOW)
    await page.get_by_role("button", name="Speak").press("Enter")
    took = []
    for number in range(1, ROUNDS + 1):
        await listening(page, number)
        said = await page.evaluate("window.spoken.length")
        await hears(page, f"why is the sky blue, number {number}")
        await page.wait_for_function("count => window.spoken.length > count", arg=said)
        await ended(page, "stopped")  # somebody speaks again
        took.append(
            await page.evaluate("window.silenced.find((at) => at > window.onsets.at(-1)) - window.onsets.at(-1)")
        )
    print("a sound to the silence of the voice, ms:", [round(each) for each in took])
    assert max(took) <= MOST_MS
