"""Photos for models that cannot see: the text in a photo is read (RapidOCR) and put into the prompt in its place.

Its settings:

    WONDERCAM_OCR           1 reads photos where `rapidocr` and `onnxruntime` are installed, 0 does not
    WONDERCAM_OCR_SECONDS   20 for all photos of a message
"""

import asyncio
import base64
import binascii
import hashlib
import importlib.util
import json
import logging
import re
import sys
from collections.abc import AsyncGenerator
from dataclasses import replace
from pathlib import Path

from chat.protocol import errors, events
from chat.protocol.prompt import Content, Part, Prompt
from chat.providers.settings import Settings, flag, number

log = logging.getLogger(__name__)

PROGRAM = Path(__file__).with_name("ocr_process.py")
NEEDED = ("rapidocr", "onnxruntime")
MOST_CHARACTERS = 2000
MOST_REMEMBERED = 256


class Sight:
    """Reads one photo at a time, and remembers what it read: a conversation's photos come again with every turn."""

    def __init__(self, seconds: float = 20.0) -> None:
        self._seconds = seconds
        self._one = asyncio.Semaphore(1)
        self._read: dict[bytes, str] = {}

    async def words(self, prompt: Prompt, who: str, refusal: str) -> AsyncGenerator[events.Response | Prompt, None]:
        """A notice for the reader, the words as the answer's beginning, then the prompt with words for its photos.

        The reader is shown what was read because the models that cannot see are small, and quote badly. The newest
        message's photos come first: earlier ones for which no time is left are spoken of as unseen.
        Raises InvalidArgument with `refusal` where the newest message's photos hold no text, DeadlineExceeded.
        """
        *earlier, newest = prompt.contents
        if has_photo(newest) or not all(map(self._is_read, earlier)):
            yield events.notice(events.READING, f"Reading the photo: {who} cannot see it, only the text in it.")
        contents: list[Content] = []
        try:
            async with asyncio.timeout(self._seconds):
                for content in (newest, *earlier):
                    contents.append(await self._content(content))
        except TimeoutError:
            if not contents:
                raise errors.DeadlineExceeded("Reading the text in the photo took too long.") from None
            contents += map(unseen, earlier[len(contents) - 1 :])
        contents.append(contents.pop(0))
        if has_photo(newest):
            found = [part["text"] for part in contents[-1]["parts"] if is_reading(part)]
            if not found:
                raise errors.InvalidArgument(f"There is no text in the photo that could be read. {refusal}")
            yield events.delta("".join(quoted(text) for text in found))
        yield replace(prompt, contents=contents)

    def _is_read(self, content: Content) -> bool:
        photos = (part["inlineData"]["data"] for part in content["parts"] if "inlineData" in part)
        return all(name_of(decoded(data)) in self._read for data in photos)

    async def _content(self, content: Content) -> Content:
        return {**content, "parts": [await self._part(part) for part in content["parts"]]}

    async def _part(self, part: Part) -> Part:
        if "inlineData" not in part:
            return part
        photo = decoded(part["inlineData"]["data"])
        name = name_of(photo)
        if name not in self._read:
            async with self._one:
                text = await read(photo)
            while len(self._read) >= MOST_REMEMBERED:
                self._read.pop(next(iter(self._read)))
            self._read[name] = text[:MOST_CHARACTERS]
        return as_words(self._read[name])


def decoded(data: str) -> bytes:
    """A photo's bytes."""
    try:
        return base64.b64decode(data, validate=True)
    except (binascii.Error, ValueError):
        raise errors.InvalidArgument("The photo is not valid base64.") from None


def name_of(photo: bytes) -> bytes:
    """What a photo is remembered by."""
    return hashlib.sha256(photo).digest()


def has_photo(content: Content) -> bool:
    """Whether the content carries a photo."""
    return any("inlineData" in part for part in content["parts"])


def unseen(content: Content) -> Content:
    """The content with a word for each photo."""
    word: Part = {"text": "[a photo that you cannot see]"}
    return {**content, "parts": [word if "inlineData" in part else part for part in content["parts"]]}


READ = "This text was read from a photo:\n\n"


def as_words(text: str) -> Part:
    """What stands in the prompt for a photo."""
    return {"text": f"{READ}{text}\n\n"} if text else {"text": ""}


def quoted(words: str) -> str:
    """What stands in the answer for a photo: its text as a quotation, a line a line, with no Markdown of its own."""
    lines = (
        re.sub(r"([^\w\s])", r"\\\1", line, flags=re.ASCII) for line in words.removeprefix(READ).strip().split("\n")
    )
    return "The photo says:\n\n" + "".join(f"> {line}  \n" for line in lines) + "\n"


def is_reading(part: Part) -> bool:
    """Whether the part is what was read in a photo."""
    return str(part.get("text", "")).startswith(READ)


async def read(photo: bytes) -> str:
    """The lines of text in a photo; empty where there are none. Stops its process when it is cancelled."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-P",
        str(PROGRAM),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env={"LANG": "C.UTF-8", "PYTHONUTF8": "1"},
    )
    try:
        out, _ = await process.communicate(photo)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode == 3:
        raise errors.InvalidArgument("The photo cannot be opened.")
    if process.returncode:
        log.error("reading a photo ended with exit code %s", process.returncode)
        raise errors.Unavailable("The text in the photo could not be read on this server.")
    return "\n".join(json.loads(out))


def from_settings(settings: Settings) -> Sight | None:
    """On where its packages are installed and WONDERCAM_OCR does not turn it off."""
    seconds = number(settings, "WONDERCAM_OCR_SECONDS", 20.0, 0.1)
    if not flag(settings, "WONDERCAM_OCR", True):
        return None
    return Sight(seconds) if all(importlib.util.find_spec(name) for name in NEEDED) else None
