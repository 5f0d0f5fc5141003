"""`gemini`: Google's Gemini API, whose language is ours, so its answers pass through as they are.

Its settings:

    GEMINI_API_KEY    sent in the header `x-goog-api-key`, never in an address
    GEMINI_BASE_URL   https://generativelanguage.googleapis.com unless set

`Gemini` is the one reader for every server that speaks `streamGenerateContent?alt=sse`; `vertex.py` gives it another
address and other credentials. What is not passed on: their `wondercam` field (the word is ours). Which finishReason is
the end, since some models send one with every response, is found in `ending.py`.
"""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Literal
from urllib.parse import quote

import msgspec

from chat.protocol import errors, events
from chat.protocol.prompt import SOUND_TYPES, Model, Prompt
from chat.protocol.proto_json import camel_case
from chat.providers import validation
from chat.providers.choice import AnswersChoice
from chat.providers.http.client import Connection
from chat.providers.http.decoding import Halves, in_whole_characters
from chat.providers.settings import Settings, address, named, secret, text

BASE_URL = "https://generativelanguage.googleapis.com"
DEFAULT_MODEL = "gemini-flash-latest"
CONTEXT = 1_000_000

BLOCKED = {
    "SAFETY": "for safety reasons",
    "IMAGE_SAFETY": "because of the photo, for safety reasons",
    "BLOCKLIST": "because it holds a word that is blocked",
    "PROHIBITED_CONTENT": "because its content is prohibited",
    "MODEL_ARMOR": "by a filter of its operator",
    "JAILBREAK": "as an attempt to get round its rules",
}

SAID_WHEN_BLOCKED = ("promptFeedback", "usageMetadata", "modelVersion", "responseId")

Headers = Callable[[], Awaitable[dict[str, str]]]


class Gemini:
    """A reader of Gemini streams: `address_of(model name)` is the model's URL, `headers()` the credentials."""

    goes_on = True
    """A last content of the model's is the beginning of the answer."""

    def __init__(
        self,
        name: str,
        who: str,
        models: tuple[Model, ...],
        address_of: Callable[[str], str],
        headers: Headers,
        connection: Connection,
    ) -> None:
        self.name = name
        self.who = who
        self._models = models
        self._address_of = address_of
        self._headers = headers
        self._connection = connection

    def models(self) -> tuple[Model, ...]:
        """What is configured."""
        return self._models

    async def close(self) -> None:
        """Close the connections."""
        await self._connection.close()

    async def answer(self, prompt: Prompt, give: events.Give) -> None:
        """Give Gemini's responses; the last one carries the finishReason and the usage. Raises ApiError."""
        url = f"{self._address_of(prompt.model.name)}:streamGenerateContent?alt=sse"
        reader = GeminiReader(self.who)
        await self._connection.stream(self.who, url, request_of(prompt), await self._headers(), reader, give)

    async def count_tokens(self, prompt: Prompt) -> dict[str, Any]:
        """What Gemini counts of a prompt: `{"totalTokens", …}`. Raises ApiError."""
        url = f"{self._address_of(prompt.model.name)}:countTokens"
        body = request_of(prompt)
        if self.name == "gemini":  # Vertex takes the fields themselves
            body = {"generateContentRequest": {"model": f"models/{prompt.model.name}", **body}}
        found = await self._connection.post(self.who, url, body, await self._headers())
        if not isinstance(found, dict) or not isinstance(found.get("totalTokens"), int):
            raise validation.unsound(self.who)
        return found


