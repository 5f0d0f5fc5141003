"""OpenAI's Responses API in front of every provider: `POST /v1/responses`, recorded like any other turn.

The id of a response is that of its stream, so a response can be read again from the log (`GET /v1/responses/<id>`),
followed from any event (`?stream=true&starting_after=<sequence_number>`), continued (`previous_response_id`) and
stopped.
"""

from time import monotonic
from typing import Any

from django.http import HttpRequest, StreamingHttpResponse
from django.http.response import HttpResponseBase

from chat import limits
from chat.accounts import tokens
from chat.models import Conversation, Stream, User
from chat.protocol import completion_chunks, events, ids
from chat.protocol.errors import InvalidArgument, NotFound
from chat.protocol.openai_responses import ResponseRequest, id_of, stream_of
from chat.protocol.response_events import ResponseEvents, calls_in
from chat.turns.start import RESPONSE
from chat.views import conversations, doors
from chat.views.api import Request, api, body, chat_bytes, json_response
from chat.views.gemini import Asked, model_of
from chat.views.resume import HEADERS, ids_of

NOT_ALONE = "This response has others in its conversation: DELETE /v2/conversations/{} deletes them together."


@api("POST", body_bytes=chat_bytes, as_json=completion_chunks.as_json)
async def create(request: Request) -> HttpResponseBase:
    """Generate one response: streamed, as one JSON object, or with `background` only started."""
    began = monotonic()
    user = await tokens.authenticate(request)
    asked = body(request, ResponseRequest, chat_bytes())
    model = model_of(request.process.catalogue, asked.model)
    before = await gone_on_with(user, asked.previous_response_id) if asked.previous_response_id else None
    contents = asked.contents(calls_in(before.answer.parts) if before else {})
    turn = Asked(model, contents, asked.system(), asked.generation(), asked.extra())
    await limits.spend("chat", user=user.pk, ip=limits.address(request))
    stream = await turn.start(request.process.turns, user, began, before, asked.repeated())
    said = ResponseEvents(stream.pk.hex, head(stream, model.id, asked.repeated()))
    if asked.stream:
        content = doors.response_stream(request.process, stream, said, stops=not asked.background)
        return StreamingHttpResponse(content, headers={**HEADERS, **ids_of(stream)})
    if not asked.background:
        await doors.read_to_end(request.process, stream, said)
    return answer(stream, said)


@api("POST", body_bytes=chat_bytes, as_json=completion_chunks.as_json)
async def count_tokens(request: Request) -> HttpResponseBase:
    """The number of tokens of a request, counted by the model's server, or estimated if that cannot count."""
    user = await tokens.authenticate(request)
    asked = body(request, ResponseRequest, chat_bytes())
    if asked.previous_response_id:
        raise InvalidArgument("`previous_response_id` is not counted here: send the whole `input`.")
    model = model_of(request.process.catalogue, asked.model)
    turn = Asked(model, asked.contents({}), asked.system(), asked.generation(), asked.extra())
    await limits.spend("chat", user=user.pk, ip=limits.address(request))
    found = await request.process.catalogue.count_tokens(turn.prompt(user))
    return json_response({"object": "response.input_tokens", "input_tokens": found.get("totalTokens", 0)})


def answer(stream: Stream, said: ResponseEvents) -> HttpResponseBase:
    """The response as JSON; if it failed, an error response as for chat completions."""
    if said.error is not None:
        return json_response(completion_chunks.error_of(said.error), said.error["code"], headers=ids_of(stream))
    return json_response(said.response(), headers=ids_of(stream))


@api("GET", "DELETE", as_json=completion_chunks.as_json)
async def one(request: Request, response_id: str) -> HttpResponseBase:
    """GET a response as it is now, or with `?stream=true` its events after `starting_after`; DELETE it."""
    user = await tokens.authenticate(request)
    stream = await own(user, response_id)
    if request.method == "DELETE":
        return await deleted(request, user, stream)
    said = ResponseEvents(stream.pk.hex, head(stream, stream.model_id, stream.request[RESPONSE]))
    after = starting_after(request)
    if wants_events(request):
        content = doors.response_stream(request.process, stream, said, after, stops=False)
        return StreamingHttpResponse(content, headers={**HEADERS, **ids_of(stream)})
    await doors.read_so_far(request.process, stream, said)
    return json_response(said.response(), headers=ids_of(stream))


@api("POST", as_json=completion_chunks.as_json)
async def cancel(request: Request, response_id: str) -> HttpResponseBase:
    """Stop the generation of a response, with or without `background`. Idempotent."""
    stream = await own(await tokens.authenticate(request), response_id)
    request.process.metrics.stop_requested()
    await request.process.turns.stop(stream)
    said = ResponseEvents(stream.pk.hex, head(stream, stream.model_id, stream.request[RESPONSE]))
    await doors.read_so_far(request.process, stream, said)
    return json_response(said.response(), headers=ids_of(stream))


async def deleted(request: Request, user: User, stream: Stream) -> HttpResponseBase:
    """Delete the conversation of a response if it has no other response. InvalidArgument otherwise."""
    conversation = await Conversation.objects.aget(pk=stream.conversation_id)
    if await conversation.streams.exclude(pk=stream.pk).aexists():
        raise InvalidArgument(NOT_ALONE.format(conversation.pk))
    await conversations.delete(request.process, user.pk, conversation)
    return json_response({"id": id_of(stream.pk), "object": "response", "deleted": True})


async def own(user: User, response_id: str) -> Stream:
    """The user's stream of this response, with its answer. NotFound for every other id."""
    mine = Stream.objects.for_user(user.pk).with_question().select_related("answer")
    stream: Stream | None = await mine.filter(pk=stream_of(response_id)).afirst()
    if stream is None or RESPONSE not in stream.request:
        raise NotFound("There is no such response.")
    return stream


async def gone_on_with(user: User, response_id: str) -> Stream:
    """The stream of the response to continue. InvalidArgument while it is still running."""
    before = await own(user, response_id)
    if before.status == events.RUNNING:
        raise InvalidArgument("The response named by `previous_response_id` is still being written: wait for its end.")
    return before


def head(stream: Stream, model: str, repeated: dict[str, Any]) -> dict[str, Any]:
    """The fields of a response that do not change while it is generated."""
    return {"created_at": ids.seconds_of(stream.pk), "model": model, **repeated}


def wants_events(request: HttpRequest) -> bool:
    """The value of `?stream=`."""
    if (text := request.GET.get("stream", "false")) not in ("true", "false"):
        raise InvalidArgument("`stream` is true or false.")
    return text == "true"


def starting_after(request: HttpRequest) -> int:
    """The `sequence_number` to continue after; -1 for all events."""
    text = request.GET.get("starting_after")
    if text is None:
        return -1
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise InvalidArgument("`starting_after` is the `sequence_number` of an event.")
    return int(text)
