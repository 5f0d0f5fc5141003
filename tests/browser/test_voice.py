"""Talking with the page: asked aloud, read aloud, interrupted.

Headless Chromium has neither a speech service nor voices: they are given to it here. The microphone, its level and the
page are real.
"""

import array
import asyncio
import base64
import io
import math
import re
import wave

import pytest
from playwright.async_api import Page, expect

from tests.browser.test_camera import DESKTOP, HELLO, PHONE, SLOW, live, page, posts
from tests.browser.test_page import HELD, Start, ended, grown_to, model, start
from tests.fakes import gemini
from tests.fakes.server import Server
from tests.faults.arena import environment
from tests.faults.upstream import Model
from tests.servers.wondercam import Serve

__all__ = ["DESKTOP", "PHONE", "model", "page", "start"]

RATE = 48_000
SILENT_FOR, SPEECH_FOR, PAUSE_FOR = 1.5, 1.0, 6.0
"""Seconds of the sound before the microphone, over and over: silence, speech, and a pause in which an answer grows."""

SERVICES = """
window.recognisers = []; window.spoken = []; window.silenced = [];
class Recogniser {
    constructor() { window.recognisers.push(this); }
    start() { this.isStarted = true; }
    stop() { if (this.isStarted) this.onend(); }
    abort() { this.onerror({ error: "aborted" }); this.onend(); }
    hears(transcript) { this.onresult({ results: [[{ transcript }]] }); }
}
window.SpeechRecognition = window.webkitSpeechRecognition = Recogniser;
Object.defineProperty(window, "speechSynthesis", { value: {
    getVoices: () => [],
    speak: ({ text }) => window.spoken.push(text),
    cancel: () => window.silenced.push(performance.now()),
} });
"""


def speech(seconds: float) -> list[float]:
    """A voice's sound as far as its level goes: harmonics of 140 Hz, four syllables a second."""
    return [
        0.5
        * (0.55 - 0.45 * math.cos(2 * math.pi * 4 * at / RATE))
        * sum(math.sin(2 * math.pi * 140 * part * at / RATE) / part for part in (1, 2, 3, 5, 8))
        / 2
        for at in range(int(seconds * RATE))
    ]


@pytest.fixture(scope="session")
def chromium_flags(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """A microphone that hears a person say something every few seconds."""
    path = tmp_path_factory.mktemp("microphone") / "speech.wav"
    silence, pause = ([0.0] * int(seconds * RATE) for seconds in (SILENT_FOR, PAUSE_FOR))
    sound = array.array("h", (int(32767 * one) for one in [*silence, *speech(SPEECH_FOR), *pause]))
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, RATE, len(sound), "NONE", ""))
        file.writeframes(sound.tobytes())
    return [
        "--use-fake-ui-for-media-stream",
        "--use-fake-device-for-media-stream",
        f"--use-file-for-fake-audio-capture={path}",
    ]


async def listening(page: Page, count: int = 1) -> None:
    """The recogniser of that number has started."""
    await page.wait_for_function(
        "count => window.recognisers.filter((one) => one.isStarted).length >= count", arg=count
    )


async def hears(page: Page, text: str) -> None:
    """The newest recogniser has understood that."""
    await page.evaluate("text => window.recognisers.at(-1).hears(text)", text)


async def test_a_question_is_spoken_and_its_answer_read_aloud(page: Page, start: Start) -> None:
    await page.add_init_script(SERVICES)
    await start(HELLO)
    sent = posts(page)
    await page.get_by_label("Voice:").click()
    await page.get_by_label("Read answers aloud").check()
    await page.get_by_role("button", name="Done").click()
    await page.get_by_role("button", name="Open the camera").click()
    await live(page)
    talk = page.get_by_role("button", name="Speak")
    await talk.press("Enter")  # a click on a busy machine may be as long as a press that is held
    await expect(page.get_by_text("Chrome to Google")).to_be_visible()
    await page.get_by_role("button", name="Allow it").click()
    await listening(page)
    await expect(page.locator("#announcer")).to_have_text("Listening…")
    await hears(page, "what is this")
    await expect(page.locator("#heard")).to_have_text("what is this")
    assert sent == []
    await ended(page, "complete")  # nobody has pressed anything: the end of speech was heard
    await expect(page.locator("article[data-role=user]")).to_contain_text("what is this")
    await expect(page.locator("article[data-role=user] img")).to_have_count(1)
    await expect(talk).to_have_attribute("aria-pressed", "false")
    text = await page.locator("article[data-role=model] [data-part=text]").inner_text()
    spoken = await page.evaluate("window.spoken")
    assert spoken
    assert " ".join(spoken).split()[:3] == text.split()[:3]

    await page.reload()
    await page.get_by_role("button", name="Speak").press("Enter")
    await listening(page)  # the consent is remembered


