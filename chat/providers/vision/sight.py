"""`Sight`: describes photos to users, and replaces them with facts in prompts for models that cannot see them.

Its settings:

    WONDERCAM_OCR           1 (default) recognises photos if `onnxruntime` and networks are installed, 0 does not
    WONDERCAM_OCR_SECONDS   the most seconds for each photo (20)
"""

import asyncio
import base64
import binascii
import hashlib
import importlib.util
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from functools import partial

from chat.protocol import errors, events
from chat.protocol.prompt import Content, Part, Prompt, is_photo, text_of
from chat.providers.settings import Settings, flag, number
from chat.providers.vision import questions, sentences
from chat.providers.vision.seen import Seen
from chat.providers.vision.wording import Wording, wording
from chat.providers.vision.worker import RecognitionWorker
from chat.recognition import networks

NEEDED = ("onnxruntime", "numpy")
MOST_REMEMBERED = 256
Tell = Callable[[events.Response], None]
"""Passes a response to the reader."""
FACTS = "This was recognised in a photo that you cannot see. Do not add to it what is not here.\n\n"


class Sight:
    """Recognises photos, and caches the facts, since a conversation's photos are sent again with every turn."""

    def __init__(self, worker: RecognitionWorker) -> None:
        self._worker = worker
        self._seen: dict[bytes, Seen] = {}

    async def described(
        self, prompt: Prompt, who: str, others: list[str], tell: Tell, describe_only: bool
    ) -> Prompt | None:
        """Pass a notice and the description of each new photo, in the prompt's language, to `tell`; return the prompt
        with facts instead of photos.

        With `describe_only` the description of new photos is the whole answer, and None is returned: the model would
        invent the rest; `others` are the models that it names as able to see more. `who` is the model's title. Photos
        of earlier messages without cached facts become placeholders. Raises InvalidArgument if a new photo cannot be
        opened, and Unavailable.
        """
        *earlier, newest = prompt.contents
        told = [self._told(content) for content in earlier]
        if not has_photo(newest):
            return replace(prompt, contents=[*told, newest])
        tell(events.notice(events.READING, f"Looking at the photo on this server: {who} cannot see it."))
        words = wording(prompt.language)
        with_marks = questions.asks_for_boxes(text_of(newest))
        photos = [decoded(part["inlineData"]["data"]) for part in newest["parts"] if is_photo(part)]
        for place, photo in enumerate(photos, 1):
            head = sentences.heading(place, words) if len(photos) > 1 else ""
            said = ""
            async with self._looking(photo, words) as looking:
                if opening := await looking.opening():
                    said = head + opening
                    tell(events.delta(said))
                seen = await looking.seen()
            marks = sentences.marks(seen, words) if with_marks else ""
            response = events.delta((head + sentences.answer(seen, words)).removeprefix(said) + marks)
            response["wondercam"] = {"seen": {"photo": place, **seen.as_json()}}
            tell(response)
        if not describe_only:
            return replace(prompt, contents=[*told, self._told(newest)])
        if others:
            tell(events.delta(sentences.who_sees(words.listed(others, "or"), words)))
        tell(events.finish("STOP"))
        return None

    def _told(self, content: Content) -> Content:
        return {**content, "parts": [self._part(part) for part in content["parts"]]}

    def _part(self, part: Part) -> Part:
        if not is_photo(part):
            return part
        seen = self._seen.get(name_of(decoded(part["inlineData"]["data"])))
        return UNSEEN if seen is None else {"text": f"{FACTS}{sentences.facts(seen)}\n\n"}

    @asynccontextmanager
    async def _looking(self, photo: bytes, words: Wording) -> AsyncGenerator["Looking", None]:
        """Recognise a photo in a task, which is cancelled when the block is left."""
        opened: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        task = asyncio.create_task(self._look(photo, partial(note_opening, opened, words)))
        try:
            yield Looking(opened, task)
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _look(self, photo: bytes, added: Callable[[Seen], None]) -> Seen:
        name = name_of(photo)
        if name not in self._seen:
            seen = await self._worker.recognise(photo, added)
            if not seen.complete:
                return seen
            while len(self._seen) >= MOST_REMEMBERED:
                self._seen.pop(next(iter(self._seen)))
            self._seen[name] = seen
        return self._seen[name]

    async def close(self) -> None:
        """Close the worker, which ends its process."""
        await self._worker.close()


@dataclass(frozen=True, slots=True)
class Looking:
    """The recognition of one photo, while it runs."""

    opened: asyncio.Future[str]
    task: asyncio.Task[Seen]

    async def opening(self) -> str:
        """Wait for the description's beginning; "" if it is only known together with the rest, or after a failure."""
        await asyncio.wait((self.opened, self.task), return_when=asyncio.FIRST_COMPLETED)
        return self.opened.result() if self.opened.done() else ""

    async def seen(self) -> Seen:
        """Wait for all facts. Raises what `RecognitionWorker.recognise` does."""
        return await self.task


def note_opening(opened: "asyncio.Future[str]", words: Wording, seen: Seen) -> None:
    """Set the description's beginning, once there is one."""
    if not opened.done() and (opening := sentences.opening(seen, words)):
        opened.set_result(opening)


UNSEEN: Part = {"text": "[a photo that you cannot see]"}


def decoded(data: str) -> bytes:
    """Return the bytes of a photo in base64. Raises InvalidArgument."""
    try:
        return base64.b64decode(data, validate=True)
    except (binascii.Error, ValueError):
        raise errors.InvalidArgument("The photo is not valid base64.") from None


def name_of(photo: bytes) -> bytes:
    """Return the photo's key in the cache, a hash."""
    return hashlib.sha256(photo).digest()


def has_photo(content: Content) -> bool:
    """Whether the content has a photo."""
    return any(map(is_photo, content["parts"]))


def unseen(content: Content) -> Content:
    """Return the content with a placeholder for each photo."""
    return {**content, "parts": [UNSEEN if is_photo(part) else part for part in content["parts"]]}


def from_settings(settings: Settings) -> Sight | None:
    """Return `Sight` if its packages and networks are installed and WONDERCAM_OCR is not off; else None. Raises
    ValueError."""
    seconds = number(settings, "WONDERCAM_OCR_SECONDS", 20.0, 0.1)
    if not flag(settings, "WONDERCAM_OCR", True):
        return None
    able = all(importlib.util.find_spec(name) for name in NEEDED) and networks.installed()
    return Sight(RecognitionWorker(seconds)) if able else None
