"""Photos as things: looked at, zoomed into, cropped, asked about again; and answers that point into them."""

import asyncio
import io
import re
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from playwright.async_api import Page, Route, expect

from chat.protocol import events, recording
from chat.protocol.events import Event
from tests.browser.test_camera import DESKTOP, HELLO, LEFT, PHONE, RIGHT, ask, colours, near, page, posts, scene
from tests.browser.test_page import Start, ended, start

__all__ = ["DESKTOP", "PHONE", "page", "start"]

POINTS = """Two halves:
```json
[
  {"box_2d": [0, 0, 1000, 500], "label": "red half"},
  {"box_2d": [0, 500, 1000, 1000], "label": "blue half"},
  {"point": [500, 500], "label": "the edge"}
]
```

In short:
```python
print("red", "blue")
```
"""
TALLEST = "code => getComputedStyle(code).maxBlockSize"


@pytest.fixture
def photo(tmp_path: Path) -> str:
    """The scene as a file: red on the left, blue on the right."""
    file = tmp_path / "scene.png"
    scene().resize((800, 600), Image.Resampling.NEAREST).save(file)
    return str(file)


@pytest.fixture
def pointing(tmp_path: Path) -> dict[str, str]:
    """A model whose answer points at things."""
    said = [Event(n, n * 1000, events.encode(events.delta(line))) for n, line in enumerate(POINTS.splitlines(True), 1)]
    end = Event(len(said) + 1, 10**6, events.encode(events.finish("STOP")))
    lines = recording.dump({"title": "points"}, [Event(0, 0, events.OK_DATA), *said, end])
    (tmp_path / "points.jsonl").write_text("".join(lines))
    return {"WONDERCAM_MODELS": "recording/points", "WONDERCAM_RECORDINGS": str(tmp_path)}


async def asked_with(page: Page, photo: str, question: str = "What is this?") -> None:
    """A question with that photo, answered."""
    await page.locator("#files").set_input_files(photo)
    await expect(page.locator("#previews li:not([data-sending])")).to_have_count(1)
    await ask(page, question)
    await ended(page, "complete")


async def look_closer(page: Page) -> None:
    """The photo of the question at full size."""
    await page.get_by_role("button", name="Photo 1 of this message").first.press("Enter")
    await expect(page.locator("#photo img")).to_be_visible()


async def zoom_to_the_left(page: Page) -> None:
    """By keys: four times larger, and as far to the left as the photo goes."""
    viewer = page.locator("#photo")
    for _ in range(7):
        await viewer.press("+")
    for _ in range(60):
        await viewer.press("ArrowLeft")


async def test_a_sent_photo_is_asked_about_again_without_sending_it_again(page: Page, start: Start, photo: str) -> None:
    await start(HELLO)
    sent = posts(page)
    await asked_with(page, photo)
    await look_closer(page)
    await page.get_by_role("button", name="Ask about this photo").click()
    await expect(page.locator("#photo")).to_be_hidden()
    await expect(page.get_by_label("Your message")).to_be_focused()
    await expect(page.locator("#previews li")).to_have_count(1)
    await ask(page, "And what is on its right?")
    await ended(page, "complete")
    await expect(page.locator("article[data-role=user] img")).to_have_count(2)
    assert sent.count("/v2/attachments") == 1
    await page.reload()
    await expect(page.locator("article[data-role=user] img[src^=blob]")).to_have_count(2)


async def test_the_part_that_is_shown_is_the_part_that_is_asked_about(page: Page, start: Start, photo: str) -> None:
    await start(HELLO)
    await asked_with(page, photo)
    await look_closer(page)
    await zoom_to_the_left(page)
    await page.get_by_role("button", name="Ask about this part").click()
    await expect(page.locator("#previews img")).to_have_count(1)
    left, right = await colours(page, "#previews img")
    assert near(left, LEFT)
    assert near(right, LEFT)


async def test_a_draft_is_cropped_in_its_place(page: Page, start: Start, photo: str) -> None:
    await start(HELLO)
    await page.locator("#files").set_input_files(photo)
    preview = page.locator("#previews img")
    left, right = await colours(page, "#previews img")
    assert (near(left, LEFT), near(right, RIGHT)) == (True, True)
    await page.locator("#previews .photo").click()
    await expect(page.locator("#photo img")).to_be_visible()
    await expect(page.get_by_role("button", name="Keep this part")).to_be_hidden()
    await zoom_to_the_left(page)
    await page.get_by_role("button", name="Keep this part").click()
    await expect(preview).to_have_attribute("alt", "Part of scene.png")
    await expect(preview).to_have_count(1)
    assert near((await colours(page, "#previews img"))[1], LEFT)


