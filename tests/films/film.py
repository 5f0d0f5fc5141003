"""`film`: records a page while something happens on it, with captions, as an animated WebP."""

import asyncio
import io
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from time import monotonic
from typing import Any, NamedTuple

from PIL import Image, ImageDraw, ImageFont
from playwright.async_api import Page

DOCS = Path(__file__).resolve().parent.parent.parent / "docs"
DESKTOP: Any = {"viewport": {"width": 960, "height": 600}}
TALL: Any = {"viewport": {"width": 960, "height": 760}}
PHONE: Any = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
STRIP = 44
"""The height of the caption below the page, in pixels."""

FRAME_SECONDS = 0.1
LAST_SECONDS = 3.0
"""How long the last frame stays before the film begins again."""


class Frame(NamedTuple):
    """A screenshot with its caption, and when it was taken."""

    at: float
    png: bytes
    caption: str


class Film:
    """What was recorded so far."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self._caption = ""
        self._frames: list[Frame] = []

    def say(self, caption: str) -> None:
        """Show this caption from now on."""
        self._caption = caption

    async def record(self) -> None:
        """Take a frame every `FRAME_SECONDS` until cancelled; one that shows nothing new is left out."""
        while True:
            at = monotonic()
            frame = Frame(at, await self.page.screenshot(), self._caption)
            if not self._frames or self._frames[-1][1:] != frame[1:]:
                self._frames.append(frame)
            await asyncio.sleep(max(0.0, at + FRAME_SECONDS - monotonic()))

    def save(self, name: str) -> None:
        """Write it to `docs/<name>.webp`, to be played again and again."""
        times = [frame.at for frame in self._frames]
        ends = [*times[1:], times[-1] + LAST_SECONDS]
        durations = [round((end - at) * 1000) for at, end in zip(times, ends, strict=True)]
        first, *others = map(drawn, self._frames)
        first.save(
            DOCS / f"{name}.webp",
            save_all=True,
            append_images=others,
            duration=durations,
            loop=0,
            lossless=True,
            quality=90,
            method=6,
        )


def drawn(frame: Frame) -> Image.Image:
    """The screenshot above its caption."""
    shot = Image.open(io.BytesIO(frame.png)).convert("RGB")
    whole = Image.new("RGB", (shot.width, shot.height + STRIP), "#10231c")
    whole.paste(shot)
    font = ImageFont.load_default(16)
    ImageDraw.Draw(whole).text((18, shot.height + STRIP / 2), frame.caption, "#d9f2e6", font, anchor="lm")
    return whole


@asynccontextmanager
async def film(page: Page, name: str) -> AsyncIterator[Film]:
    """Record the page while the body runs, then save the film under that name."""
    found = Film(page)
    recording = asyncio.create_task(found.record())
    try:
        yield found
    finally:
        recording.cancel()
    found.save(name)
