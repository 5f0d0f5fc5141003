"""Photos and a model that cannot see: what is said before sending, while they are read, and after."""

import importlib.util
import io

import pytest
from PIL import Image, ImageDraw, ImageFont
from playwright.async_api import FilePayload, Page, expect

from chat.providers.vision import sight
from chat.recognition import networks
from tests.browser.test_page import Start, answer, ask, assert_equal_everywhere, copied, ended, start
from tests.servers.wondercam import Serve

__all__ = ["start"]

EMBEDDED = {"WONDERCAM_MODELS": "local/smollm2-135m"}
needs_ocr = pytest.mark.skipif(
    not (all(map(importlib.util.find_spec, sight.NEEDED)) and networks.installed()),
    reason="the networks that look at photos are not installed: make install",
)


def sign(text: str = "") -> FilePayload:
    """A drawn sign, as the file that a person chooses."""
    image = Image.new("RGB", (1000, 500), "white")
    ImageDraw.Draw(image).text((80, 150), text, fill="#222", font=ImageFont.load_default(90))
    file = io.BytesIO()
    image.save(file, "PNG")
    return {"name": "sign.png", "mimeType": "image/png", "buffer": file.getvalue()}


async def attach(page: Page, photo: FilePayload) -> None:
    """Choose a photo, and wait until its preview stands there."""
    await page.locator("#files").set_input_files(photo)
    await expect(page.locator("#previews li:not([data-sending])")).to_have_count(1)


@needs_ocr
async def test_a_sign_is_read_to_a_model_that_cannot_see(page: Page, start: Start) -> None:
    server = await start(EMBEDDED)
    await expect(page.locator("#note")).to_be_empty()
    await attach(page, sign("GATE 42 CLOSED"))
    await expect(page.locator("#note")).to_have_text(
        "This model cannot see photos: it is told what can be recognised in them."
    )
    await ask(page, "What does this sign say?")
    await expect(answer(page).locator("[data-part=notice]")).to_contain_text("Looking at the photo")
    await expect(answer(page).locator("[data-part=notice]")).to_be_visible()
    await expect(page.locator("#announcer")).to_contain_text("Looking at the photo")
    await expect(page.locator("#note")).to_be_empty()
    await ended(page, "complete")
    assert "GATE 42 CLOSED" in await copied(page)
    await expect(answer(page).locator("blockquote")).to_have_text("GATE 42 CLOSED")
    await assert_equal_everywhere(page, server)


@needs_ocr
async def test_a_photo_in_which_nothing_is_recognised_is_answered_honestly(page: Page, start: Start) -> None:
    server = await start(EMBEDDED)
    await attach(page, sign())
    await ask(page, "What does this sign say?")
    await ended(page, "complete")
    await expect(answer(page)).to_contain_text("I am not sure what this photo shows.")
    await assert_equal_everywhere(page, server)


async def test_where_photos_are_not_read_the_page_refuses_them_before_sending(page: Page, start: Start) -> None:
    await start({**EMBEDDED, "WONDERCAM_OCR": "0"})
    await attach(page, sign())
    problem = page.get_by_text("This model cannot see photos: choose one that can, or ask in words.")
    await expect(problem).to_be_visible()
    await ask(page, "What is this?")
    await expect(page.locator("article")).to_have_count(0)
    await page.get_by_label("Remove sign.png").click()
    await expect(problem).to_be_hidden()
    await page.get_by_role("button", name="Send").click()
    await expect(page.locator("article")).to_have_count(2)


def test_the_models_say_what_becomes_of_a_photo(serve: Serve) -> None:
    models = "local/smollm2-135m,gemini/gemini-2.5-flash"
    with serve({"WONDERCAM_MODELS": models, "WONDERCAM_OCR": "0", "GEMINI_API_KEY": "none"}).client() as client:
        found = client.get("/v2/models").json()["models"]

    assert [(model["images"], model["photos"]) for model in found] == [(False, "no"), (True, "seen")]


CORNER = """async (image) => {
  await image.decode();
  const context = new OffscreenCanvas(image.naturalWidth, image.naturalHeight).getContext("2d");
  context.drawImage(image, 0, 0);
  return [...context.getImageData(5, 5, 1, 1).data];
}"""


async def test_a_large_transparent_picture_stands_on_white(page: Page, start: Start) -> None:
    await start({})
    letters = Image.new("RGBA", (2400, 800), (0, 0, 0, 0))
    ImageDraw.Draw(letters).text((80, 150), "GATE 42", fill="black", font=ImageFont.load_default(300))
    file = io.BytesIO()
    letters.save(file, "PNG")
    await attach(page, {"name": "letters.png", "mimeType": "image/png", "buffer": file.getvalue()})
    assert await page.locator("#previews img[src]").evaluate(CORNER) == [255, 255, 255, 255]
