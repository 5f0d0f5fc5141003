"""The page's session cookie: it opens the pages and, read-only, one's own streams. The API takes no other cookie."""

from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth import aget_user
from django.http import HttpRequest
from django.utils.module_loading import import_string

from chat.accounts import families
from chat.accounts.claims import Claims
from chat.accounts.tokens import NO_TOKEN
from chat.models import User
from chat.protocol.errors import Unauthenticated


async def holder(request: HttpRequest) -> User:
    """The page's user by the session cookie: only to read one's own stream, only from one's own page.

    Reads the session without the session middleware, so that a stream costs no thread. Raises Unauthenticated.
    """
    key = request.COOKIES.get(settings.SESSION_COOKIE_NAME)
    if not key or not from_own_page(request):
        raise Unauthenticated(NO_TOKEN)
    request.session = import_string(f"{settings.SESSION_ENGINE}.SessionStore")(session_key=key)
    user: Any = await aget_user(request)
    if not isinstance(user, User) or not user.is_active:
        raise Unauthenticated(NO_TOKEN)
    user.claims = Claims(user.pk, user.token_version, families.of_session(key), "")
    return user


def from_own_page(request: HttpRequest) -> bool:
    """Whether the browser says that this origin asks. What says nothing is no browser of today, or no browser."""
    site = request.headers.get("Sec-Fetch-Site")
    origin = request.headers.get("Origin")
    return site in (None, "same-origin") and (origin is None or urlsplit(origin).netloc == request.get_host())
