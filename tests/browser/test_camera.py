"""The camera in the page: what it shows, what is taken from it and sent, and when its light goes out."""

from collections.abc import Sequence
from typing import Any

import pytest
import pytest_asyncio
from PIL import Image
from playwright.async_api import Browser, Page, Request, expect

from tests.browser.test_page import HELLO, SLOW, Start, ended, grown_to, start
from tests.servers.chromium import tab

__all__ = ["HELLO", "SLOW", "start"]

SIZE = (320, 240)
LEFT, RIGHT = (220, 30, 30), (30, 30, 220)
PHONE: dict[str, Any] = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
DESKTOP: dict[str, Any] = {"viewport": {"width": 1280, "height": 800}}


def scene() -> Image.Image:
    """What stands before the camera: red on the left, blue on the right."""
    image = Image.new("RGB", SIZE, LEFT)
    image.paste(RIGHT, (SIZE[0] // 2, 0, *SIZE))
    return image


def video(image: Image.Image) -> bytes:
    """A still as a Y4M file (https://wiki.multimedia.cx/index.php/YUV4MPEG2), which Chromium takes for a camera."""
    luma, blue, red = image.convert("YCbCr").split()
    half = (image.width // 2, image.height // 2)
    frame = b"FRAME\n" + b"".join(plane.tobytes() for plane in (luma, blue.resize(half), red.resize(half)))
    return f"YUV4MPEG2 W{image.width} H{image.height} F20:1 Ip A1:1 C420jpeg\n".encode() + frame * 2


@pytest.fixture(scope="session")
def chromium_flags(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """A camera that sees the scene, and a reader who allows it."""
    file = tmp_path_factory.mktemp("camera") / "scene.y4m"
    file.write_bytes(video(scene()))
    return [
        "--use-fake-ui-for-media-stream",
        "--use-fake-device-for-media-stream",
        f"--use-file-for-fake-video-capture={file}",
    ]


@pytest_asyncio.fixture(loop_scope="session", params=[PHONE, DESKTOP], ids=["phone", "desktop"])
async def page(request: pytest.FixtureRequest, chromium: Browser) -> Any:
    """A tab at a phone's size and at a desktop's."""
    async with tab(chromium, **request.param) as page:
        yield page


def posts(page: Page) -> list[str]:
    """The paths that are posted to from now on; grows."""
    found: list[str] = []

    def sent(request: Request) -> None:
        if request.method == "POST":
            found.append("/" + request.url.split("/", 3)[3])

    page.on("request", sent)
    return found


async def live(page: Page) -> None:
    """The viewfinder shows its picture."""
    await expect(page.locator("#camera")).to_have_attribute("data-state", "live")


async def open_camera(page: Page) -> None:
    """By the large control of the empty page; the track is kept where the test can look at it."""
    await page.get_by_role("button", name="Open the camera").click()
    await live(page)
    await page.evaluate("window.track = document.querySelector('#camera video').srcObject.getTracks()[0]")


async def ask(page: Page, question: str) -> None:
    """Type and send, by the button: a phone's Enter starts a line."""
    await page.locator("#question").fill(question)
    await page.locator("[data-part=send]").click()  # by its role it would be looked for among all messages' buttons


async def light(page: Page) -> str:
    """Whether the camera's light is on: `live` or `ended`."""
    return str(await page.evaluate("window.track.readyState"))


async def colours(page: Page, selector: str) -> Sequence[Sequence[int]]:
    """The colours of a picture at its left and right edge."""
    found: Sequence[Sequence[int]] = await page.locator(selector).evaluate("""async (image) => {
        const next = () => new Promise(requestAnimationFrame);
        const decoded = () => image.src && image.decode().then(() => true, () => false);
        while (!(await decoded())) await next(); // it has no picture yet, or gets another
        const canvas = new OffscreenCanvas(image.naturalWidth, image.naturalHeight);
        const context = canvas.getContext("2d");
        context.drawImage(image, 0, 0);
        const at = (x) => [...context.getImageData(x, canvas.height >> 1, 1, 1).data].slice(0, 3);
        return [at(2), at(canvas.width - 3)];
    }""")
    return found


def near(found: Sequence[int], colour: Sequence[int]) -> bool:
    """Whether a colour is that one, as a camera and a JPEG leave it."""
    return all(abs(one - other) < 50 for one, other in zip(found, colour, strict=True))


async def test_from_a_cold_page_to_a_photographed_question_in_two_taps(page: Page, start: Start) -> None:
    await start(HELLO)
    assert await page.evaluate("document.querySelector('#camera video').srcObject") is None
    sent = posts(page)
    await page.get_by_role("button", name="Open the camera").click()
    await page.get_by_role("button", name="What is this?").click()
    await ended(page, "complete")
    await expect(page.locator("article[data-role=user]")).to_contain_text("What is this?")
    await expect(page.locator("article[data-role=user] img")).to_have_count(1)
    assert sent.count("/v2/attachments") == 1
    await live(page)


async def test_nothing_leaves_the_page_until_a_question_is_asked(page: Page, start: Start) -> None:
    await start(HELLO)
    sent = posts(page)
    await open_camera(page)
    await page.get_by_role("button", name="Send").click()  # an empty box asks nothing
    await page.get_by_label("Take a photo").focus()
    drafts = page.locator("#previews li")
    for key in ("Space", "Enter"):
        await page.keyboard.press(key)
        await expect(drafts).to_have_count(1 if key == "Space" else 2)
    await page.get_by_label("Take a photo").click()
    await expect(drafts).to_have_count(3)
    await page.get_by_role("button", name="Retake").click()
    await expect(drafts).to_have_count(2)
    await expect(page.locator("#announcer")).to_have_text("Photo removed. Take another.")
    await page.get_by_label("Close the camera").click()
    assert sent == []
    await ask(page, "Which of the two?")
    await ended(page, "complete")
    assert sent.count("/v2/attachments") == 2
    await expect(page.locator("article[data-role=user] img")).to_have_count(2)
    await expect(drafts).to_have_count(0)


async def test_each_question_takes_the_frame_of_its_own_moment(page: Page, start: Start) -> None:
    await start(HELLO)
    await open_camera(page)
    sent = posts(page)
    for count in (1, 2):
        await ask(page, "And now?")
        await expect(page.locator("article[data-role=user]")).to_have_count(count)
        await ended(page, "complete")
    await expect(page.locator("article[data-role=user] img")).to_have_count(2)
    assert sent.count("/v2/attachments") == 2
    await page.get_by_label("Close the camera").click()
    await ask(page, "Without a photo?")
    await expect(page.locator("article[data-role=user]")).to_have_count(3)
    await ended(page, "complete")
    assert sent.count("/v2/attachments") == 2


async def test_the_front_camera_is_a_mirror_and_its_photo_is_not(page: Page, start: Start) -> None:
    await start(HELLO)
    await open_camera(page)
    transform = "getComputedStyle(document.querySelector('#camera video')).transform"
    assert await page.evaluate(transform) == "matrix(-1, 0, 0, 1, 0, 0)"
    await page.get_by_label("Take a photo").click()
    left, right = await colours(page, "#previews img")
    assert near(left, LEFT)
    assert near(right, RIGHT)


async def test_a_tap_during_the_answer_stops_it_and_what_was_written_stays(page: Page, start: Start) -> None:
    await start(SLOW)
    await open_camera(page)
    picture = page.get_by_role("button", name="What is this?")
    await picture.click()
    await grown_to(page, 20)
    await picture.click()
    await ended(page, "stopped")
    assert len(await page.locator("article[data-role=model] .text").inner_text()) >= 20
    await expect(page.locator("article[data-role=user]")).to_have_count(1)


HIDE = """hidden => {
    Object.defineProperty(document, "hidden", { configurable: true, get: () => hidden });
    document.dispatchEvent(new Event("visibilitychange"));
}"""


async def test_the_light_goes_out_on_closing_hiding_and_leaving_and_comes_back_only_when_asked(
    page: Page, start: Start
) -> None:
    await start(HELLO)
    await open_camera(page)
    assert await light(page) == "live"
    await page.keyboard.press("Escape")
    await expect(page.locator("#camera")).to_be_hidden()
    assert await light(page) == "ended"

    await open_camera(page)
    await page.evaluate(HIDE, True)
    assert await light(page) == "ended"
    await page.evaluate(HIDE, False)
    await expect(page.locator("#camera")).to_have_attribute("data-state", "paused")
    await expect(page.get_by_text("switched off while you were away")).to_be_visible()

    await page.locator("#camera").get_by_role("button", name="Open the camera").click()
    await live(page)
    await page.evaluate("window.track = document.querySelector('#camera video').srcObject.getTracks()[0]")
    await page.evaluate("dispatchEvent(new PageTransitionEvent('pagehide'))")
    assert await light(page) == "ended"


async def test_the_picture_fits_the_page_and_every_control_a_finger(page: Page, start: Start) -> None:
    await start(HELLO)
    await open_camera(page)
    await page.keyboard.press("Space")
    await ask(page, "What is this?")
    await ended(page, "complete")
    small = await page.locator("#camera").evaluate("""camera => [...camera.querySelectorAll("button, select, label")]
        .filter((control) => control.checkVisibility())
        .filter((control) => control.offsetWidth < 44 || control.offsetHeight < 44)
        .map((control) => control.outerHTML)""")
    assert small == []
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    await expect(page.get_by_label("Your message")).to_be_in_viewport(ratio=1)
    await expect(page.get_by_label("Take a photo")).to_be_in_viewport(ratio=1)
    await expect(page.locator("article[data-role=model] .text")).to_be_in_viewport()
