"""The body of `/v2/echat` and `/v2/chat`, and its validation.

`contents` is either a list of parts (the new user message, to which the server adds the conversation's history) or
Gemini's list of `{role, parts}`. A part is a text, a photo or sound as `inlineData`, or a stored one as `attachment`.
Files by URL are refused: the server fetches nothing that a client names.
"""

from typing import Annotated, Any, TypeVar
from uuid import UUID

import msgspec
from msgspec import Meta

from chat.protocol.errors import InvalidArgument
from chat.protocol.prompt import Content, Model, Part, part_bytes
from chat.protocol.proto_json import camel_case

Shape = TypeVar("Shape")

PICTURE_FIELDS = {"inlineData", "attachment"}
NOT_PARTS = {"fileData"}
"""Parts with which a client would make the server, or the upstream with the server's key, fetch a URL."""

ROLES = {"user": "user", "model": "model", "function": "user", "tool": "user"}


class InlineData(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    """A photo or a sound in the body, in base64."""

    mime_type: str
    data: str


class AskPart(msgspec.Struct, forbid_unknown_fields=True, rename="camel", omit_defaults=True):
    """One part; exactly one of `text`, `inlineData`, `attachment` is set. `mimeType` is accepted beside a stored sound,
    as the messages of a conversation have it, and ignored: the server has stored the type."""

    text: str | None = None
    inline_data: InlineData | None = None
    attachment: UUID | None = None
    mime_type: str | None = None

    def __post_init__(self) -> None:
        if (self.text, self.inline_data, self.attachment).count(None) != 2:
            raise ValueError("a part has exactly one of `text`, `inlineData`, `attachment`")
        if self.mime_type is not None and self.attachment is None:
            raise ValueError("a part has `mimeType` only beside `attachment`")


class AskContent(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """One message: its role and its parts."""

    parts: list[AskPart]
    role: str = "user"

    def __post_init__(self) -> None:
        if self.role not in ("user", "model"):
            raise ValueError("`role` is `user` or `model`")


class GenerationConfig(msgspec.Struct, rename="camel"):
    """The fields of Gemini's `generationConfig` that are checked; others are passed on to Gemini unchanged."""

    temperature: float | None = None
    top_p: float | None = None
    top_k: int | float | None = None
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


BOUNDED = {field.encode_name: field.name for field in msgspec.structs.fields(GenerationConfig)}
"""The checked fields, by their names in JSON."""


PASS_GENERATION = ("gemini", "vertex", "recording")
"""The providers that are given every field, or none."""


TRANSLATED: dict[str, tuple[Any, ...] | None] = {
    "responseMimeType": ("text/plain", "application/json"),
    "responseModalities": (["TEXT"], ["text"]),
    **dict.fromkeys(("responseSchema", "responseJsonSchema", "thinkingConfig", "mediaResolution")),
}
"""Other fields that other providers translate, or that do not change the words of an answer, with their values; None
for any."""


class Ask(msgspec.Struct, forbid_unknown_fields=True):
    """The body. `contents` may be missing if `parent_id` names a user's message that is to be answered again.

    `parent_id` is the message that the new one follows: the newest by default, none if it is null.
    """

    contents: Annotated[list[dict[str, Any]], Meta(extra_json_schema={"minItems": 1})] | None = None
    conversation_id: UUID | None = None
    parent_id: UUID | msgspec.UnsetType | None = msgspec.UNSET
    model: str | None = None
    language: Annotated[str, Meta(extra_json_schema={"pattern": "^[A-Za-z0-9-]{1,40}$"})] | None = None
    generation: dict[str, Any] = msgspec.field(name="generationConfig", default_factory=dict)
    system: str | dict[str, Any] | None = msgspec.field(name="systemInstruction", default=None)
    stream: bool = True
    request_id: Annotated[str, Meta(extra_json_schema={"minLength": 1, "maxLength": 200})] | None = None

    def __post_init__(self) -> None:
        if self.request_id is not None and not 1 <= len(self.request_id) <= 200:
            raise ValueError("`request_id` has 1 to 200 characters")
        if self.language is not None and not (len(self.language) <= 40 and self.language.replace("-", "a").isalnum()):
            raise ValueError("`language` is a language tag such as `en` or `pt-BR`")


def read(raw: Any, shape: type[Shape]) -> Shape:
    """The value as `shape`; its keys, in camelCase or snake_case, are converted only if the first attempt fails."""
    try:
        return msgspec.convert(raw, shape)
    except msgspec.ValidationError:
        return msgspec.convert(camel_case(raw), shape)


def contents_of(raw: list[dict[str, Any]] | None) -> list[Content]:
    """The contents as a list of `{role, parts}` that ends with a user's message; InvalidArgument otherwise."""
    if not raw:
        raise InvalidArgument('`contents` is empty: send at least one part, such as {"text": "…"}.')
    try:
        contents = read(raw, list[AskContent]) if "parts" in raw[0] else [AskContent(parts=read(raw, list[AskPart]))]
    except msgspec.ValidationError as wrong:
        raise InvalidArgument(f"`contents` cannot be used: {wrong}.") from None
    if any(not content.parts for content in contents):
        raise InvalidArgument("`contents` has a message without parts.")
    built = msgspec.to_builtins(contents)
    found: list[Content] = [{"role": content.get("role", "user"), "parts": content["parts"]} for content in built]
    check_last(found[-1])
    return found


def check_last(content: Content) -> None:
    """Raise InvalidArgument unless the newest message is the user's, and says anything."""
    if content["role"] != "user":
        raise InvalidArgument("`contents` ends with the model's message: the last one must be the user's.")
    if not any(part.get("text", True) for part in content["parts"]):
        raise InvalidArgument("The newest message is empty: send a text, a photo or a sound.")


def gemini_contents_of(raw: Any) -> list[Content]:
    """The contents of a request of the Gemini API: the same, with parts of every other kind unchanged, such as function
    calls and their results, code, thoughts and their signatures. Roles may be missing. The model's contents without
    parts are left out: Google's SDK for Python sends the last, empty, chunk of an answer as one."""
    if raw == []:
        raise InvalidArgument('`contents` is empty: send at least one part, such as {"text": "…"}.')
    found = [each if isinstance(each, dict) else {"parts": None} for each in (raw if isinstance(raw, list) else [raw])]
    contents = [{"role": ROLES.get(each.get("role") or "user"), "parts": each.get("parts")} for each in found]
    if not contents or any(content["role"] is None for content in contents):
        raise InvalidArgument("`contents` has a message whose `role` is neither `user` nor `model`.")
    *earlier, last = contents
    contents = [*(each for each in earlier if each["parts"] or each["role"] != "model"), last]
    for content in contents:
        parts = [content["parts"]] if isinstance(content["parts"], dict) else content["parts"]
        if not isinstance(parts, list) or not parts or not all(isinstance(part, dict) and part for part in parts):
            raise InvalidArgument("`contents` has a message without `parts`.")
        content["parts"] = [_gemini_part(camel_case(part)) for part in parts]
    check_last(last)
    return contents


def _gemini_part(part: Part) -> Part:
    part = {name: value for name, value in part.items() if value is not None}
    if not NOT_PARTS.isdisjoint(part):
        raise InvalidArgument("Files are not fetched from URLs: send the photo or the sound itself as `inlineData`.")
    try:
        if not PICTURE_FIELDS.isdisjoint(part):
            picture = {name: part.pop(name) for name in PICTURE_FIELDS & part.keys()}
            if isinstance(blob := picture.get("inlineData"), dict):
                picture["inlineData"] = {name: blob[name] for name in ("mimeType", "data") if name in blob}
            return {**part, **msgspec.to_builtins(msgspec.convert(picture, AskPart))}
        if not isinstance(part.get("text", ""), str):
            raise msgspec.ValidationError("Expected `str` - at `$.text`")
        for name in ("functionCall", "functionResponse"):
            if not isinstance(part.get(name, {}), dict):
                raise msgspec.ValidationError(f"Expected `object` - at `$.{name}`")
    except msgspec.ValidationError as wrong:
        raise InvalidArgument(f"`contents` cannot be used: {wrong}.") from None
    return part


def check_generation(raw: dict[str, Any], model: Model) -> None:
    """Check `generationConfig`, and convert its numbers in place: proto3's JSON may have them as strings or with a
    decimal point (https://protobuf.dev/programming-guides/json). InvalidArgument for values out of bounds, and for
    fields that the model's provider would have to drop."""
    if model.provider not in PASS_GENERATION:
        for name, value in raw.items():
            values = TRANSLATED.get(name, ())
            if name not in BOUNDED and values is not None and value not in values:
                raise InvalidArgument(
                    f"The model {model.id} does not understand `{name[:80]}` in `generationConfig`: leave it out."
                )
    try:
        found = msgspec.convert(raw, GenerationConfig, strict=False)
    except msgspec.ValidationError as wrong:
        raise InvalidArgument(f"`generationConfig` cannot be used: {wrong}.") from None
    for name, attribute in BOUNDED.items():
        if raw.get(name) is not None:
            raw[name] = getattr(found, attribute)


def system_of(raw: str | dict[str, Any] | None) -> str:
    """The text of a `systemInstruction`, which is a string or a content."""
    if raw is None or isinstance(raw, str):
        return raw or ""
    try:
        parts = [raw["parts"]] if isinstance(raw.get("parts"), dict) else raw.get("parts")
        content = read({"parts": parts, "role": "user"}, AskContent)
    except msgspec.ValidationError as wrong:
        raise InvalidArgument(f"`systemInstruction` cannot be used: {wrong}.") from None
    if any(part.text is None for part in content.parts):
        raise InvalidArgument("`systemInstruction` is text: photos and sounds go into a message.")
    return "\n".join(part.text for part in content.parts if part.text)


def text_bytes(contents: list[Content]) -> int:
    """The size of all text and function calls, in bytes of UTF-8."""
    return sum(part_bytes(part) for content in contents for part in content["parts"])
