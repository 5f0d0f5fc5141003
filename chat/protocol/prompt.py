"""`Prompt`: what a model is asked, in the one format that all providers get; and functions that build and cut prompts.

WonderCam uses Gemini's JSON: a `Content` is `{"role": "user"|"model", "parts": [...]}`, and a part is `{"text": …}` or,
for a photo or a sound, `{"inlineData": {"mimeType": …, "data": <base64>}}` (https://ai.google.dev/api/caching#Content).
Gemini's servers get it unchanged; other providers translate it.

A stored photo is `{"attachment": <id>}`, a stored sound `{"attachment": <id>, "mimeType": "audio/wav"}`.
"""

import json
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any

Part = dict[str, Any]
Content = dict[str, Any]

WAV, MP3, AAC, FLAC, OGG = SOUND_TYPES = ("audio/wav", "audio/mp3", "audio/aac", "audio/flac", "audio/ogg")
"""The formats of stored sounds, named as Gemini does (https://ai.google.dev/gemini-api/docs/audio)."""

CHAT_COMPLETION = "chatCompletion"
"""The key in `Prompt.extra` of the fields that only servers of chat completions understand."""


@dataclass(frozen=True, slots=True)
class Model:
    """A model. `sounds` are the types that it hears, of `SOUND_TYPES`; `context` is in tokens, None if prompts need not
    be cut; `functions`: whether it can call functions; `thinks`: whether it is known to think before it answers."""

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
    """One turn as a provider gets it. `contents` is ordered from the oldest to the newest, and ends with the user's
    message; for a continuation, with the answer so far."""

    model: Model
    contents: list[Content]
    system: str = ""
    generation: dict[str, Any] = field(default_factory=dict)
    extra: dict[str, Any] = field(default_factory=dict)
    """Fields of a Gemini request that are passed on unchanged (`safetySettings`, `tools` …), and CHAT_COMPLETION."""
    asker: Any = None
    """The user, as any hashable value: the circuit breaker does not count one user's failures against others."""
    language: str = ""
    """The tag of the language to answer in; "" if the request names none."""

    @property
    def is_continuation(self) -> bool:
        """Whether it ends with the answer so far, which the model has to continue."""
        return bool(self.contents) and self.contents[-1].get("role") == "model"

    def has_media(self) -> bool:
        """Whether any part has the data of a photo or a sound."""
        return any("inlineData" in part for content in self.contents for part in content["parts"])

    def has_images(self) -> bool:
        """Whether any part is a photo."""
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
    """Whether a part is a photo, or a picture that a model made."""
    return ("inlineData" in part or "attachment" in part) and not is_sound(part)


def text_of(content: Content) -> str:
    """The text parts of a content, joined."""
    return "".join(part.get("text", "") for part in content["parts"])


def part_bytes(part: Part) -> int:
    """The size of a part's text in bytes of UTF-8: of calls and their results as JSON, 0 for photos and sounds."""
    if "text" in part:
        return len(part["text"].encode())
    return 0 if "inlineData" in part or "attachment" in part else len(json.dumps(part))


def answers_a_call(content: Content) -> bool:
    """Whether a content has results of functions, which are not valid without the calls before them."""
    return any("functionResponse" in part for part in content["parts"])


@dataclass(frozen=True, slots=True)
class PromptMessage:
    """The fields of a stored message that a prompt needs."""

    id: Any
    parent_id: Any
    role: str
    parts: list[Part]


def path_to(said: dict[Any, PromptMessage], leaf: Any) -> list[PromptMessage]:
    """The messages from the root to `leaf`: the branch of the tree that the page shows."""
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
"""The most photos and sounds of a history. Each may have a megabyte, and every request to the model's server sends them
again."""


def history_of(path: list[PromptMessage], messages: int, size: int) -> list[Content]:
    """The newest messages of a path as contents: at most `messages` messages, `size` bytes of text and HISTORY_PHOTOS
    photos, but always the newest message. A path that was cut begins with a user's message. Thoughts and empty answers
    are left out."""
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
"""High estimates of token counts: English has four bytes per token, most other scripts three."""
WAV_LETTERS, OTHER_LETTERS = 1000, 80
"""Characters of base64 per token: a second of sound is 32 tokens (https://ai.google.dev/gemini-api/docs/audio), and
42,000 characters as WAV of 16 kHz, or 2,700 as Opus of 16 kbit/s."""


def fitting(prompt: Prompt, answer_tokens: int) -> Prompt:
    """The prompt without the oldest turns, so that by an estimate it fits its model's context, with `answer_tokens` (at
    most half of it) left for the answer.

    The newest message is always kept, with the answer so far: the model's server refuses it if it is too long.
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
    """The estimated tokens of a whole prompt."""
    parts = [part for content in prompt.contents for part in content["parts"]]
    return (
        sum(map(media_tokens, parts)) + (sum(map(part_bytes, parts)) + len(prompt.system.encode())) // BYTES_A_TOKEN + 1
    )


def media_tokens(part: Part) -> int:
    """The estimated tokens of a photo or a sound; 0 for every other part."""
    if "inlineData" not in part:
        return 0
    if not is_sound(part):
        return PHOTO_TOKENS
    return len(part["inlineData"]["data"]) // (WAV_LETTERS if type_of(part) == WAV else OTHER_LETTERS) + 1


def guess(text: str) -> int:
    """The estimated tokens of a text."""
    return len(text.encode()) // BYTES_A_TOKEN + 1


def attachments_of(contents: list[Content]) -> list[str]:
    """The ids of all stored photos and sounds in the contents, in order."""
    return [part["attachment"] for content in contents for part in content["parts"] if "attachment" in part]


def renamed(contents: list[Content], names: dict[str, str]) -> list[Content]:
    """The contents with the ids of stored photos and sounds replaced by those that `names` has for them."""

    def named(part: Part) -> Part:
        return {**part, "attachment": names.get(part["attachment"], part["attachment"])}

    return [
        {**content, "parts": [named(part) if "attachment" in part else part for part in content["parts"]]}
        for content in contents
    ]


def with_attachments(contents: list[Content], kept: dict[str, Part], left_out: int = 0) -> list[Content]:
    """The contents with each stored photo or sound replaced by its part in `kept`; the first `left_out` of them, and
    those that are deleted, by texts that say so."""
    number = count()

    def filled(part: Part) -> Part:
        if "attachment" not in part:
            return part
        what = "sound" if is_sound(part) else "photo"
        if next(number) < left_out:
            return {"text": f"[a {what} that is too far back to be sent again]"}
        return kept.get(part["attachment"], {"text": f"[a {what} that is no longer kept]"})

    return [{**content, "parts": [filled(part) for part in content["parts"]]} for content in contents]


def instruction(*texts: str, language: str | None = None) -> str:
    """The system instruction: these texts (the conversation's and the request's), and the language to answer in."""
    said = [text for text in texts if text]
    if language:
        said.append(f"Answer in the language with the tag {language}.")
    return "\n\n".join(said)
