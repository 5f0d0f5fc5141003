"""Photos as people choose them: whatever their name says, sent when Enter is pressed at once, there after a reload."""

import asyncio
import io

from PIL import Image
from playwright.async_api import FilePayload, Page, Route, expect

from tests.browser.test_page import HELLO, Start, ended, start

__all__ = ["start"]

HEIC = b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic" + bytes(200)
CENTRE = """
async (image) => {
  const bitmap = await createImageBitmap(image);
  const context = new OffscreenCanvas(bitmap.width, bitmap.height).getContext("2d");
  context.drawImage(bitmap, 0, 0);
  return [bitmap.width, ...context.getImageData(bitmap.width / 2, bitmap.height / 2, 1, 1).data];
}
"""


def photo(mode: str = "RGB", size: tuple[int, int] = (600, 400), form: str = "JPEG", place: str = "") -> bytes:
    """A photo of one colour, transparent where the mode has that, with a camera's name for its place."""
    file, exif = io.BytesIO(), Image.Exif()
    exif[0x010E] = place or "nowhere"
    Image.new(mode, size, (200, 30, 30, 0)[: len(mode)]).save(file, form, exif=exif)
    return file.getvalue()


async def choose(page: Page, *files: FilePayload) -> None:
    """Choose files with the button."""
    await page.locator("#files").set_input_files(list(files))


async def test_photos_are_there_after_a_reload_and_were_sent_though_enter_came_at_once(
    page: Page, start: Start
) -> None:
    await start(HELLO)
    large = photo("RGBA", (4000, 3000), "PNG")
    await page.get_by_label("Your message").fill("What is this?")
    await choose(
        page,
        {"name": "large.png", "mimeType": "image/png", "buffer": large},
        {"name": "without-a-type", "mimeType": "", "buffer": photo()},
    )
    await page.keyboard.press("Enter")
    await page.keyboard.press("Enter")
    for _ in range(2):
        await ended(page, "complete")
        await expect(page.locator("article[data-role=user]")).to_have_count(1)
        shown = page.locator("article[data-role=user]").first.locator("img")
        await expect(shown).to_have_count(2)
        for image in await shown.all():
            await expect(image).not_to_have_js_property("naturalWidth", 0)
        assert (await shown.first.evaluate(CENTRE))[1:] == [255, 255, 255, 255], "transparent is white"
        await page.reload()


async def test_no_place_and_no_camera_leave_the_page_with_a_small_photo(page: Page, start: Start) -> None:
    await start(HELLO)
    async with page.expect_request("**/v2/attachments") as sent:
        small = photo(place="SECRET PLACE")
        assert b"SECRET PLACE" in small
        await choose(page, {"name": "small.jpg", "mimeType": "image/jpeg", "buffer": small})
    body = (await sent.value).post_data_buffer
    assert body is None or b"SECRET PLACE" not in body
    await expect(page.locator("#previews li:not([data-sending])")).to_have_count(1)


async def test_what_cannot_be_read_is_said_until_something_is_done(page: Page, start: Start) -> None:
    await start(HELLO)
    await choose(page, {"name": "IMG_1.HEIC", "mimeType": "image/heic", "buffer": HEIC})
    problem = page.locator("#problem")
    await expect(problem).to_contain_text("is a HEIC photo, which this browser cannot read")
    await page.get_by_label("Your message").press("x")
    await expect(problem).to_be_visible()
    await choose(page, {"name": "notes.jpg", "mimeType": "image/jpeg", "buffer": b"just words"})
    await expect(problem).to_contain_text("“notes.jpg” is not a photo")
    await choose(page, {"name": "a.jpg", "mimeType": "image/jpeg", "buffer": photo()})
    await expect(problem).to_be_hidden()
    await expect(page.locator("#previews li")).to_have_count(1)


async def test_a_photo_that_is_taken_out_of_the_draft_is_deleted_on_the_server(page: Page, start: Start) -> None:
    await start(HELLO)
    remove, uploads = page.get_by_role("button", name="Remove"), "**/v2/attachments"
    async with page.expect_response(uploads):
        await choose(page, {"name": "one.jpg", "mimeType": "image/jpeg", "buffer": photo()})
    async with page.expect_response("**/v2/attachments/*") as deleted:
        await remove.click()
    assert ((await deleted.value).request.method, (await deleted.value).status) == ("DELETE", 204)

    held: asyncio.Future[Route] = asyncio.get_running_loop().create_future()
    await page.route(uploads, lambda route: held.set_result(route))
    await choose(page, {"name": "two.jpg", "mimeType": "image/jpeg", "buffer": photo()})
    upload = await held
    await remove.click()
    async with page.expect_response("**/v2/attachments/*") as deleted:
        await upload.continue_()
    assert (await deleted.value).status == 204, "it was taken out while it was uploaded"
