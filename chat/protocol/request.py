"""What a client asks: the body of `/v2/echat` and `/v2/chat`, checked to the last field before anything is stored.

`contents` is either a list of parts (the newest user turn; the server adds the conversation's history) or Gemini's
own list of `{role, parts}`. A part is a text, a photo as `inlineData`, or a stored photo as `attachment`. Photos by
address are refused: the server fetches nothing on a client's word.
"""

import re
from typing import Any, TypeVar
from uuid import UUID

import msgspec

from chat.protocol.errors import InvalidArgument
from chat.protocol.prompt import Content, Part

Shape = TypeVar("Shape")
UNDERSCORE = re.compile(r"_([a-z])")


class InlineData(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    """A photo in the body: its type and its bytes in base64."""

    mime_type: str
    data: str


class AskPart(msgspec.Struct, forbid_unknown_fields=True, rename="camel", omit_defaults=True):
    """One part; exactly one of its fields is set."""

    text: str | None = None
    inline_data: InlineData | None = None
    attachment: UUID | None = None

    def __post_init__(self) -> None:
        if (self.text, self.inline_data, self.attachment).count(None) != 2:
            raise ValueError("a part has exactly one of `text`, `inlineData`, `attachment`")


class AskContent(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """One message: who says it, and its parts."""

    parts: list[AskPart]
    role: str = "user"

    def __post_init__(self) -> None:
        if self.role not in ("user", "model"):
            raise ValueError("`role` is `user` or `model`")


class GenerationConfig(msgspec.Struct, rename="camel"):
    """The fields of Gemini's `generationConfig` that have bounds; the others are passed on to Gemini as they are."""

    temperature: float | None = None
    top_p: float | None = None
    top_k: float | None = None
    max_output_tokens: int | None = None
    stop_sequences: list[str] | None = None
    candidate_count: int | None = None
    seed: int | None = None
    presence_penalty: float | None = None
    frequency_penalty: float | None = None

    def __post_init__(self) -> None:
        if self.temperature is not None and not 0 <= self.temperature <= 2:
            raise ValueError("`temperature` is from 0 to 2")
        if self.top_p is not None and not 0 <= self.top_p <= 1:
            raise ValueError("`topP` is from 0 to 1")
        if self.max_output_tokens is not None and self.max_output_tokens < 1:
            raise ValueError("`maxOutputTokens` is at least 1")
        if self.candidate_count not in (None, 1):
            raise ValueError("`candidateCount` is 1: a stream is one answer")


class Ask(msgspec.Struct, forbid_unknown_fields=True):
    """The body as it arrives. `contents` may be left out where `parent_id` names a user's message to answer again.

    `parent_id` is the message that the new one follows: the newest where it is left out, none where it is null.
    """

    contents: list[dict[str, Any]] | None = None
    conversation_id: UUID | None = None
    parent_id: UUID | msgspec.UnsetType | None = msgspec.UNSET
    model: str | None = None
    language: str | None = None
    generation: dict[str, Any] = msgspec.field(name="generationConfig", default_factory=dict)
    system: str | dict[str, Any] | None = msgspec.field(name="systemInstruction", default=None)
    stream: bool = True
    request_id: str | None = None

    def __post_init__(self) -> None:
        if self.request_id is not None and not 1 <= len(self.request_id) <= 200:
            raise ValueError("`request_id` has 1 to 200 characters")
        if self.language is not None and not (len(self.language) <= 40 and self.language.replace("-", "a").isalnum()):
            raise ValueError("`language` is a language tag such as `en` or `pt-BR`")


def camel_case(value: Any) -> Any:
    """Every key in camelCase: Gemini takes `inline_data` for `inlineData`, and Google's own SDKs send `mime_type`."""
    if isinstance(value, list):
        return [camel_case(item) for item in value]
    if isinstance(value, dict):
        return {UNDERSCORE.sub(lambda found: found[1].upper(), key): camel_case(v) for key, v in value.items()}
    return value


def read(raw: Any, shape: type[Shape]) -> Shape:
    """The value as `shape`, its keys in camelCase or not. Most are, and need not be gone through for it."""
    try:
        return msgspec.convert(raw, shape)
    except msgspec.ValidationError:
        return msgspec.convert(camel_case(raw), shape)


def contents_of(raw: list[dict[str, Any]] | None) -> list[Content]:
    """The request's contents as a list of `{role, parts}` whose last is the user's; InvalidArgument otherwise."""
    if not raw:
        raise InvalidArgument('`contents` is empty: send at least one part, such as {"text": "…"}.')
    try:
        contents = read(raw, list[AskContent]) if "parts" in raw[0] else [AskContent(parts=read(raw, list[AskPart]))]
    except msgspec.ValidationError as wrong:
        raise InvalidArgument(f"`contents` cannot be used: {wrong}.") from None
    if any(not content.parts for content in contents):
        raise InvalidArgument("`contents` has a message without parts.")
    if contents[-1].role != "user":
        raise InvalidArgument("`contents` ends with the model's message: the last one must be the user's.")
    found: list[Content] = msgspec.to_builtins(contents)
    return [{"role": content.get("role", "user"), "parts": content["parts"]} for content in found]


def check_generation(raw: dict[str, Any]) -> None:
    """Check the bounded fields of `generationConfig`."""
    try:
        msgspec.convert(raw, GenerationConfig)
    except msgspec.ValidationError as wrong:
        raise InvalidArgument(f"`generationConfig` cannot be used: {wrong}.") from None


def system_of(raw: str | dict[str, Any] | None) -> str:
    """The request's `systemInstruction`, a text or a content, as text."""
    if raw is None or isinstance(raw, str):
        return raw or ""
    try:
        content = read({**raw, "role": "user"}, AskContent)
    except msgspec.ValidationError as wrong:
        raise InvalidArgument(f"`systemInstruction` cannot be used: {wrong}.") from None
    return "\n".join(part.text for part in content.parts if part.text)


def text_bytes(contents: list[Content]) -> int:
    """The size of all text, in bytes of UTF-8."""
    parts: list[Part] = [part for content in contents for part in content["parts"]]
    return sum(len(part.get("text", "").encode()) for part in parts)
