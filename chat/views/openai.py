"""OpenAI's chat completions in front of every provider: `POST /v1/chat/completions`, recorded like any other turn.

OpenAI's SDKs work with only their base URL (`…/v1`) and key changed; the key is an access token or an API key. Errors
have OpenAI's format. `GET /v1/models` is in `gemini.py`, whose response suits the SDKs of both.
"""

from time import monotonic

from django.http import StreamingHttpResponse
from django.http.response import HttpResponseBase

from chat import limits
from chat.accounts import tokens
from chat.protocol import completion_chunks
from chat.protocol.completion_chunks import CompletionChunks
from chat.protocol.completions import Completion
from chat.views import doors
from chat.views.api import Request, api, body, chat_bytes, json_response
from chat.views.gemini import Asked, model_of
from chat.views.resume import HEADERS, ids_of


@api("POST", body_bytes=chat_bytes, as_json=completion_chunks.as_json)
async def complete(request: Request) -> HttpResponseBase:
    """Generate one completion, streamed or as one response."""
    began = monotonic()
    user = await tokens.authenticate(request)
    asked = body(request, Completion, chat_bytes())
    model = model_of(request.process.catalogue, asked.model)
    turn = Asked(model, asked.contents(), asked.system(), asked.generation(), asked.extra())
    await limits.spend("chat", user=user.pk, ip=limits.address(request))
    stream = await turn.start(request.process.turns, user, began)
    usage = asked.stream_options is not None and asked.stream_options.include_usage
    chunks = CompletionChunks(stream.pk.hex, model.id, include_usage=usage)
    headers = {**HEADERS, **ids_of(stream)}
    if asked.stream:
        return StreamingHttpResponse(doors.openai_stream(request.process, stream, chunks), headers=headers)
    answer = await doors.whole(request.process, stream)
    if "error" in answer:
        return json_response(
            completion_chunks.error_of(answer["error"]), answer["error"]["code"], headers=ids_of(stream)
        )
    return json_response(chunks.whole(answer), headers=ids_of(stream))
