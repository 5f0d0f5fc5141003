"""`/v2/streams/<id>`: follow a stream, stop its generation."""

from uuid import UUID

from django.http.response import HttpResponseBase

from chat.accounts import sessions, tokens
from chat.models import Stream
from chat.views.api import Request, api, json_response
from chat.views.resume import resumed


@api("GET")
async def follow(request: Request, stream_id: UUID) -> HttpResponseBase:
    """The events after `Last-Event-ID`, then live ones, or with `?poll=1` none. The page's session may read them."""
    return await resumed(request, stream_id, await sessions.reader(request))


@api("POST")
async def stop(request: Request, stream_id: UUID) -> HttpResponseBase:
    """Stop the generation. Idempotent."""
    user = await tokens.authenticate(request)
    request.process.metrics.stop_requested()
    stream = await Stream.objects.for_user(user.pk).aget_or_404(stream_id)
    return json_response({"id": stream.pk, "status": await request.process.turns.stop(stream)})
