"""The Gemini API as a door: Google's own SDKs work with only their base URL and key changed.

`POST /v1beta/models/<model>:generateContent`, `:streamGenerateContent` and `:countTokens`, in front of any provider.
The key is an access token or an API key, as `x-goog-api-key`, Bearer or `?key=`. What comes out is exactly Gemini's
stream; what happens is recorded as any other turn is (https://ai.google.dev/api/generate-content).

Names may be in snake_case. Fields that are not known here are passed on to Gemini and Vertex; other providers get those
that can be said in their language, and the rest is refused: nothing is dropped in silence.
"""

from time import monotonic
from typing import Any

import msgspec
from django.http import StreamingHttpResponse
from django.http.response import HttpResponseBase

from chat import limits
from chat.accounts import tokens
from chat.models import Stream, User
from chat.process import Process
from chat.protocol.errors import InvalidArgument, UnknownModel
from chat.protocol.prompt import Content, Model, Prompt
from chat.protocol.proto_json import camel_case
from chat.protocol.request import Ask, gemini_contents_of, system_of
from chat.providers.catalogue import Catalogue
from chat.turns.runner import Turns
from chat.turns.start import Door
from chat.views import doors
from chat.views.api import Request, api, body, chat_bytes, json_response
from chat.views.resume import HEADERS, ids_of

METHODS = ("generateContent", "streamGenerateContent")
COUNT = "countTokens"
PAGE, LARGEST_PAGE = 50, 1000

UNDERSTAND = ("gemini", "vertex")
TRANSLATED = {"openai": {"tools", "toolConfig"}}
"""Which providers understand every field, and which fields others can be told in their language."""

IGNORED = {"safetySettings", "labels"}
"""What may be missing without changing the answer: other providers have no such filters and no such accounts."""


class GenerateContent(msgspec.Struct, rename="camel"):
    """The body, as far as it means something here. There may be more in it."""

    contents: list[dict[str, Any]] | dict[str, Any]
    system_instruction: str | dict[str, Any] | None = None
    generation_config: dict[str, Any] | None = None
    model: str | None = None


KNOWN = {field.encode_name for field in msgspec.structs.fields(GenerateContent)}


class Asked:
    """A request in Gemini's language for one model; InvalidArgument where its provider cannot be told all of it."""

    def __init__(
        self,
        model: Model,
        contents: list[dict[str, Any]],
        system: str | dict[str, Any] | None,
        generation: dict[str, Any],
        extra: dict[str, Any],
    ) -> None:
        self.model, self.contents, self.system = model, contents, system
        self.generation, self.extra = generation, extra
        self._check()

    @classmethod
    def of_body(cls, raw: dict[str, Any], model: Model) -> "Asked":
        """The request that a body of the Gemini API holds."""
        named = {name: value for name, value in camel_case(raw).items() if value is not None}
        try:
            found = msgspec.convert(named, GenerateContent)
        except msgspec.ValidationError as wrong:
            raise InvalidArgument(f"The body has another shape than expected: {wrong}.") from None
        contents = found.contents if isinstance(found.contents, list) else [found.contents]
        generation = {key: value for key, value in (found.generation_config or {}).items() if value is not None}
        extra = {name: value for name, value in named.items() if name not in KNOWN and value not in ([], {}, "")}
        return cls(model, contents, found.system_instruction, generation, extra)

    def _check(self) -> None:
        """Refuse what this model's provider would have to leave out."""
        if self.model.provider in UNDERSTAND:
            return
        understood = TRANSLATED.get(self.model.provider, set())
        if unknown := self.extra.keys() - understood - IGNORED:
            raise InvalidArgument(f"The model {self.model.id} does not understand `{min(unknown)[:80]}`: leave it out.")
        if not understood and any("functionCall" in part or "functionResponse" in part for part in self._parts()):
            raise InvalidArgument(f"The model {self.model.id} calls no functions: leave their calls and results out.")

    def _parts(self) -> list[dict[str, Any]]:
        return [part for content in gemini_contents_of(self.contents) for part in content["parts"]]

    def prompt(self, user: User) -> Prompt:
        """What the model gets of it, without a conversation."""
        contents: list[Content] = gemini_contents_of(self.contents)
        return Prompt(self.model, contents, system_of(self.system), self.generation, self.extra, user.pk)

    async def start(
        self,
        turns: Turns,
        user: User,
        began: float,
        before: Stream | None = None,
        response: dict[str, Any] | None = None,
    ) -> Stream:
        """Begin the turn, in a conversation of its own or under the answer of `before`."""
        ask = Ask(contents=self.contents, model=self.model.id, generation=self.generation, system=self.system)
        if before is not None:
            ask.conversation_id, ask.parent_id = before.conversation_id, before.answer_id
        return await turns.start(user, ask, began, door=Door(self.extra, response))


