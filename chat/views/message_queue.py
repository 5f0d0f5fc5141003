"""`/v2/conversations/<id>/queue`: messages that wait for the running answer (`chat/turns/message_queue.py`)."""

from typing import Any
from uuid import UUID

import msgspec
from asgiref.sync import sync_to_async
from django.http import HttpResponse
from django.http.response import HttpResponseBase

from chat import limits
from chat.accounts import tokens
from chat.models import Conversation
from chat.protocol.errors import InvalidArgument
from chat.protocol.request import Ask, contents_of
from chat.turns import message_queue
from chat.views.api import Request, api, body, chat_bytes, json_response


class QueueChange(msgspec.Struct, forbid_unknown_fields=True):
    """The body of PATCH: the message's parts, and its model, by default the default model."""

    contents: list[dict[str, Any]]
    model: str | None = None


@api("GET", "POST", body_bytes=chat_bytes)
async def index(request: Request, conversation_id: UUID) -> HttpResponseBase:
    """GET the queue of a conversation; POST a message to be started once, after the running answer."""
    user = await tokens.authenticate(request)
    if request.method != "POST":
        conversation = await Conversation.objects.for_user(user.pk).aget_or_404(conversation_id)
        return json_response(await sync_to_async(message_queue.queue_of)(conversation))
    ask = body(request, Ask, chat_bytes())
    check_place(ask, conversation_id)
    await limits.spend("chat", user=user.pk, ip=limits.address(request))
    conversation = await Conversation.objects.for_user(user.pk).aget_or_404(conversation_id)
    message_id = await request.process.turns.queues.add(user, conversation, ask)
    await request.process.turns.start_next(conversation_id)
    return await shown(conversation, message_id, 201)


@api("PATCH", "DELETE", body_bytes=chat_bytes)
async def one(request: Request, conversation_id: UUID, message_id: UUID) -> HttpResponseBase:
    """PATCH or DELETE a waiting message."""
    user = await tokens.authenticate(request)
    conversation = await Conversation.objects.for_user(user.pk).aget_or_404(conversation_id)
    queues = request.process.turns.queues
    if request.method == "PATCH":
        change = body(request, QueueChange, chat_bytes())
        await queues.edit(
            user, conversation, message_id, Ask(contents=one_message(change.contents), model=change.model)
        )
        return await shown(conversation, message_id)
    await queues.remove(user, conversation, message_id)
    await request.process.turns.start_next(conversation_id)  # the next one may have waited only for this one
    return HttpResponse(status=204)


@api("POST")
async def now(request: Request, conversation_id: UUID, message_id: UUID) -> HttpResponseBase:
    """Stop the running answer, which is kept as far as it came, and start this message."""
    user = await tokens.authenticate(request)
    conversation = await Conversation.objects.for_user(user.pk).aget_or_404(conversation_id)
    turns = request.process.turns
    for stream in await turns.queues.put_first(user, conversation, message_id):
        await turns.stop(stream)
    await turns.start_next(conversation_id)
    return await shown(conversation, message_id)


async def shown(conversation: Conversation, message_id: UUID, status: int = 200) -> HttpResponseBase:
    """The response with a message in its present state."""
    return json_response(await sync_to_async(message_queue.message_of)(conversation, message_id), status)


def check_place(ask: Ask, conversation_id: UUID) -> None:
    """InvalidArgument for a message that names another place than the end of this conversation."""
    one_message(ask.contents)
    if ask.conversation_id not in (None, conversation_id):
        raise InvalidArgument("`conversation_id` is another one than that of the address: leave it out.")
    if ask.parent_id is not msgspec.UNSET:
        raise InvalidArgument("`parent_id` cannot be chosen: a queued message follows the newest one. Leave it out.")


def one_message(contents: list[dict[str, Any]] | None) -> list[dict[str, Any]] | None:
    """The contents, unchanged. InvalidArgument if they are more than one message."""
    if len(contents_of(contents)) > 1:
        raise InvalidArgument("`contents` has several messages: queue one at a time, as its parts.")
    return contents