async def test_wheel_and_double_click_zoom_where_they_are_and_zero_shows_the_whole(
    page: Page, start: Start, photo: str
) -> None:
    await start(HELLO)
    await asked_with(page, photo)
    await look_closer(page)
    image = page.locator("#photo img")
    box = await image.bounding_box()
    assert box
    await page.mouse.dblclick(box["x"] + 4, box["y"] + box["height"] / 2)
    await expect(page.locator("#photo .stage")).to_have_attribute("data-zoomed", "")
    larger = await image.bounding_box()
    assert larger
    assert larger["width"] == pytest.approx(2 * box["width"], rel=0.01)
    await page.keyboard.press("0")
    await expect(page.locator("#photo .stage")).not_to_have_attribute("data-zoomed", "")
    await page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    await page.mouse.wheel(0, -300)
    await expect(page.get_by_role("button", name="Ask about this part")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(page.locator("#photo")).to_be_hidden()
    await expect(page.get_by_role("button", name="Photo 1 of this message")).to_be_focused()


async def test_what_an_answer_points_at_is_drawn_over_the_photo_and_listed(
    page: Page, start: Start, photo: str, pointing: dict[str, str]
) -> None:
    await start(pointing)
    await asked_with(page, photo)
    figure = page.locator("article[data-role=model] .pointed")
    rows = ["red half top center", "blue half", "the edge middle center"]
    await expect(figure.get_by_role("listitem")).to_have_count(len(rows))
    last = figure.get_by_role("listitem").last
    await expect(last).to_have_text(rows[-1])
    await expect(last).to_be_in_viewport()  # whoever is at the end stays there
    await assert_drawn(page)
    tallest = [await code.evaluate(TALLEST) for code in await page.locator("article figure pre").all()]
    assert tallest == ["136px", "none"], "only what points is a few lines high"
    held: asyncio.Queue[Route] = asyncio.Queue()
    await page.route("**/v2/attachments/*", held.put)
    await page.reload()
    await ended(page, "complete")
    photo_asked_for = await held.get()
    await expect(figure).to_have_count(0)  # it comes with its photo, so that nothing of it moves
    await photo_asked_for.continue_()
    await expect(last).to_be_in_viewport()
    await assert_drawn(page)


async def assert_drawn(page: Page) -> None:
    """The second box covers the right half of the photo, and the point is a badge in its middle."""
    figure = page.locator("article[data-role=model] .pointed")
    image: Any = await figure.locator("img").bounding_box()
    box: Any = await figure.locator("rect").nth(1).bounding_box()
    point: Any = await figure.locator(".badge").nth(2).bounding_box()
    edge: Any = {"x": box["x"] - 6, "y": box["y"] + box["height"] / 4, "width": 12, "height": 1}
    pixels = Image.open(io.BytesIO(await page.screenshot(clip=edge))).convert("RGB").tobytes()
    assert max(min(pixels[at : at + 3]) for at in range(0, len(pixels), 3)) > 120, "a light line beside it"
    assert box["x"] == pytest.approx(image["x"] + image["width"] / 2, abs=4)
    assert box["width"] == pytest.approx(image["width"] / 2, abs=6)
    assert point["x"] + point["width"] / 2 == pytest.approx(image["x"] + image["width"] / 2, abs=2)
    assert point["y"] + point["height"] / 2 == pytest.approx(image["y"] + image["height"] / 2, abs=2)


async def test_an_hour_of_photos_is_not_kept_in_memory_and_each_comes_back_when_it_is_looked_at(
    page: Page, start: Start, photo: str
) -> None:
    await start(HELLO)
    await page.set_viewport_size({"width": 390, "height": 500})
    for count in range(1, 9):
        await asked_with(page, photo, f"Question {count}?")
        await expect(page.locator("article")).to_have_count(2 * count)
    held = page.locator("article img[src]")
    images = page.locator("article img")
    await expect(images).to_have_count(8)
    await page.wait_for_function("() => document.querySelectorAll('article img[src]').length <= 5")
    assert await held.count() >= 1
    height = await page.evaluate("document.querySelector('#viewport').scrollHeight")
    await images.first.scroll_into_view_if_needed()
    await expect(images.first).to_have_attribute("src", re.compile("^blob:"))
    left, right = await colours(page, "article >> nth=0 >> img")
    assert (near(left, LEFT), near(right, RIGHT)) == (True, True)
    assert abs(await page.evaluate("document.querySelector('#viewport').scrollHeight") - height) <= 2