@api("POST", body_bytes=chat_bytes)
async def generate(request: Request, model: str, method: str) -> HttpResponseBase:
    """One answer, whole or as it is generated: an event stream with `?alt=sse`, else one growing JSON array."""
    began = monotonic()
    user = await tokens.authenticate(request, key_header=True)
    asked = Asked.of_body(body(request, dict[str, Any], chat_bytes()), model_of(request.process.catalogue, model))
    await limits.spend("chat", user=user.pk, ip=limits.address(request))
    stream = await asked.start(request.process.turns, user, began)
    if method == "generateContent":
        answer = await doors.whole(request.process, stream)
        status = answer["error"]["code"] if "error" in answer else 200
        return json_response(answer, status, headers=ids_of(stream))
    return streamed(request.process, stream, sse=request.GET.get("alt") == "sse")


def streamed(process: Process, stream: Stream, *, sse: bool) -> StreamingHttpResponse:
    """The stream as Gemini's server would send it."""
    kind = "text/event-stream" if sse else "application/json"
    headers = {**HEADERS, **ids_of(stream), "Content-Type": kind}
    content = doors.gemini_stream(process, stream) if sse else doors.gemini_array(process, stream)
    return StreamingHttpResponse(content, headers=headers)


@api("POST", body_bytes=chat_bytes)
async def count_tokens(request: Request, model: str) -> HttpResponseBase:
    """How many tokens a request has: counted by the model's server, guessed where that cannot count."""
    user = await tokens.authenticate(request, key_header=True)
    raw = body(request, dict[str, Any], chat_bytes())
    inner = raw.get("generateContentRequest") or raw.get("generate_content_request") or raw
    asked = Asked.of_body(inner, model_of(request.process.catalogue, model))
    await limits.spend("chat", user=user.pk, ip=limits.address(request))
    return json_response(await request.process.catalogue.count_tokens(asked.prompt(user)))


def model_of(catalogue: Catalogue, name: str) -> Model:
    """The model by its id here (`provider/model`), or by its own name alone, as an SDK's user would write it.

    The default one where there is no name.
    """
    for model in catalogue.models():
        if not name:
            return model
        if name in (model.id, model.name):
            return model
    raise UnknownModel(f"There is no model {name[:80]!r} here: GET /v1beta/models lists them.")


def described(model: Model) -> dict[str, Any]:
    """A model as Gemini's `Model` resource, and as OpenAI's."""
    resource = {
        "name": f"models/{model.id}",
        "displayName": model.title or model.id,
        "supportedGenerationMethods": [*METHODS, COUNT],
        "id": model.id,
        "object": "model",
        "created": 0,
        "owned_by": model.provider,
    }
    return {**resource, "inputTokenLimit": model.context} if model.context else resource


@api("GET")
async def index(request: Request) -> HttpResponseBase:
    """The models as the SDKs of both makers list them: by pages (`pageSize`, `pageToken`) for Google's, else all."""
    await tokens.authenticate(request, key_header=True)
    models = [described(model) for model in request.process.catalogue.models()]
    size, first = number_of(request, "pageSize", PAGE), number_of(request, "pageToken", 0)
    after = first + min(max(size, 1), LARGEST_PAGE)
    more = {"nextPageToken": str(after)} if after < len(models) else {}
    return json_response({"models": models[first:after], **more, "object": "list", "data": models})


def number_of(request: Request, name: str, default: int) -> int:
    """A whole number in the query."""
    text = request.GET.get(name) or str(default)
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise InvalidArgument(f"`{name}` is not one that this server gave, or no number.")
    return int(text) or default


@api("GET")
async def one(request: Request, model: str) -> HttpResponseBase:
    """One model."""
    await tokens.authenticate(request, key_header=True)
    return json_response(described(model_of(request.process.catalogue, model)))
