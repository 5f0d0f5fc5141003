"""`gemini`: Google's Gemini API, whose language is ours, so its answers pass through as they are.

Its settings:

    GEMINI_API_KEY    sent in the header `x-goog-api-key`, never in an address
    GEMINI_BASE_URL   https://generativelanguage.googleapis.com unless set

`Gemini` is the one reader for every server that speaks `streamGenerateContent?alt=sse`; `vertex.py` gives it another
address and other credentials. What is not passed on: their `wondercam` field (the word is ours), and a finishReason
that turns out not to be the end, since some models send one with every chunk.
"""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any
from urllib.parse import quote

import msgspec

from chat.protocol import errors, events
from chat.protocol.prompt import Model, Prompt
from chat.providers import configuration, validation
from chat.providers.http.client import Connection

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

SHELL = {"candidates", "usageMetadata", "modelVersion", "responseId", "createTime"}
"""What a chunk has whether it says anything or not; what has none of it is no chunk of theirs."""

Headers = Callable[[], Awaitable[dict[str, str]]]


class Gemini:
    """A reader of Gemini streams: `address_of(model name)` is the model's URL, `headers()` the credentials."""

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
        answer = Answer(self.who)
        url = f"{self._address_of(prompt.model.name)}:streamGenerateContent?alt=sse"
        await self._connection.stream(self.who, url, request_of(prompt), await self._headers(), answer, give)
        give(events.chunk(answer.last()))


class PlainPart(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """A part that is text and nothing else."""

    text: str


class PlainContent(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """Its content."""

    parts: Annotated[list[PlainPart], msgspec.Meta(min_length=1)]
    role: str = "model"


class PlainCandidate(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """Its candidate, which has not ended."""

    content: PlainContent
    index: int = 0


class Plain(msgspec.Struct, forbid_unknown_fields=True, rename="camel", gc=False):
    """What nearly every response is: some text of one candidate, and beside it only what every response has."""

    candidates: Annotated[list[PlainCandidate], msgspec.Meta(min_length=1, max_length=1)]
    usage_metadata: dict[str, Any] | None = None
    model_version: str | None = None
    response_id: str | None = None
    create_time: str | None = None


plain = msgspec.json.Decoder(Plain).decode


class Answer:
    """Responses in, chunks out, the one with the finishReason held back until nothing follows it.

    A model that sends STOP with every response shows itself by the first one after one; from then on text goes out
    at once, without its finishReason, and the end is made from the last one seen.
    """

    def __init__(self, who: str) -> None:
        self.who = who
        self.held: events.Response | None = None
        self.repeated = False
        self.final: dict[str, Any] = {}
        self.usage: dict[str, Any] = {}
        self.model = ""

    def glance(self, data: str) -> events.Chunk | None:
        """The chunk of a plain response while no end was seen: its line goes on as it came. None for all others."""
        if self.held is not None or self.final or "\n" in data:
            return None
        try:
            found = plain(data)
        except (ValueError, RecursionError):
            return None
        if found.usage_metadata is not None:
            self.usage = found.usage_metadata
        self.model = found.model_version or self.model
        first, *others = found.candidates[0].content.parts
        parts = [{"text": first.text}]
        if others:
            parts += [{"text": part.text} for part in others]
        return events.Chunk(data, parts, None, found.usage_metadata)

    def may_end(self) -> bool:
        """Whether an end was seen."""
        return self.held is not None or bool(self.final)

    def read(self, chunk: events.Response) -> list[events.Chunk]:
        """What can be passed on now. Raises BadUpstream for a wrong shape, Blocked where the prompt was refused."""
        if not validation.is_sound(chunk):
            raise validation.unsound(self.who)
        chunk.pop("wondercam", None)
        if "promptFeedback" in chunk:
            self._check_blocked(chunk)
        if isinstance(usage := chunk.get("usageMetadata"), dict):
            self.usage = usage
        self.model = chunk.get("modelVersion") or self.model
        parts, reason = events.look(chunk)
        if reason is None and self.held is None:
            return [events.chunk(chunk)] if parts or says_something(chunk) else []
        given = []
        if self.held is not None:
            self.repeated = True
            given.append(self._without_end(self.held))
            self.held = None
        if reason is None:
            given.append(chunk)
        elif self.repeated:
            given.append(self._without_end(chunk))
        else:
            self.held = chunk
        return [events.chunk(response) for response in given if says_something(response)]

    def last(self) -> events.Response:
        """The last response; raises Truncated where no finishReason ever came."""
        if self.held is not None:
            self.held.setdefault("usageMetadata", self.usage)
            return self.held
        if not self.final:
            raise errors.Truncated(f"{self.who} ended the answer in the middle.")
        response = events.finish("", self.usage, self.model)
        response["candidates"][0].update(self.final)
        return response

    def _without_end(self, chunk: events.Response) -> events.Response:
        candidate = chunk["candidates"][0]
        self.final = {name: candidate.pop(name) for name in ("finishReason", "finishMessage") if name in candidate}
        return chunk

    def _check_blocked(self, chunk: events.Response) -> None:
        feedback = chunk.get("promptFeedback")
        reason = feedback.get("blockReason") if isinstance(feedback, dict) else None
        if reason and not chunk.get("candidates"):
            raise errors.Blocked(f"{self.who} refused this message {BLOCKED.get(str(reason), 'and does not say why')}.")


def says_something(response: events.Response) -> bool:
    """Whether a response without an end is worth an event: parts, or anything beside the bare shells."""
    candidates = response.get("candidates") or []
    return bool(
        events.parts_of(response)
        or any(set(candidate) - {"content", "index"} for candidate in candidates)
        or (set(response) - SHELL and set(response) & SHELL)
    )


def request_of(prompt: Prompt) -> dict[str, Any]:
    """The prompt as Gemini's request: contents and unknown fields untouched."""
    body: dict[str, Any] = {**prompt.extra, "contents": prompt.contents}
    if prompt.system:
        body["systemInstruction"] = {"parts": [{"text": prompt.system}]}
    if prompt.generation:
        body["generationConfig"] = prompt.generation
    return body


def models_of(settings: configuration.Settings, provider: str, default: str) -> tuple[Model, ...]:
    """The models that WONDERCAM_MODELS names for the provider, or the default one where it is not set."""
    names = configuration.named(settings, provider)
    if not names and not configuration.text(settings, "WONDERCAM_MODELS"):
        names = [default]
    return tuple(Model(provider, name, images=True, context=CONTEXT) for name in names)


def from_settings(settings: configuration.Settings) -> Gemini | None:
    """Configured by GEMINI_API_KEY."""
    key = configuration.secret(settings, "GEMINI_API_KEY")
    if not key:
        return None
    base = configuration.address(settings, "GEMINI_BASE_URL", BASE_URL)
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
