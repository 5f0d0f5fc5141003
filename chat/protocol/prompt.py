"""What is asked, and of which model: the one shape that every provider is given.

The language inside WonderCam is Gemini's JSON: a `Content` is `{"role": "user"|"model", "parts": [...]}`
and a part is `{"text": …}` or `{"inlineData": {"mimeType": …, "data": <base64>}}`, a photo or a sound
(https://ai.google.dev/api/caching#Content). Gemini's own servers get it as it is; other providers translate.

What is stored stands in it as `{"attachment": <id>}`, a photo, or `{"attachment": <id>, "mimeType": "audio/wav"}`.
"""

import json
from dataclasses import dataclass, field, replace
from typing import Any

Part = dict[str, Any]
Content = dict[str, Any]

WAV, MP3, AAC, FLAC, OGG = SOUND_TYPES = ("audio/wav", "audio/mp3", "audio/aac", "audio/flac", "audio/ogg")
"""What sounds are kept as, named as Gemini does (https://ai.google.dev/gemini-api/docs/audio)."""


CHAT_COMPLETION = "chatCompletion"


@dataclass(frozen=True, slots=True)
class Model:
    """One model that can be asked. `sounds` are the types that it hears, of `SOUND_TYPES`; `context` is in tokens; None
    where the provider cuts by itself. `functions`: whether it can be offered functions to call; `thinks`: whether it is
    known to give thoughts before its answers."""

    provider: str
    name: str
    title: str = ""
    images: bool = False
    sounds: tuple[str, ...] = ()
    context: int | None = None
    functions: bool = True
    thinks: bool = False
    id: str = field(init=False)
    """`provider/name`, as in WONDERCAM_MODELS and in requests."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "id", f"{self.provider}/{self.name}")


@dataclass(frozen=True, slots=True)
class Prompt:
    """One turn as a provider gets it. `contents` runs from the oldest to the newest and ends with the user's, or, where
    an answer that broke off is to be gone on with, with the text of that."""

    model: Model
    contents: list[Content]
    system: str = ""
    generation: dict[str, Any] = field(default_factory=dict)
    extra: dict[str, Any] = field(default_factory=dict)
    """Fields of the Gemini request that only Gemini understands (`safetySettings`, `tools` …), passed on untouched; and
    under CHAT_COMPLETION those that only a server of chat completions understands."""
    asker: Any = None
    """Who asks, as any hashable value: whose failures say nothing about others' questions."""
    language: str = ""
    """The tag of the language to answer in, where the request names one."""

    @property
    def is_continuation(self) -> bool:
        """Whether it ends with the beginning of the answer, which is to be gone on with."""
        return bool(self.contents) and self.contents[-1].get("role") == "model"

    def has_media(self) -> bool:
        """Whether any part carries a photo or a sound."""
        return any("inlineData" in part for content in self.contents for part in content["parts"])

    def has_images(self) -> bool:
        """Whether any part carries a photo."""
        return any(is_photo(part) for content in self.contents for part in content["parts"])


def type_of(part: Part) -> str:
    """The media type of a photo or a sound, in the body or stored; empty for every other part."""
    if "inlineData" in part:
        return str(part["inlineData"].get("mimeType", "")).lower()
    return str(part.get("mimeType", "image/jpeg")) if "attachment" in part else ""


def is_sound(part: Part) -> bool:
    """Whether a part is a sound."""
    return type_of(part).startswith("audio/")


def is_photo(part: Part) -> bool:
    """Whether a part is a photo, or a picture of a model's."""
    return ("inlineData" in part or "attachment" in part) and not is_sound(part)


def text_of(content: Content) -> str:
    """The text parts of a content, joined."""
    return "".join(part.get("text", "") for part in content["parts"])


def part_bytes(part: Part) -> int:
    """A part's size as far as it is text: pictures count by themselves, calls and their results as JSON."""
    if "text" in part:
        return len(part["text"].encode())
    return 0 if "inlineData" in part or "attachment" in part else len(json.dumps(part))


def answers_a_call(content: Content) -> bool:
    """Whether a content holds the results of functions that the content before it has called."""
    return any("functionResponse" in part for part in content["parts"])


@dataclass(frozen=True, slots=True)
class PromptMessage:
    """One stored message as far as a prompt needs it: its place in the tree, who said it, and its parts."""

    id: Any
    parent_id: Any
    role: str
    parts: list[Part]


def path_to(said: dict[Any, PromptMessage], leaf: Any) -> list[PromptMessage]:
    """The messages from the root down to `leaf`: the branch of the tree that a reader sees."""
    path: list[PromptMessage] = []
    step = said.get(leaf)
    while step is not None:
        path.append(step)
        step = said.get(step.parent_id)
    return path[::-1]


