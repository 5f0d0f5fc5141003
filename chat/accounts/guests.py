"""Guests: users without an account, if the site allows them (`WONDERCAM_GUESTS`)."""

import secrets
from typing import Any
from urllib.parse import urlsplit

from asgiref.sync import sync_to_async
from django.conf import settings
from django.db import transaction
from django.http import HttpRequest
from django.utils.crypto import salted_hmac

from chat import limits
from chat.accounts import tokens
from chat.limits.addresses import network_of
from chat.models import Attachment, Conversation, Stream, User
from chat.protocol.errors import PermissionDenied

SESSION_SECONDS = 30 * 24 * 3600
"""The session is a guest's only way to return to its chats."""

FOREIGN = "Another site's page asks for this: a guest comes from this site's own page, or from no page at all."


async def new(request: HttpRequest) -> User:
    """A new guest. PermissionDenied if the site has no guests; ResourceExhausted over the rates of new ones."""
    return await sync_to_async(stored)(await admitted(request))


async def new_pair(request: HttpRequest) -> dict[str, str]:
    """The access and refresh token of a new guest."""
    network = await admitted(request)
    return await sync_to_async(lambda: tokens.issue(stored(network)))()


async def admitted(request: HttpRequest) -> str:
    """Check and count a new guest; returns its `User.network`, a keyed digest. Raises as `new`."""
    if not settings.GUESTS:
        raise PermissionDenied("This site is for people with an account: sign in.")
    if is_from_another_site(request):
        raise PermissionDenied(FOREIGN)
    address = limits.address(request)
    await limits.spend("guest", ip=address)
    network = network_of(address)
    return salted_hmac("chat.accounts.guests", network, algorithm="sha256").hexdigest()[:32] if network else ""


def stored(network: str) -> User:
    """Create an account without a chosen name or a password."""
    blank = User(username=f"guest-{secrets.token_hex(8)}", is_guest=True, network=network)
    blank.set_unusable_password()
    blank.save()
    return blank


@transaction.atomic
def take_along(visitor: Any, account: User) -> None:
    """Move everything of a guest to the account that its browser signs in to; nothing if the visitor is not a guest.

    The empty guest is deleted later (`ended.guests_who_left_nothing`).
    """
    is_guest = visitor is not None and visitor.is_authenticated and visitor.is_guest
    if not is_guest or not account.is_active or visitor.pk == account.pk:
        return
    Stream.objects.filter(user=visitor.pk).update(user=account, request_id=None)  # the account may have used the same
    Attachment.objects.filter(user=visitor.pk).update(user=account)
    Conversation.objects.filter(user=visitor.pk).update(user=account)


def is_from_another_site(request: HttpRequest) -> bool:
    """Whether the request's headers show that a page of another origin sent it. Programs send no such headers.

    Origins that may call the API or send forms count as this site (`CORS_ALLOWED_ORIGINS`, `CSRF_TRUSTED_ORIGINS`).
    """
    origin = request.headers.get("Origin")
    if origin is not None:
        trusted = origin in (*settings.CORS_ALLOWED_ORIGINS, *settings.CSRF_TRUSTED_ORIGINS)
        return not trusted and urlsplit(origin).netloc != request.get_host()
    return request.headers.get("Sec-Fetch-Site") in ("cross-site", "same-site")
