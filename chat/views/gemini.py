"""The Gemini API in front of every provider: Google's SDKs work with only their base URL and key changed.

`POST /v1beta/models/<model>:generateContent`, `:streamGenerateContent` and `:countTokens`. The key is an access token
or an API key, as `x-goog-api-key`, Bearer or `?key=`. Responses have exactly Gemini's format, and every request is
recorded as a turn (https://ai.google.dev/api/generate-content).

Field names may be in snake_case. Unknown fields are passed on to Gemini and Vertex AI; for other providers they are
translated or refused: no field is dropped silently.
"""

import re
from time import monotonic
from typing import Any

import msgspec
from django.http import StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.views.decorators.csrf import csrf_exempt

from chat import limits
from chat.accounts import tokens
from chat.models import Stream, User
from chat.process import Process
from chat.protocol import openai_tools
from chat.protocol.completions import PASSED_OVER
from chat.protocol.errors import InvalidArgument, NotFound, UnknownModel
from chat.protocol.prompt import CHAT_COMPLETION, Content, Model, Prompt
from chat.protocol.proto_json import camel_case
from chat.protocol.request import Ask, gemini_contents_of, system_of
from chat.providers.catalogue import Catalogue
from chat.turns.runner import Turns
from chat.turns.start import Door
from chat.views import doors
from chat.views.api import Request, api, body, chat_bytes, json_response, refusal
from chat.views.resume import HEADERS, ids_of

METHODS = ("generateContent", "streamGenerateContent")
COUNT = "countTokens"
METHOD = re.compile(r":([A-Za-z]{1,40})/?$")
PAGE, LARGEST_PAGE = 50, 1000

UNDERSTAND = ("gemini", "vertex")
"""The providers that understand every field."""
TRANSLATED = {"tools", "toolConfig"}
"""The fields that are translated for other providers, where the model can be offered functions."""
OVERRIDES = {"tools", "response_format", *PASSED_OVER}
"""The fields of CHAT_COMPLETION that Gemini has in its own words, or that do not change the words of an answer."""

IGNORED = {"safetySettings", "labels"}
"""Fields that other providers have no equivalent for, and that do not change the answer."""


class GenerateContent(msgspec.Struct, rename="camel"):
    """The fields of the body that are used here; the others are kept in `Asked.extra`."""

    contents: list[dict[str, Any]] | dict[str, Any]
    system_instruction: str | dict[str, Any] | None = None
    generation_config: dict[str, Any] | None = None
    model: str | None = None


KNOWN = {field.encode_name for field in msgspec.structs.fields(GenerateContent)}


class Asked:
    """A request in Gemini's format for one model. InvalidArgument if its provider does not understand all fields."""

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
        """The request in a body of the Gemini API."""
        named = {name: value for name, value in camel_case(raw).items() if value is not None}
        try:
            found = msgspec.convert(named, GenerateContent)
        except msgspec.ValidationError as wrong:
            raise InvalidArgument(f"The body does not have the expected shape: {wrong}.") from None
        contents = found.contents if isinstance(found.contents, list) else [found.contents]
        generation = {key: value for key, value in (found.generation_config or {}).items() if value is not None}
        extra = {name: value for name, value in named.items() if name not in KNOWN and value not in ([], {}, "")}
        return cls(model, contents, found.system_instruction, generation, extra)

    def _check(self) -> None:
        """Refuse fields that the model's provider would have to drop."""
        known = TRANSLATED | IGNORED | {CHAT_COMPLETION}
        unknown = self.extra.keys() - known
        if self.model.provider in UNDERSTAND:
            unknown = self.extra.pop(CHAT_COMPLETION, {}).keys() - OVERRIDES
        elif not self.model.functions:
            self._leave_functions_out()
        if unknown:
            raise InvalidArgument(f"The model {self.model.id} does not understand `{min(unknown)[:80]}`: leave it out.")

    def _leave_functions_out(self) -> None:
        """Drop functions that may be left uncalled; refuse tools that change the answer, and calls in the history."""
        tools = TRANSLATED & self.extra.keys()
        if tools and not openai_tools.may_be_ignored(self.extra):
            raise InvalidArgument(f"The model {self.model.id} calls no functions and has no tools: leave `tools` out.")
        self.extra = {name: value for name, value in self.extra.items() if name not in tools}
        for name in ("tools", "parallel_tool_calls"):
            self.extra.get(CHAT_COMPLETION, {}).pop(name, None)
        if any("functionCall" in part or "functionResponse" in part for part in self._parts()):
            raise InvalidArgument(f"The model {self.model.id} calls no functions: leave their calls and results out.")

    def _parts(self) -> list[dict[str, Any]]:
        return [part for content in gemini_contents_of(self.contents) for part in content["parts"]]

    def prompt(self, user: User) -> Prompt:
        """The prompt of the request, for counting its tokens."""
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
        """Start the turn, in a new conversation or after the answer of `before`."""
        ask = Ask(contents=self.contents, model=self.model.id, generation=self.generation, system=self.system)
        if before is not None:
            ask.conversation_id, ask.parent_id = before.conversation_id, before.answer_id
        return await turns.start(user, ask, began, door=Door(self.extra, response))


