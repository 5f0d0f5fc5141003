"""The largest body of a request, decided from its ASGI scope before the body is read.

    unknown paths                      1 KiB
    without a credential              16 KiB    forms, sign-in; views that accept more answer 401 above it
    with one, elsewhere               WONDERCAM_LIMIT_BODY_BYTES
    with one, questions and photos    the view's own: `@api("POST", body_bytes=…)`

A credential is a signed token that has not expired, or something that only the database can check: an API key or a
session cookie. This does not authenticate anybody, which the views do; it bounds the memory that strangers can use.
"""

import re
from functools import lru_cache
from time import time
from typing import Any
from urllib.parse import parse_qs

from django.conf import settings
from django.http import Http404
from django.http.cookie import parse_cookie
from django.urls import resolve
from rest_framework_simplejwt.settings import api_settings

from chat.accounts.claims import LEEWAY, verified
from chat.accounts.keys import PATTERN
from chat.accounts.tokens import NO_TOKEN
from chat.protocol.errors import ApiError, NotFound, TooLarge, Unauthenticated
from chat.views.errors import nowhere

NOWHERE_BYTES = 1024
STRANGER_BYTES = 16 * 1024
API_KEY = re.compile(PATTERN, re.ASCII)


def limit_of(scope: dict[str, Any]) -> tuple[int, ApiError]:
    """The largest body of this request in bytes, and the error for a larger one."""
    try:
        of_view = view_at(scope["path"])
    except Http404:
        return NOWHERE_BYTES, NotFound("There is nothing at this address.")
    if has_credential(scope, cookie=of_view is None):
        most = of_view() if of_view else settings.LIMITS["BODY_BYTES"]
        return most, TooLarge(f"The body has more than {most} bytes.")
    if of_view:
        return STRANGER_BYTES, Unauthenticated(NO_TOKEN)
    return STRANGER_BYTES, TooLarge(f"The body has more than {STRANGER_BYTES} bytes, and nobody is signed in.")


@lru_cache(maxsize=256)
def view_at(path: str) -> Any:
    """The `body_bytes` of the view at this path; None if it has none. Http404 if there is no view."""
    view = resolve(path).func
    if view is nowhere:
        raise Http404
    return getattr(view, "body_bytes", None)


def has_credential(scope: dict[str, Any], cookie: bool) -> bool:
    """Whether the request has a credential that may be valid; with `cookie` a session cookie counts too."""
    headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
    kind, _, bearer = headers.get(b"authorization", "").partition(" ")
    if kind:
        return kind.lower() == "bearer" and might_be_known(bearer.strip())
    if key := headers.get(b"x-goog-api-key", "").strip():
        return might_be_known(key)
    if key := parse_qs(scope["query_string"].decode("latin-1")).get("key", [""])[0]:
        return might_be_known(key)
    return cookie and bool(parse_cookie(headers.get(b"cookie", "")).get(settings.SESSION_COOKIE_NAME))


def might_be_known(credential: str) -> bool:
    """Whether a token is signed by this site and has not expired; True for everything in the form of an API key."""
    if API_KEY.fullmatch(credential):
        return True
    try:
        _, expires = verified(credential, api_settings.SIGNING_KEY)
    except Unauthenticated:
        return False
    return time() < expires + LEEWAY
