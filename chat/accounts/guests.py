"""Guests: people without an account, where the site takes them (`WONDERCAM_GUESTS`)."""

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
"""A guest has nothing but the session to come back with."""

FOREIGN = "Another site's page asks for this: a guest comes from this site's own page, or from no page at all."


async def new(request: HttpRequest) -> User:
    """A new guest for whoever asks. PermissionDenied where there are none; ResourceExhausted over their rates."""
    return await sync_to_async(stored)(await admitted(request))


async def new_pair(request: HttpRequest) -> dict[str, str]:
    """A new guest's access and refresh token."""
    network = await admitted(request)
    return await sync_to_async(lambda: tokens.issue(stored(network)))()


async def admitted(request: HttpRequest) -> str:
    """The network that a new guest is counted with, as it is kept: a keyed digest."""
    if not settings.GUESTS:
        raise PermissionDenied("This site is for people with an account: sign in.")
    if is_from_another_site(request):
        raise PermissionDenied(FOREIGN)
    address = limits.address(request)
    await limits.spend("guest", ip=address)
    network = network_of(address)
    return salted_hmac("chat.accounts.guests", network, algorithm="sha256").hexdigest()[:32] if network else ""


def stored(network: str) -> User:
    """An account without a name or a password."""
    blank = User(username=f"guest-{secrets.token_hex(8)}", is_guest=True, network=network)
    blank.set_unusable_password()
    blank.save()
    return blank


@transaction.atomic
def take_along(visitor: Any, account: User) -> None:
    """Give what a guest has to the account that the same browser signs in to; nothing where the visitor is no guest.

    The guest stays, without anything, until it is deleted as those who left nothing are (`ended.py`).
    """
    is_guest = visitor is not None and visitor.is_authenticated and visitor.is_guest
    if not is_guest or not account.is_active or visitor.pk == account.pk:
        return
    Stream.objects.filter(user=visitor.pk).update(user=account, request_id=None)  # the account may have used the same
    Attachment.objects.filter(user=visitor.pk).update(user=account)
    Conversation.objects.filter(user=visitor.pk).update(user=account)


def is_from_another_site(request: HttpRequest) -> bool:
    """Whether a browser says that a page of another origin asks. What is no browser says nothing.

    Origins that may call the API or send forms here count as ours (`CORS_ALLOWED_ORIGINS`, `CSRF_TRUSTED_ORIGINS`).
    """
    origin = request.headers.get("Origin")
    if origin is not None:
        trusted = origin in (*settings.CORS_ALLOWED_ORIGINS, *settings.CSRF_TRUSTED_ORIGINS)
        return not trusted and urlsplit(origin).netloc != request.get_host()
    return request.headers.get("Sec-Fetch-Site") in ("cross-site", "same-site")