class PlainPart(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """A part that is text and nothing else."""

    text: str


class PlainContent(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """Its content."""

    parts: Annotated[list[PlainPart], msgspec.Meta(min_length=1)]
    role: str = "model"


class PlainCandidate(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """Its candidate: the answer's, and it has not ended."""

    content: PlainContent
    index: Literal[0] = 0


class Plain(msgspec.Struct, forbid_unknown_fields=True, rename="camel", gc=False):
    """What nearly every response is: some text of one candidate, and beside it only what every response has."""

    candidates: Annotated[list[PlainCandidate], msgspec.Meta(min_length=1, max_length=1)]
    usage_metadata: dict[str, Any] | None = None
    model_version: str | None = None
    response_id: str | None = None
    create_time: str | None = None


plain = msgspec.json.Decoder(Plain).decode


class GeminiReader:
    """Responses in, chunks out, in proto3's JSON as its own readers take it: nulls are absent, enums may be numbers."""

    def __init__(self, who: str) -> None:
        self.who = who
        self._spoke = self._reasoned = False
        self._choice = AnswersChoice()
        self._halves = {False: Halves(), True: Halves()}
        self._split = False

    def glance(self, data: str) -> events.Chunk | None:
        """The chunk of a plain response: its line goes on as it came. None for all others."""
        if self._split or "\n" in data:
            return None
        try:
            found = plain(data)
        except (ValueError, RecursionError):
            return None
        self._spoke = True
        self._choice.index = 0
        first, *others = found.candidates[0].content.parts
        parts = [{"text": first.text}]
        if others:
            parts += [{"text": part.text} for part in others]
        return events.Chunk(data, parts, None, found.usage_metadata)

    def read(self, chunk: events.Response) -> list[events.Chunk]:
        """What can be passed on now. Raises BadUpstream for a wrong shape, Blocked where the prompt was refused."""
        chunk = without_nulls(chunk)
        if "candidates" not in chunk and isinstance(inner := chunk.get("response"), dict):  # gateways wrap it
            chunk = without_nulls(inner)
        if "modelVersion" not in chunk and is_snake_case(chunk):
            chunk = camel_case(chunk)
        chunk.pop("wondercam", None)
        if "candidates" not in chunk:
            return self._whole(chunk)
        try:
            found = self._choice.of(chunk["candidates"])
        except ValueError:
            raise validation.unsound(self.who) from None
        candidates = [self._candidate(each) for each in found]
        chunk["candidates"] = candidates[-1:]
        kept = [given for each in candidates[:-1] for given in self._whole({"candidates": [each]})]
        return [*kept, *self._whole(chunk)] if kept else self._whole(chunk)

    def _whole(self, chunk: events.Response) -> list[events.Chunk]:
        """A response with one candidate or none."""
        if not validation.is_sound(chunk):
            raise validation.unsound(self.who)
        if "promptFeedback" in chunk:
            self._check_blocked(chunk)
        parts, reason = events.look(chunk)
        self._spoke, self._reasoned = self._spoke or bool(parts), self._reasoned or reason is not None
        if reason is None and not parts and not validation.says_something(chunk) and "usageMetadata" not in chunk:
            return []
        return [self._chunk(chunk)]

    def _candidate(self, found: dict[str, Any]) -> dict[str, Any]:
        """The answer's candidate in the types that readers know."""
        candidate = without_nulls(found)
        if candidate.get("index"):
            candidate["index"] = 0
        reason = reason_of(candidate.pop("finishReason", None))
        if reason is not None:
            candidate["finishReason"] = reason
        content = candidate.get("content")
        if isinstance(content, dict):
            candidate["content"] = content = without_nulls(content)
            parts = content.get("parts")
            if isinstance(parts, dict):
                parts = [parts]
            if isinstance(parts, list):
                content["parts"] = [self._part(part) for part in parts if part is not None]
        return candidate

    def _part(self, part: Any) -> Any:
        if isinstance(part, str):
            part = {"text": part}
        if not isinstance(part, dict):
            return part
        part = without_nulls(part)
        if isinstance(text := part.get("text"), str):
            halves = self._halves[bool(part.get("thought"))]
            part["text"] = halves.join(text)
            self._split = any(each.half for each in self._halves.values())
        return part

    def _chunk(self, response: events.Response) -> events.Chunk:
        try:
            return events.chunk(response)
        except UnicodeEncodeError:
            return events.chunk(in_whole_characters(response))

    def end(self, *, done: bool) -> list[events.Chunk]:
        """Half a character may be left. `[DONE]`, which Gemini does not send, ends an answer without a reason."""
        kept = [{"candidates": [self._candidate(each)]} for each in self._choice.rest()]
        given = [chunk for response in kept for chunk in self._whole(response)]
        if rest := self._halves[False].rest():
            given.append(events.chunk(events.delta(rest)))
        return [*given, events.chunk(events.finish("STOP"))] if done and self._spoke and not self._reasoned else given

    def _check_blocked(self, chunk: events.Response) -> None:
        feedback = chunk.get("promptFeedback")
        reason = feedback.get("blockReason") if isinstance(feedback, dict) else None
        if reason and not chunk.get("candidates"):
            sentence = f"{self.who} refused this message {BLOCKED.get(str(reason), 'and does not say why')}."
            raise errors.Blocked(sentence, gemini={name: chunk[name] for name in SAID_WHEN_BLOCKED if name in chunk})


def without_nulls(found: dict[str, Any]) -> dict[str, Any]:
    """A message's fields that are there: null is absent (https://protobuf.dev/programming-guides/json)."""
    return {name: value for name, value in found.items() if value is not None}


def is_snake_case(chunk: events.Response) -> bool:
    """Whether a response is written with proto3's own names, as Python's libraries do."""
    candidates = chunk.get("candidates")
    fields = [chunk, *(candidates if isinstance(candidates, list) else ())]
    return any("_" in name for each in fields if isinstance(each, dict) for name in each)


REASONS = ("", "STOP", "MAX_TOKENS", "SAFETY", "RECITATION", "OTHER")
"""The enum's numbers that mean the same in every version of the API."""


def reason_of(found: Any) -> Any:
    """A candidate's finishReason as its name; None where it is unspecified, which is no end."""
    if isinstance(found, int) and not isinstance(found, bool):
        found = REASONS[found] if 0 <= found < len(REASONS) else "OTHER"
    if isinstance(found, str):
        found = found.strip().upper()
    return None if found in ("", "FINISH_REASON_UNSPECIFIED") else found


def request_of(prompt: Prompt) -> dict[str, Any]:
    """The prompt as Gemini's request: contents and unknown fields untouched."""
    body: dict[str, Any] = {**prompt.extra, "contents": prompt.contents}
    if prompt.system:
        body["systemInstruction"] = {"parts": [{"text": prompt.system}]}
    if prompt.generation:
        body["generationConfig"] = prompt.generation
    return body


def models_of(settings: Settings, provider: str, default: str) -> tuple[Model, ...]:
    """The models that WONDERCAM_MODELS names for the provider, or the default one where it is not set."""
    names = named(settings, provider)
    if not names and not text(settings, "WONDERCAM_MODELS"):
        names = [default]
    return tuple(Model(provider, name, images=True, sounds=SOUND_TYPES, context=CONTEXT) for name in names)


def from_settings(settings: Settings) -> Gemini | None:
    """Configured by GEMINI_API_KEY."""
    key = secret(settings, "GEMINI_API_KEY")
    if not key:
        return None
    base = address(settings, "GEMINI_BASE_URL", BASE_URL)
    if not base.endswith(("/v1", "/v1beta")):
        base += "/v1beta"

    async def headers() -> dict[str, str]:
        return {"x-goog-api-key": key}

    return Gemini(
        "gemini",
        "Gemini",
        models_of(settings, "gemini", DEFAULT_MODEL),
        lambda model: f"{base}/models/{quote(model, safe='')}",
        headers,
        Connection.from_settings(settings),
    )
