"""The page's session cookie. The API accepts it only to read the user's own streams and feeds."""

from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth import aget_user
from django.http import HttpRequest
from django.utils.module_loading import import_string

from chat.accounts import families, tokens
from chat.accounts.claims import Claims
from chat.accounts.tokens import NO_TOKEN
from chat.models import User
from chat.protocol.errors import Unauthenticated


async def reader(request: HttpRequest) -> User:
    """The user of a request that only reads: by its token if it has one, else by the page's session."""
    return await (tokens.authenticate(request) if "Authorization" in request.headers else holder(request))


async def holder(request: HttpRequest) -> User:
    """The user of the session cookie, in a request that this site's own page sent. Unauthenticated otherwise.

    The session is read without the session middleware, which would take a thread for each stream.
    """
    key = request.COOKIES.get(settings.SESSION_COOKIE_NAME)
    if not key or not from_own_page(request):
        raise Unauthenticated(NO_TOKEN)
    request.session = import_string(f"{settings.SESSION_ENGINE}.SessionStore")(session_key=key)
    user: Any = await aget_user(request)
    if not isinstance(user, User):  # Django finds no user who is not active (`ModelBackend.get_user`)
        raise Unauthenticated(NO_TOKEN)
    user.claims = Claims(user.pk, user.token_version, families.of_session(key), "")
    return user


def from_own_page(request: HttpRequest) -> bool:
    """Whether the request comes from this origin, as far as its headers tell. Current browsers always send one."""
    site = request.headers.get("Sec-Fetch-Site")
    origin = request.headers.get("Origin")
    return site in (None, "same-origin") and (origin is None or urlsplit(origin).netloc == request.get_host())
