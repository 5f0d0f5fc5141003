"""The Gemini API as a door: Google's own SDKs work with only their base URL and key changed.

`POST /v1beta/models/<model>:generateContent` and `:streamGenerateContent`, in front of any provider. The key is an
access token, as `x-goog-api-key` or Bearer. What comes out is exactly Gemini's stream; what happens is recorded as
any other turn is (https://ai.google.dev/api/generate-content).
"""

from time import monotonic
from typing import Any

import msgspec
from django.http import HttpRequest, StreamingHttpResponse
from django.http.response import HttpResponseBase

from chat import limits, providers
from chat.accounts import tokens
from chat.log import Log
from chat.models import Stream
from chat.protocol.errors import InvalidArgument, NotFound
from chat.protocol.prompt import Model
from chat.protocol.request import Ask
from chat.views import event_stream
from chat.views.api import Request, api, body, chat_bytes, json_response
from chat.views.resume import HEADERS, ids_of

METHODS = ("generateContent", "streamGenerateContent")

PASSED_ON = ("safetySettings", "tools", "toolConfig", "cachedContent")
"""Fields that only Gemini itself understands."""

UNDERSTAND = ("gemini", "vertex")


class GenerateContent(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    """The body of both methods, as far as it means something here."""

    contents: list[dict[str, Any]] | dict[str, Any]
    system_instruction: dict[str, Any] | None = None
    generation_config: dict[str, Any] = {}
    safety_settings: list[dict[str, Any]] = []
    tools: list[dict[str, Any]] = []
    tool_config: dict[str, Any] = {}
    cached_content: str = ""
    model: str = ""


@api("POST", body_bytes=chat_bytes)
async def generate(request: Request, model: str, method: str) -> HttpResponseBase:
    """One answer, whole or as it is generated: an event stream with `?alt=sse`, else one growing JSON array."""
    began = monotonic()
    user = await tokens.authenticate(request, key_header=True)
    asked = body(request, GenerateContent, chat_bytes())
    found = model_of(model)
    await limits.spend("chat", user=user.pk, ip=limits.address(request))
    turns, log = request.process.turns, request.process.log
    stream = await turns.start(user, ask_of(asked, found), began, extra=extra_of(asked, found))
    if method == "generateContent":
        answer = await event_stream.whole(log, stream.pk)
        status = answer["error"]["code"] if "error" in answer else 200
        return json_response(answer, status, headers=ids_of(stream))
    return streamed(log, stream, sse=request.GET.get("alt") == "sse")


def streamed(log: Log, stream: Stream, *, sse: bool) -> StreamingHttpResponse:
    """The stream as Gemini's server would send it."""
    kind = "text/event-stream" if sse else "application/json"
    headers = {**HEADERS, **ids_of(stream), "Content-Type": kind}
    content = event_stream.gemini_stream(log, stream.pk) if sse else event_stream.gemini_array(log, stream.pk)
    return StreamingHttpResponse(content, headers=headers)


def model_of(name: str) -> Model:
    """The model by its id here (`provider/model`), or by its own name alone, as an SDK's user would write it."""
    for model in providers.catalogue():
        if name in (model.id, model.name):
            return model
    raise NotFound(f"There is no model {name[:80]!r} here: GET /v1beta/models lists them.")


def ask_of(asked: GenerateContent, model: Model) -> Ask:
    """The request in our own words. Roles may be left out, and thoughts come back with a chat's history."""
    contents = [asked.contents] if isinstance(asked.contents, dict) else asked.contents
    return Ask(
        contents=[content_of(content) for content in contents],
        model=model.id,
        generation=asked.generation_config,
        system=asked.system_instruction,
    )


def content_of(content: dict[str, Any]) -> dict[str, Any]:
    """A content without what only Gemini's own history has: thoughts and their signatures."""
    parts = content.get("parts")
    if not isinstance(parts, list) or not all(isinstance(part, dict) for part in parts):
        raise InvalidArgument("`contents` has a message without `parts`.")
    said = [part for part in parts if not part.get("thought")]
    kept = [{key: value for key, value in part.items() if key != "thoughtSignature"} for part in said]
    return {"role": content.get("role") or "user", "parts": kept or [{"text": ""}]}


def extra_of(asked: GenerateContent, model: Model) -> dict[str, Any]:
    """What is passed on to Gemini untouched; InvalidArgument where another provider would have to ignore it."""
    named = msgspec.to_builtins(asked)
    extra = {name: named[name] for name in PASSED_ON if named.get(name)}
    if (tools := extra.keys() & {"tools", "toolConfig", "cachedContent"}) and model.provider not in UNDERSTAND:
        raise InvalidArgument(f"The model {model.id} does not understand `{min(tools)}`: leave it out.")
    return extra


def described(model: Model) -> dict[str, Any]:
    """A model as Gemini's `Model` resource."""
    resource = {
        "name": f"models/{model.id}",
        "displayName": model.title or model.id,
        "supportedGenerationMethods": list(METHODS),
    }
    return {**resource, "inputTokenLimit": model.context} if model.context else resource


@api("GET")
async def index(request: HttpRequest) -> HttpResponseBase:
    """The models, as an SDK lists them."""
    await tokens.authenticate(request, key_header=True)
    return json_response({"models": [described(model) for model in providers.catalogue()]})


@api("GET")
async def one(request: HttpRequest, model: str) -> HttpResponseBase:
    """One model."""
    await tokens.authenticate(request, key_header=True)
    return json_response(described(model_of(model)))