@api("POST", body_bytes=chat_bytes)
async def generate(request: Request, model: str, method: str) -> HttpResponseBase:
    """Generate one answer: as one response, as an event stream (`?alt=sse`), or as a JSON array that is streamed."""
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
    """The number of tokens of a request, counted by the model's server, or estimated if that cannot count."""
    user = await tokens.authenticate(request, key_header=True)
    raw = body(request, dict[str, Any], chat_bytes())
    inner = raw.get("generateContentRequest") or raw.get("generate_content_request") or raw
    if not isinstance(inner, dict):
        raise InvalidArgument("`generateContentRequest` is an object.")
    asked = Asked.of_body(inner, model_of(request.process.catalogue, model))
    await limits.spend("chat", user=user.pk, ip=limits.address(request))
    return json_response(await request.process.catalogue.count_tokens(asked.prompt(user)))


def model_of(catalogue: Catalogue, name: str) -> Model:
    """The model with this id (`provider/model`) or name (`model`, as users of an SDK write it), or the default model if
    the name is empty. UnknownModel otherwise.
    """
    for model in catalogue.models():
        if not name:
            return model
        if name in (model.id, model.name):
            return model
    raise UnknownModel(f"There is no model {name[:80]!r} here: GET /v1beta/models lists them.")


def described(model: Model) -> dict[str, Any]:
    """A model as Gemini's and OpenAI's `Model` resource in one object."""
    resource = {
        "name": f"models/{model.id}",
        "displayName": model.title or model.id,
        "supportedGenerationMethods": [*METHODS, COUNT],
    }
    limit = {"inputTokenLimit": model.context} if model.context else {}
    return {**resource, **limit, **listed(model)}


def listed(model: Model) -> dict[str, Any]:
    """A model as a list of OpenAI's has it."""
    return {"id": model.id, "object": "model", "created": 0, "owned_by": model.provider}


@api("GET")
async def index(request: Request) -> HttpResponseBase:
    """All models, for the SDKs of Google (paged by `pageSize` and `pageToken`) and of OpenAI."""
    await tokens.authenticate(request, key_header=True)
    models = request.process.catalogue.models()
    size, first = number_of(request, "pageSize", PAGE), number_of(request, "pageToken", 0)
    after = first + min(max(size, 1), LARGEST_PAGE)
    more = {"nextPageToken": str(after)} if after < len(models) else {}
    page = [described(model) for model in models[first:after]]
    data = [
        {**listed(model), "name": model.title or model.id} for model in models
    ]  # clients show `name`, if it is there
    return json_response({"models": page, **more, "object": "list", "data": data})


def number_of(request: Request, name: str, default: int) -> int:
    """A whole number from the query string."""
    text = request.GET.get(name) or str(default)
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise InvalidArgument(f"`{name}` is not a number that this server gave.")
    return int(text) or default


@csrf_exempt
async def one(request: Request, model: str) -> HttpResponseBase:
    """One model. A POST asks for one of Gemini's methods, which `models/…:` has none of here: so says a 404."""
    if request.method == "POST" and (found := METHOD.search(model)):
        return refusal(NotFound(f"There is no method {found[1]!r} here: there are {', '.join((*METHODS, COUNT))}."))
    return await shown(request, model)


@api("GET")
async def shown(request: Request, model: str) -> HttpResponseBase:
    """One model."""
    await tokens.authenticate(request, key_header=True)
    return json_response(described(model_of(request.process.catalogue, model)))
