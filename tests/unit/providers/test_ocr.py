"""Photos for models that cannot see: their text is read, shown and asked about; a photo without text is refused."""

import asyncio
import base64
import importlib.util
import io
import random
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageFont

from chat import providers
from chat.protocol import errors, events
from chat.protocol.prompt import Model, Prompt
from chat.providers.vision import ocr
from tests.unit.providers.conftest import Outcome, ask

needs_ocr = pytest.mark.skipif(
    not all(importlib.util.find_spec(name) for name in ocr.NEEDED),
    reason="rapidocr is not installed: pip install rapidocr onnxruntime",
)


def photo(text: str = "", turned: float = 0) -> bytes:
    """A drawn sign; turned and greyed it is nearly photographed."""
    image = Image.new("RGB", (1000, 600), "white")
    ImageDraw.Draw(image).text((80, 150), text, fill="#222", font=ImageFont.load_default(90))
    file = io.BytesIO()
    image.rotate(turned, fillcolor="#8a8f88").save(file, "JPEG", quality=60)
    return file.getvalue()


SIZE = (1280, 960)


def scene() -> Image.Image:
    """What stands behind things in photos: light and dark, out of focus, and leaves."""
    light = Image.linear_gradient("L").resize(SIZE).convert("RGB").point(lambda value: 110 + value // 2)
    behind = ImageChops.multiply(Image.effect_noise(SIZE, 60).convert("RGB"), light)
    leaves, dice = ImageDraw.Draw(behind), random.Random(1)
    for number in range(60):
        x, y = dice.randrange(1200), dice.randrange(900)
        leaves.ellipse((x, y, x + 80, y + 50), fill=("#3a6b35", "#8a8f88", "#5d4e37")[number % 3])
    return behind.filter(ImageFilter.GaussianBlur(4))


def photographed(text: str) -> bytes:
    """A sign in a scene: seen from the side, tilted, a little out of focus, grainy, pressed into a small JPEG."""
    image, sign = scene(), Image.new("RGBA", (800, 320), "#1d4e2f")
    font = ImageFont.load_default(84)
    ImageDraw.Draw(sign).multiline_text((400, 160), text, "#f5f2e8", font, "mm", spacing=18, align="center")
    side = (-30, -20, -10, 340, 830, 300, 800, 10)
    sign = sign.transform(sign.size, Image.Transform.QUAD, side, Image.Resampling.BICUBIC)
    sign = sign.rotate(6, Image.Resampling.BICUBIC, expand=True)
    image.paste(sign, ((SIZE[0] - sign.width) // 2, (SIZE[1] - sign.height) // 2), sign)
    grain = Image.effect_noise(SIZE, 28).convert("RGB")
    file = io.BytesIO()
    Image.blend(image.filter(ImageFilter.GaussianBlur(1.2)), grain, 0.12).save(file, "JPEG", quality=55)
    return file.getvalue()


def without_text() -> bytes:
    """The scene alone."""
    file = io.BytesIO()
    scene().save(file, "JPEG", quality=70)
    return file.getvalue()


def contents(data: bytes, question: str = "What does this say?") -> list[dict[str, Any]]:
    """A message with a photo."""
    inline = {"inlineData": {"mimeType": "image/jpeg", "data": base64.b64encode(data).decode()}}
    return [{"role": "user", "parts": [inline, {"text": question}]}]


class Blind:
    """A provider whose model sees nothing and repeats what it was told."""

    name = "blind"
    seen: list[Prompt]

    def __init__(self) -> None:
        self.seen = []

    def models(self) -> tuple[Model, ...]:
        """One."""
        return (Model("blind", "echo"), Model("blind", "seer", images=True))

    async def answer(self, prompt: Prompt, give: events.Give) -> None:
        """Done."""
        self.seen.append(prompt)
        give(events.chunk(events.delta("Done.")))
        give(events.chunk(events.finish("STOP")))

    async def close(self) -> None:
        """Nothing."""


@pytest.fixture
def blind(monkeypatch: pytest.MonkeyPatch) -> Blind:
    """Only that provider."""
    provider = Blind()
    monkeypatch.setattr(providers, "PROVIDERS", (lambda settings: provider,))
    return provider


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], list[bytes]]:
    """Have every photo read as the given text, without the weight; the list is what was asked to be read."""

    def configure(text: str) -> list[bytes]:
        asked: list[bytes] = []

        async def read(data: bytes) -> str:
            asked.append(data)
            return text

        monkeypatch.setattr(ocr, "read", read)
        monkeypatch.setattr(ocr, "NEEDED", ())
        return asked

    return configure


async def test_the_words_are_shown_to_the_reader_and_told_to_the_model(
    blind: Blind, reads: Callable[[str], list[bytes]]
) -> None:
    reads("EXIT ONLY\n*Platform* 9")
    providers.configure({})
    outcome = await ask("blind/echo", contents=contents(b"photo"))
    assert [kind for kind, _ in outcome.notices] == [events.READING]
    assert "cannot see it" in outcome.notices[0][1]
    assert outcome.text == "The photo says:\n\n> EXIT ONLY  \n> \\*Platform\\* 9  \n\nDone."
    (prompt,) = blind.seen
    assert not prompt.has_images()
    assert prompt.contents[0]["parts"][0]["text"] == f"{ocr.READ}EXIT ONLY\n*Platform* 9\n\n"


async def test_a_model_that_sees_gets_the_photo_itself(blind: Blind, reads: Callable[[str], list[bytes]]) -> None:
    asked = reads("words")
    providers.configure({})
    assert (await ask("blind/seer", contents=contents(b"photo"))).text == "Done."
    assert blind.seen[0].has_images()
    assert asked == []


async def test_a_photo_is_read_once_in_a_conversation(blind: Blind, reads: Callable[[str], list[bytes]]) -> None:
    asked = reads("words")
    providers.configure({})
    first = contents(b"photo")
    await ask("blind/echo", contents=first)
    outcome = await ask("blind/echo", contents=later(first))
    assert asked == [b"photo"]
    assert (outcome.text, outcome.notices) == ("Done.", [])


async def test_what_a_photo_says_is_said_once_though_another_blind_model_answers(
    blind: Blind, reads: Callable[[str], list[bytes]], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def answer(prompt: Prompt, give: events.Give) -> None:
        if prompt.model.name == "echo":
            raise errors.PermissionDenied("no")
        give(events.chunk(events.delta("Done.")))
        give(events.chunk(events.finish("STOP")))

    monkeypatch.setattr(blind, "models", lambda: (Model("blind", "echo"), Model("blind", "other")))
    monkeypatch.setattr(blind, "answer", answer)
    reads("EXIT")
    providers.configure({"WONDERCAM_FALLBACKS": "blind/echo=blind/other"})
    outcome = await ask("blind/echo", contents=contents(b"photo"))
    assert outcome.text == "The photo says:\n\n> EXIT  \n\nDone."
    assert [kind for kind, _ in outcome.notices] == [events.READING, events.FALLBACK, events.READING]


def later(first: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The conversation's next question."""
    return [*first, {"role": "model", "parts": [{"text": "Done."}]}, {"role": "user", "parts": [{"text": "And?"}]}]


async def test_a_photo_of_an_earlier_message_is_spoken_of_where_photos_are_not_read(blind: Blind) -> None:
    providers.configure({"WONDERCAM_OCR": "0"})
    outcome = await ask("blind/echo", contents=later(contents(b"photo")))
    assert (outcome.text, outcome.error, outcome.notices) == ("Done.", None, [])
    assert blind.seen[0].contents[0]["parts"][0] == {"text": "[a photo that you cannot see]"}


async def test_photos_of_earlier_messages_that_take_too_long_stop_nothing(
    blind: Blind, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def read(data: bytes) -> str:
        await asyncio.sleep(0 if data == b"new" else 60)
        return "words"

    monkeypatch.setattr(ocr, "read", read)
    monkeypatch.setattr(ocr, "NEEDED", ())
    providers.configure({"WONDERCAM_OCR_SECONDS": "0.2"})
    outcome = await ask("blind/echo", contents=[*later(contents(b"old")), *contents(b"new")])
    assert outcome.error is None
    texts = [part["text"] for content in blind.seen[0].contents for part in content["parts"]]
    assert texts[0] == "[a photo that you cannot see]"
    assert texts[2:4] == ["Done.", "And?"]
    assert texts[4].startswith(ocr.READ)


@pytest.mark.parametrize("setting", [{}, {"WONDERCAM_OCR": "0"}])
async def test_a_photo_without_text_is_refused_with_who_can_see(
    blind: Blind, reads: Callable[[str], list[bytes]], setting: dict[str, str]
) -> None:
    reads("")
    providers.configure(setting)
    outcome = await ask("blind/echo", contents=contents(b"photo"))
    assert isinstance(outcome.error, errors.InvalidArgument)
    assert "blind/seer can" in outcome.error.message
    assert blind.seen == []


def test_whether_a_model_takes_photos_depends_on_its_eyes_and_the_setting(
    blind: Blind, reads: Callable[[str], list[bytes]]
) -> None:
    reads("")
    echo, seer = blind.models()
    providers.configure({})
    assert (providers.takes_photos(echo), providers.takes_photos(seer)) == (True, True)
    providers.configure({"WONDERCAM_OCR": "off"})
    assert (providers.takes_photos(echo), providers.takes_photos(seer)) == (False, True)


async def test_reading_has_a_deadline_and_its_process_ends_with_it(
    blind: Blind, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    endless = tmp_path / "endless.py"
    endless.write_text("import time\ntime.sleep(60)\n")
    monkeypatch.setattr(ocr, "PROGRAM", endless)
    monkeypatch.setattr(ocr, "NEEDED", ())
    providers.configure({"WONDERCAM_OCR_SECONDS": "0.3"})
    start = time.monotonic()
    outcome = await ask("blind/echo", contents=contents(b"photo"))
    assert isinstance(outcome.error, errors.DeadlineExceeded)
    assert time.monotonic() - start < 5


async def read_for_real(blind: Blind, data: bytes) -> Outcome:
    """With RapidOCR, on a machine that may be busy."""
    providers.configure({"WONDERCAM_OCR_SECONDS": "100"})
    return await ask("blind/echo", contents=contents(data))


@needs_ocr
@pytest.mark.slow
@pytest.mark.parametrize(
    "sign", [photo, partial(photo, turned=5), photographed], ids=["drawn", "turned", "photographed"]
)
async def test_a_sign_is_read_for_real_while_the_loop_runs_on(blind: Blind, sign: Callable[[str], bytes]) -> None:
    reading = asyncio.ensure_future(read_for_real(blind, sign("EXIT ONLY\nPlatform 9")))
    beats = 0
    while not reading.done():
        await asyncio.sleep(0.01)
        beats += 1
    assert "EXIT ONLY" in reading.result().text
    assert "Platform 9" in reading.result().text
    assert beats > 10


@needs_ocr
@pytest.mark.slow
@pytest.mark.parametrize("data", [photo(), without_text(), b"this is no photo"], ids=["blank", "scene", "junk"])
async def test_what_holds_no_text_is_refused_for_real(blind: Blind, data: bytes) -> None:
    assert isinstance((await read_for_real(blind, data)).error, errors.InvalidArgument)
