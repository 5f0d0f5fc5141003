"""`gemini`: Google's Gemini API. WonderCam stores its format, so responses are passed on as they are.

Its settings:

    GEMINI_API_KEY    sent in the header `x-goog-api-key`, never in a URL
    GEMINI_BASE_URL   default: https://generativelanguage.googleapis.com

`Gemini` reads all servers with `streamGenerateContent?alt=sse`; `vertex.py` gives it other URLs and credentials. The
field `wondercam` of a response is dropped: that name is WonderCam's. `ending.py` decides which finishReason is the end.
"""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Literal
from urllib.parse import quote

import msgspec

from chat.protocol import errors, events
from chat.protocol.prompt import CHAT_COMPLETION, Model, Prompt
from chat.protocol.proto_json import camel_case
from chat.providers import validation
from chat.providers.choice import AnswersChoice
from chat.providers.gemini_format import block_reason_of, candidate_of, enveloped, is_snake_case, without_nulls
from chat.providers.gemini_models import models_of
from chat.providers.http.client import Connection
from chat.providers.http.decoding import Halves, in_whole_characters
from chat.providers.http.error_mapping import refused
from chat.providers.settings import Settings, address, secret

BASE_URL = "https://generativelanguage.googleapis.com"
DEFAULT_MODEL = "gemini-flash-latest"

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
    """A provider of Gemini's API. `address_of(model name)` returns the model's URL, `headers()` the credentials."""

    can_continue = True
    """The server continues a last content of the model's role."""

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
        """The configured models."""
        return self._models

    async def close(self) -> None:
        """Close the connections."""
        await self._connection.close()

    async def answer(self, prompt: Prompt, give: events.Give) -> None:
        """Pass the answer's chunks to `give` as they arrive. Raises ApiError."""
        url = f"{self._address_of(prompt.model.name)}:streamGenerateContent?alt=sse"
        reader = GeminiReader(self.who)
        await self._connection.stream(self.who, url, request_of(prompt), await self._headers(), reader, give)

    async def count_tokens(self, prompt: Prompt) -> dict[str, Any]:
        """Return the response of `countTokens`: `{"totalTokens": …}` and other fields. Raises ApiError."""
        url = f"{self._address_of(prompt.model.name)}:countTokens"
        body = request_of(prompt)
        if self.name == "gemini":  # Vertex takes the fields themselves
            body = {"generateContentRequest": {"model": f"models/{prompt.model.name}", **body}}
        found = await self._connection.post(self.who, url, body, await self._headers())
        if not isinstance(found, dict) or not isinstance(found.get("totalTokens"), int):
            raise validation.unsound(self.who)
        return found


class PlainPart(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """A part that has only text."""

    text: str


class PlainContent(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """A content that has only such parts."""

    parts: Annotated[list[PlainPart], msgspec.Meta(min_length=1)]
    role: str = "model"


class PlainCandidate(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """A candidate of index 0 with such content and without a finishReason."""

    content: PlainContent
    index: Literal[0] = 0


class Plain(msgspec.Struct, forbid_unknown_fields=True, rename="camel", gc=False):
    """The usual response, which the fast path reads: text of one candidate and the fields that all responses have."""

    candidates: Annotated[list[PlainCandidate], msgspec.Meta(min_length=1, max_length=1)]
    usage_metadata: dict[str, Any] | None = None
    model_version: str | None = None
    response_id: str | None = None
    create_time: str | None = None


plain = msgspec.json.Decoder(Plain).decode


class GeminiReader:
    """Reads responses and returns chunks. It accepts proto3's JSON as protobuf's own parsers do: null means that a
    field is absent, enums may be numbers."""

    def __init__(self, who: str) -> None:
        self.who = who
        self._spoke = self._reasoned = False
        self._choice = AnswersChoice()
        self._halves = {False: Halves(), True: Halves()}
        self._split = False

    def glance(self, data: str) -> events.Chunk | None:
        """Return the chunk of a `Plain` response, whose JSON is passed on unchanged; None for others (fast path)."""
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
        """Return the chunks that can be passed on now. Raises BadUpstream for an invalid format, Blocked if the prompt
        was refused."""
        chunk = without_nulls(chunk)
        if "candidates" not in chunk and (inner := enveloped(chunk)) is not None:
            chunk = without_nulls(inner)
            if error := chunk.get("error"):
                raise refused(error, self.who)
        if is_snake_case(chunk):
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
        """Return the chunk of a response with at most one candidate; none if it has no content."""
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
        """Return the candidate with index 0, its finishReason as a name, and its parts in whole characters."""
        candidate = candidate_of(found)
        content = candidate.get("content")
        if isinstance(content, dict) and isinstance(parts := content.get("parts"), list):
            for part in parts:
                if isinstance(part, dict) and isinstance(text := part.get("text"), str):
                    part["text"] = self._halves[bool(part.get("thought"))].join(text)
            self._split = any(each.half for each in self._halves.values())
        return candidate

    def _chunk(self, response: events.Response) -> events.Chunk:
        try:
            return events.chunk(response)
        except UnicodeEncodeError:
            return events.chunk(in_whole_characters(response))

    def end(self, *, done: bool) -> list[events.Chunk]:
        """Return the remaining chunks. `[DONE]` (`done`, not sent by Gemini) ends an answer without finishReason."""
        kept = [{"candidates": [self._candidate(each)]} for each in self._choice.rest()]
        given = [chunk for response in kept for chunk in self._whole(response)]
        if rest := self._halves[False].rest():
            given.append(events.chunk(events.delta(rest)))
        return [*given, events.chunk(events.finish("STOP"))] if done and self._spoke and not self._reasoned else given

    def _check_blocked(self, chunk: events.Response) -> None:
        feedback = chunk.get("promptFeedback")
        reason = block_reason_of(feedback.get("blockReason")) if isinstance(feedback, dict) else None
        if reason is not None and not chunk.get("candidates"):
            sentence = f"{self.who} refused this message {BLOCKED.get(str(reason), 'and does not say why')}."
            raise errors.Blocked(sentence, gemini={name: chunk[name] for name in SAID_WHEN_BLOCKED if name in chunk})


def request_of(prompt: Prompt) -> dict[str, Any]:
    """Return the body of the request, with contents and unknown fields unchanged."""
    body: dict[str, Any] = {**prompt.extra, "contents": prompt.contents}
    body.pop(CHAT_COMPLETION, None)
    if prompt.system:
        body["systemInstruction"] = {"parts": [{"text": prompt.system}]}
    if prompt.generation:
        body["generationConfig"] = prompt.generation
    return body


def from_settings(settings: Settings) -> Gemini | None:
    """Return the provider if GEMINI_API_KEY is set, else None. Raises ValueError for an invalid key or URL."""
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
