"""`/v2/keys`: list, create and delete personal API keys."""

from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

import msgspec
from asgiref.sync import sync_to_async
from django.http import HttpRequest, HttpResponse

from chat import limits
from chat.accounts import keys, tokens
from chat.models import ApiKey
from chat.views.api import api, body, json_response


class NewKey(msgspec.Struct, forbid_unknown_fields=True):
    """The body of `POST /v2/keys`. `expires` is in UTC unless it names another zone."""

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
    scopes: list[str] = []
    expires: datetime | None = None


@api("GET", "POST")
async def index(request: HttpRequest) -> HttpResponse:
    """GET the user's keys, POST a new one: `{"id", "name", "key", …}`. The key itself is shown only here."""
    user = await tokens.authenticate(request, needs=keys.SIGN_IN)
    if request.method != "POST":
        own = [key.as_json() async for key in ApiKey.objects.for_user(user.pk)]
        return json_response({"keys": own})
    asked = body(request, NewKey)
    await limits.spend("key", user=user.pk)
    expires = asked.expires if asked.expires is None or asked.expires.tzinfo else asked.expires.replace(tzinfo=UTC)
    give = sync_to_async(keys.give)
    key, raw = await give(user, asked.name, asked.scopes, expires, limits.address(request))
    return json_response({**key.as_json(), "key": raw}, 201)


@api("DELETE")
async def one(request: HttpRequest, key_id: UUID) -> HttpResponse:
    """Delete a key."""
    user = await tokens.authenticate(request, needs=keys.SIGN_IN)
    await sync_to_async(keys.end)(user, key_id, limits.address(request))
    return HttpResponse(status=204)