def newest_leaf(said: dict[Any, PromptMessage]) -> Any:
    """The newest message without replies; `said` is in order of creation. None for an empty tree."""
    parents = {message.parent_id for message in said.values()}
    return next((id for id in reversed(list(said)) if id not in parents), None)


HISTORY_PHOTOS = 64
"""Photos and sounds of a history: each may have a megabyte, which the request to the model's server repeats."""


def history_of(path: list[PromptMessage], messages: int, size: int) -> list[Content]:
    """The path as contents, cut from the oldest to at most `messages` messages, `size` bytes of text and HISTORY_PHOTOS
    photos; the newest message always stays. What is cut begins with the user's words. Thoughts and answers that never
    began are left out."""
    kept: list[Content] = []
    photos, is_cut = HISTORY_PHOTOS, False
    for message in reversed(path):
        parts = [part for part in message.parts if not part.get("thought")]
        if not parts:
            continue
        size -= sum(map(part_bytes, parts))
        photos -= sum(1 for part in parts if type_of(part))
        if kept and (size < 0 or photos < 0 or len(kept) >= messages):
            is_cut = True
            break
        kept.append({"role": message.role, "parts": parts})
    kept.reverse()
    while is_cut and len(kept) > 1 and (kept[0]["role"] == "model" or answers_a_call(kept[0])):
        kept.pop(0)
    return kept


BYTES_A_TOKEN, PHOTO_TOKENS = 3, 1000
"""What is not counted is guessed on the safe side: English has four bytes a token, most other scripts three."""
WAV_LETTERS, OTHER_LETTERS = 1000, 80
"""Letters of base64 a token: a second of sound is 32 tokens (https://ai.google.dev/gemini-api/docs/audio), and 42,000
letters as WAV of 16 kHz, or 2,700 as Opus of 16 kbit/s."""


def fitting(prompt: Prompt, answer_tokens: int) -> Prompt:
    """The prompt within its model's context, with room for the answer: the oldest turns are left out, by a guess.

    The newest message always stays, with what was already answered: whether it is too long alone is the model's to say.
    """
    if prompt.model.context is None:
        return prompt
    budget = prompt.model.context - min(answer_tokens, prompt.model.context // 2) - guess(prompt.system)
    first = len(prompt.contents)
    for content in reversed(prompt.contents):
        budget -= guess(text_of(content)) + sum(map(media_tokens, content["parts"]))
        if budget < 0:
            break
        first -= 1
    contents = prompt.contents[min(first, len(prompt.contents) - (2 if prompt.is_continuation else 1)) :]
    while len(contents) > 1 and (contents[0].get("role") == "model" or answers_a_call(contents[0])):
        contents = contents[1:]
    return replace(prompt, contents=contents)


def tokens_of(prompt: Prompt) -> int:
    """A whole prompt's tokens, by the same guess."""
    parts = [part for content in prompt.contents for part in content["parts"]]
    return (
        sum(map(media_tokens, parts)) + (sum(map(part_bytes, parts)) + len(prompt.system.encode())) // BYTES_A_TOKEN + 1
    )


def media_tokens(part: Part) -> int:
    """The tokens of a photo or a sound, by a guess; 0 for every other part."""
    if "inlineData" not in part:
        return 0
    if not is_sound(part):
        return PHOTO_TOKENS
    return len(part["inlineData"]["data"]) // (WAV_LETTERS if type_of(part) == WAV else OTHER_LETTERS) + 1


def guess(text: str) -> int:
    """A text's tokens."""
    return len(text.encode()) // BYTES_A_TOKEN + 1


def attachments_of(contents: list[Content]) -> list[str]:
    """The ids of all stored photos and sounds that are spoken of, in order."""
    return [part["attachment"] for content in contents for part in content["parts"] if "attachment" in part]


def renamed(contents: list[Content], names: dict[str, str]) -> list[Content]:
    """The contents with other ids for some of the stored photos and sounds."""

    def named(part: Part) -> Part:
        return {**part, "attachment": names.get(part["attachment"], part["attachment"])}

    return [
        {**content, "parts": [named(part) if "attachment" in part else part for part in content["parts"]]}
        for content in contents
    ]


def with_attachments(contents: list[Content], kept: dict[str, Part]) -> list[Content]:
    """The contents with each stored photo or sound as the part that carries it; one that is gone is spoken of as
    such."""

    def filled(part: Part) -> Part:
        if "attachment" not in part:
            return part
        gone: Part = {"text": f"[a {'sound' if is_sound(part) else 'photo'} that is no longer kept]"}
        return kept.get(part["attachment"], gone)

    return [{**content, "parts": [filled(part) for part in content["parts"]]} for content in contents]


def instruction(*texts: str, language: str | None = None) -> str:
    """The system instruction: what the conversation and the request say, and the language to answer in."""
    said = [text for text in texts if text]
    if language:
        said.append(f"Answer in the language with the tag {language}.")
    return "\n\n".join(said)
