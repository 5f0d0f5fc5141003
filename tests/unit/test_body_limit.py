"""Limits of request bodies: the application's, by route and credential, and the server's counting."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.conf import settings
from rest_framework_simplejwt.tokens import AccessToken

from chat.accounts import tokens
from chat.models import User
from chat.views.body_limit import NOWHERE_BYTES, STRANGER_BYTES, limit_of
from wondercam.server.bodies import SMALL, Bodies, Body, BodyRefused, Limit

MIB = 1024 * 1024
CHAT, GENERAL = settings.LIMITS["CHAT_BODY_BYTES"], settings.LIMITS["BODY_BYTES"]
GEMINI = "/v1beta/models/x:generateContent"


def scope(path: str, query: bytes = b"", **headers: str) -> dict[str, Any]:
    pairs = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return {"path": path, "query_string": query, "headers": pairs}


def access(**claims: Any) -> str:
    token: Any = tokens.signed(AccessToken(), User(pk=1), "a-family")
    for name, value in claims.items():
        token[name] = value
    return str(token)


def allowed(path: str, query: bytes = b"", **headers: str) -> tuple[int, int]:
    most, error = limit_of(scope(path, query, **headers))
    return most, error.code


def test_nobody_may_bring_much_and_is_told_to_sign_in_where_that_helps():
    assert allowed("/v2/echat") == allowed("/v2/chat") == allowed("/v2/attachments") == (STRANGER_BYTES, 401)
    assert allowed(GEMINI) == (STRANGER_BYTES, 401)
    assert allowed("/v2/auth/token") == allowed("/accounts/signin/") == allowed("/") == (STRANGER_BYTES, 413)


def test_an_address_that_is_none_takes_hardly_anything_from_anybody():
    assert allowed("/nowhere") == allowed("/v2/nowhere", authorization=f"Bearer {access()}") == (NOWHERE_BYTES, 404)


def test_a_token_brings_what_its_route_takes():
    bearer = f"Bearer {access()}"
    assert allowed("/v2/echat", authorization=bearer) == allowed("/v2/chat", authorization=bearer) == (CHAT, 413)
    assert allowed("/v2/attachments", authorization=bearer)[0] > settings.LIMITS["PHOTO_BYTES"]
    assert allowed("/v2/conversations", authorization=bearer) == (GENERAL, 413)


@pytest.mark.parametrize(
    ("name", "text"),
    [("x_goog_api_key", "{}"), ("query", "key={}"), ("authorization", f"Bearer wc_{'k' * 43}")],
    ids=["header", "query", "API key"],
)
def test_a_key_is_a_credential_wherever_it_stands(name: str, text: str):
    text = text.format(access())  # made here: a token lives for five minutes, and collecting may be long ago
    query, headers = (text.encode(), {}) if name == "query" else (b"", {name: text})
    assert allowed(GEMINI, query, **headers) == (CHAT, 413)


YESTERDAY = int((datetime.now(UTC) - timedelta(days=1)).timestamp())


@pytest.mark.parametrize(
    "header",
    [
        "Basic YTpi",
        "Bearer",
        "Bearer ",
        "Bearer a.b.c",
        f"Bearer {access()}x",
        f"Bearer {access(exp=YESTERDAY)}",
        "Bearer wc_x",
    ],
)
def test_a_token_that_is_not_ours_or_not_valid_any_more_is_none(header: str):
    assert allowed("/v2/echat", authorization=header) == (STRANGER_BYTES, 401)


def test_a_session_is_a_credential_for_pages_and_not_for_questions():
    cookie = f"{settings.SESSION_COOKIE_NAME}=abc"
    assert allowed("/admin/login/", cookie=cookie) == (GENERAL, 413)
    assert allowed("/v2/echat", cookie=cookie) == (STRANGER_BYTES, 401)


# What the server counts


def opened(bodies: Bodies, declared: int | None = None, most: int = 8 * MIB) -> Body:
    return bodies.body(Limit(most, 413, "too large"), declared)


def refusal(what: Any, *args: Any) -> int:
    with pytest.raises(BodyRefused) as refused:
        what(*args)
    return refused.value.code


def test_a_body_is_refused_as_soon_as_it_says_or_is_too_large():
    bodies = Bodies(64 * MIB)
    assert refusal(opened, bodies, 8 * MIB + 1) == 413
    body = opened(bodies)
    body.add(bytes(8 * MIB))
    assert refusal(body.add, b"x") == 413
    assert bodies.held == 0


def test_a_large_body_waits_for_others_and_a_small_one_does_not():
    bodies = Bodies(2 * MIB)
    first = opened(bodies)
    first.add(bytes(MIB + 1))
    assert refusal(opened, bodies, MIB) == 503
    second = opened(bodies)
    second.add(bytes(MIB - 1))
    assert refusal(second.add, bytes(1)) == 503
    third = opened(bodies, SMALL)
    third.add(bytes(SMALL))
    assert bodies.held == MIB + 1 + SMALL

    first.release()
    first.release()
    third.release()
    assert bodies.held == 0
    opened(bodies, MIB)


def test_one_body_alone_is_taken_whatever_its_size():
    body = opened(Bodies(MIB), 8 * MIB)
    body.add(bytes(4 * MIB))
    body.add(bytes(4 * MIB))
    assert len(body.content()) == 8 * MIB