async def test_speaking_interrupts_the_voice_and_the_answer(page: Page, start: Start, model: Model) -> None:
    await page.add_init_script(SERVICES)
    await page.add_init_script(
        "localStorage.setItem('voice', JSON.stringify({ isAloud: true, isHandsFree: true, isAllowed: true }))"
    )
    await start(environment(model.url))
    await page.get_by_role("button", name="Speak").press("Enter")
    await listening(page)
    await hears(page, HELD)
    await grown_to(page, 20)
    await page.wait_for_function("() => window.spoken.length > 0")
    assert await page.evaluate("window.recognisers.length") == 1  # it does not listen to its own voice
    await ended(page, "stopped")  # somebody speaks again
    await listening(page, 2)
    assert len(await page.locator("article[data-role=model] [data-part=text]").inner_text()) >= 20
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("button", name="Speak")).to_have_attribute("data-state", "off")


async def test_escape_silences_the_voice_and_stops_the_answer(page: Page, start: Start) -> None:
    await page.add_init_script(SERVICES)
    await page.add_init_script("localStorage.setItem('voice', JSON.stringify({ isAloud: true }))")
    await start(SLOW)
    await page.get_by_label("Your message").fill("Why is the sky blue?")
    await page.get_by_role("button", name="Send").click()
    await page.wait_for_function("() => window.spoken.length > 0")
    before = await page.evaluate("window.silenced.length")
    await page.keyboard.press("Escape")
    await ended(page, "stopped")
    assert await page.evaluate("window.silenced.length") > before


async def test_consent_that_is_not_given_sends_no_sound_anywhere(page: Page, start: Start) -> None:
    await page.add_init_script(SERVICES)
    await start(HELLO)
    await page.get_by_role("button", name="Speak").press("Enter")
    await page.get_by_role("button", name="Type instead").click()
    await expect(page.get_by_role("button", name="Speak")).to_have_attribute("data-state", "off")
    assert await page.evaluate("window.recognisers.length") == 0


NO_RECOGNISER = "delete window.SpeechRecognition; delete window.webkitSpeechRecognition;"
STREAMS = """
window.streams = [];
const devices = navigator.mediaDevices, open = devices.getUserMedia.bind(devices);
devices.getUserMedia = async (wanted) => { const got = await open(wanted); window.streams.push(got); return got; };
"""
"""Keeps what was opened where the test can look at it."""
TRACKS = "() => window.streams.flatMap((one) => one.getAudioTracks()).map(({ readyState }) => readyState)"


@pytest.mark.parametrize("page", [DESKTOP], indirect=True)
async def test_without_a_recogniser_the_sound_goes_to_a_model_that_hears_with_what_the_camera_sees(
    page: Page, serve: Serve
) -> None:
    await page.add_init_script(NO_RECOGNISER + STREAMS)
    async with Server(gemini.play) as behind:
        deaf = {"OPENAI_BASE_URL": f"{behind.url}/v1", "WONDERCAM_MODELS": "openai/deaf,gemini/hello"}
        server = await asyncio.to_thread(serve, {"GEMINI_API_KEY": "k", "GEMINI_BASE_URL": behind.url, **deaf})
        await page.goto(server.url)
        sent = posts(page)
        talk = page.get_by_role("button", name="Speak")
        await talk.press("Enter")
        await expect(page.locator("#problem")).to_contain_text("this model cannot hear. Choose one that can")
        await page.get_by_label("Model").select_option("gemini/hello")
        await page.get_by_role("button", name="Open the camera").click()
        await live(page)
        await page.get_by_label("Your message").fill("half a thought")
        await talk.press("Enter")
        await ended(page, "complete")  # nobody has pressed anything: the end of speech was heard
        assert await page.evaluate(TRACKS) == ["ended"]  # the microphone's light is out
        await expect(page.get_by_label("Your message")).to_have_value("half a thought")
        assert sent.count("/v2/attachments") == 2
        asked = [request for request in behind.requests if request.body]
        sound, photo = asked[-1].json()["contents"][-1]["parts"]
        assert [part["inlineData"]["mimeType"] for part in (sound, photo)] == ["audio/wav", "image/jpeg"]
        with wave.open(io.BytesIO(base64.b64decode(sound["inlineData"]["data"]))) as heard:
            assert heard.getparams()[:3] == (1, 2, 16_000)
            assert heard.getnframes() > 4_800
        for _ in range(2):
            player = page.locator("article[data-role=user] audio")
            await expect(player).to_have_attribute("src", re.compile("^blob:"))
            await page.wait_for_function("() => document.querySelector('article audio').duration > 0.3")
            await page.reload()


async def test_without_a_recogniser_and_a_recorder_the_page_says_that_typing_is_left(page: Page, start: Start) -> None:
    await page.add_init_script(NO_RECOGNISER + "delete window.MediaRecorder")
    await start(HELLO)
    await page.get_by_role("button", name="Speak").press("Enter")
    await expect(page.locator("#problem")).to_contain_text("Type your question")
