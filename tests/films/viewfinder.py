"""docs/viewfinder.webp: the camera is opened, a tap on its picture asks what it shows, and the answer comes.

The embedded model answers, without a network. The camera sees a sign that is drawn here.
"""

import asyncio
from pathlib import Path

import pytest
from PIL import Image, ImageDraw, ImageFont
from playwright.async_api import Browser, expect

from tests.browser.test_camera import live, video
from tests.browser.test_page import ended
from tests.films.film import PHONE, film
from tests.servers.chromium import tab
from tests.servers.wondercam import WonderCam

BACK_CAMERA = """
const settings = MediaStreamTrack.prototype.getSettings;
MediaStreamTrack.prototype.getSettings = function () {
  return { ...settings.call(this), facingMode: "environment" };
};
"""
"""Chromium's camera has no side; the page shows one that does not look away from its user as a mirror."""

SIGN = [("GATE 42", "#0b2b22"), ("CLOSED", "#a30f0f"), ("USE GATE 44", "#0b2b22")]
BRICK = (80, 36)


def scene() -> Image.Image:
    """A sign on a wall of bricks."""
    image = Image.new("RGB", (1280, 720), "#5d2c22")
    draw = ImageDraw.Draw(image)
    width, height = BRICK
    for row in range(image.height // height + 1):
        for column in range(-1, image.width // width + 1):
            x, y = column * width + row % 2 * width // 2, row * height
            draw.rectangle((x + 2, y + 2, x + width - 3, y + height - 3), f"#{150 + (column * 7 + row * 5) % 20:x}5442")
    draw.rounded_rectangle((470, 180, 810, 500), 14, "#fffdf4", "#0b2b22", 4)
    for line, (text, colour) in enumerate(SIGN):
        draw.text((640, 250 + 90 * line), text, colour, ImageFont.load_default(46), anchor="mm", stroke_width=1)
    return image


@pytest.fixture
def chromium_flags(tmp_path: Path) -> list[str]:
    """A camera that sees the sign, and a reader who allows it."""
    file = tmp_path / "scene.y4m"
    file.write_bytes(video(scene()))
    fake = ["--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream"]
    return [*fake, f"--use-file-for-fake-video-capture={file}"]


@pytest.mark.timeout(300)
async def test_a_tap_asks_what_the_camera_shows(shared_server: WonderCam, chromium: Browser) -> None:
    async with tab(chromium, **PHONE) as page:
        await page.add_init_script(BACK_CAMERA)
        await page.goto(shared_server.url)
        async with film(page, "viewfinder") as shown:
            shown.say("Open the camera, …")
            await asyncio.sleep(1.5)
            await page.get_by_role("button", name="Open the camera").tap()
            await live(page)
            await asyncio.sleep(1)
            shown.say("… type or say a question, or tap the picture, …")
            await asyncio.sleep(1)
            await page.locator("#camera video").tap()
            await expect(page.locator("article[data-role=model]")).to_be_visible()
            shown.say("… and it is answered, here without any network.")
            await ended(page, "complete")
            await asyncio.sleep(1)
