"""`/v2/me`: the user's account: its data, an export of everything, its deletion."""

from functools import partial
from typing import Any

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase

from chat import limits
from chat.accounts import audit, keys, tokens
from chat.log import deletion
from chat.log.sql import in_thread
from chat.models import Stream, User
from chat.process import Process
from chat.protocol import events
from chat.protocol.errors import PermissionDenied, ResourceExhausted
from chat.views.account_export import zipped
from chat.views.api import Request, api, json_response, no_pieces

OF_STAFF = "This account may review those of others: an operator ends it."
EXPORT_SECONDS = 60
"""Between two exports of one user, because each reads everything."""


@api("GET", "DELETE")
async def index(request: Request) -> HttpResponseBase:
    """GET the account and what it has used today; DELETE the account with everything it owns."""
    if request.method == "DELETE":
        user = await tokens.authenticate(request, needs=keys.SIGN_IN)
        await end(request.process, user, limits.address(request))
        return HttpResponse(status=204)
    user = await tokens.authenticate(request)
    return json_response(await in_thread(partial(described, user.pk)))


@api("GET")
async def export(request: HttpRequest) -> HttpResponseBase:
    """Everything the user owns, as a ZIP file."""
    return exported(request, await tokens.authenticate(request))


def exported(request: HttpRequest, user: User) -> StreamingHttpResponse:
    """The export, streamed while it is made. ResourceExhausted within `EXPORT_SECONDS` of the previous one.

    HEAD makes none.
    """
    if request.method != "HEAD" and not limits.is_first(f"export:{user.pk}", EXPORT_SECONDS):
        raise ResourceExhausted("An export was made a moment ago: wait a minute.", retry_after=EXPORT_SECONDS)
    headers = {"Content-Disposition": 'attachment; filename="wondercam.zip"', "Content-Type": "application/zip"}
    return StreamingHttpResponse(no_pieces() if request.method == "HEAD" else zipped(user.pk), headers=headers)


def described(user_id: int) -> dict[str, Any]:
    """The account, with what is used and left of today."""
    user = User.objects.get(pk=user_id)
    return {
        "id": user.pk,
        "name": user.get_username(),
        "guest": user.is_guest,
        "created_at": user.date_joined,
        "today": limits.today_of(user.pk, is_guest=user.is_guest),
    }


async def end(process: Process, user: User, address: str) -> None:
    """Stop the user's running turns, and delete the account with everything it owns. PermissionDenied for staff."""
    if await User.objects.filter(pk=user.pk, is_staff=True).aexists():
        raise PermissionDenied(OF_STAFF)
    streams = [stream async for stream in Stream.objects.for_user(user.pk).only("pk", "status")]
    for stream in streams:
        if stream.status == events.RUNNING:
            await process.turns.stop(stream)
    await deletion.delete_account(user.pk, process.log.write, partial(audit.record_end, user.pk, address))
    for stream in streams:
        process.log.forget(stream.pk)
