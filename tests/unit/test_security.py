"""Attacks on every route, and the security headers of responses."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from importlib.metadata import version
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django.urls.resolvers import RegexPattern
from hypothesis import given
from hypothesis import strategies as some

from chat.accounts import tokens
from chat.models import User
from chat.protocol.errors import InvalidArgument
from chat.views.api import parse
from wondercam.security import harden

PUBLIC = {
    "": "the chat page",
    "v2/auth/token": "gives tokens for a password",
    "v2/auth/refresh": "takes a refresh token",
    "v2/auth/logout": "takes a refresh token",
    "v2/auth/guest": "where guests are on",
    "v2/auth/session": "where guests are on",
    "v2/openapi.json": "the schema",
    "healthz": "a monitor asks",
    "readyz": "a load balancer asks",
    "manifest.webmanifest": "the page's name and icons",
    "service-worker.js": "keeps the page for times without a network",
    "offline": "the page for times without a network",
    "v2/probe": "a synthetic stream, for checking a proxy",
    "accounts/signin/": "signs in",
    "language/": "keeps the language of pages in a cookie",
    "accounts/signup/": "makes an account",
    "accounts/signout/": "ends the visitor's own session",
    "accounts/reset/": "sends a link to the address of an account",
    "accounts/reset/sent/": "says so",
    "accounts/reset/new/": "takes such a link",
    "admin/login/": "signs in",
    "admin/logout/": "ends the visitor's own session",
}
LIKE = ["models/x:generateContent", "models/x:countTokens", "models/x:streamGenerateContent"]
LIKE += ["v9beta/", "chat/", "nothing"]
AN_ID = "6f9619ff-8b86-4d01-b42d-00cf4fc964ff"
ONE_OF = {"uuid": AN_ID, "stream": AN_ID, "int": "1", "str": "x", "slug": "x", "path": "x"}
JSON = "application/json"


@pytest.fixture
def alice(db: None) -> User:
    return User.objects.create_user("alice")


def routes(patterns: list[URLPattern | URLResolver], before: str = "") -> Iterator[str]:
    """Every address of the site, with something in the place of each variable."""
    for pattern in patterns:
        here = before + str(pattern.pattern)
        if isinstance(pattern.pattern, RegexPattern) and str(pattern.pattern):
            here = before + next(text for text in LIKE if pattern.pattern.match(text))
        if isinstance(pattern, URLResolver):
            yield from routes(pattern.url_patterns, here)
        else:
            yield re.sub(r"<(?:(\w+):)?\w+>", lambda found: ONE_OF[found[1] or "str"], here)


@pytest.mark.slow
def test_every_route_asks_who_is_there_unless_it_is_known_to_be_public(db, settings):
    settings.GUESTS = False
    settings.SECURE_SSL_REDIRECT = False
    open_doors = []
    for route in routes(get_resolver().url_patterns):
        if route in PUBLIC:
            continue
        for method in ("get", "post"):
            answer = getattr(Client(), method)(f"/{route}")
            sent_to_login = answer.status_code == 302 and re.search("/(login|signin)/", answer.headers["Location"])
            if answer.status_code not in (401, 403, 404, 405) and not sent_to_login:
                open_doors.append((method, route, answer.status_code))
    assert not open_doors


@pytest.mark.parametrize("path", ["/v2/nothing", "/v1beta/nothing", "/v2/", "/v2//echat", "/v2/auth/token/", "/v2/é"])
def test_an_unknown_api_address_is_a_json_404(db, path):
    answer = Client().get(path)
    assert answer.status_code == 404
    assert answer.json()["error"]["status"] == "NOT_FOUND"
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "HEAD", "TRACE", "PROPFIND"])
def test_another_method_is_refused_and_told_which_is_right(db, method):
    answer = Client().generic(method, "/v2/auth/token", headers={"X-HTTP-Method-Override": "POST"})
    assert answer.status_code == 405
    assert answer.headers["Allow"] == "POST, OPTIONS"


def test_options_says_what_is_allowed(db):
    answer = Client().options("/v2/auth/token")
    assert (answer.status_code, answer.headers["Allow"]) == (204, "POST, OPTIONS")


def token(body: bytes, content_type: str = JSON, **headers: str) -> Any:
    extra: dict[str, Any] = {"CONTENT_TYPE": content_type} if content_type else {}
    return Client().generic("POST", "/v2/auth/token", body, content_type="", headers=headers, **extra)


RIGHT = b'{"username": "a", "password": "b"}'
BAD_BODIES = {
    "empty": b"",
    "cut": b"{",
    "null": b"null",
    "list": b"[]",
    "text": b'"x"',
    "number": b"1",
    "deep list": b"[" * 200_000,
    "deep object": b'{"a":' * 40_000,
    "deep and whole": b"[" * 500 + b"]" * 500,
    "twice": b'{"username": "a", "username": "b", "password": "c"}',
    "not a number": b'{"username": NaN, "password": "b"}',
    "infinite": b'{"username": Infinity, "password": "b"}',
    "too large a number": b'{"username": 1e400, "password": "b"}',
    "too long a number": b'{"username": ' + b"9" * 5000 + b"}",
    "half a character": b'{"username": "\\ud800", "password": "b"}',
    "half a character as a name": b'{"\\udfff": 1}',
    "nul": b'{"username": "\\u0000", "password": "b"}',
    "not utf-8": b'{"username": "\xff", "password": "b"}',
    "utf-16": RIGHT.decode().encode("utf-16"),
    "byte order mark": b"\xef\xbb\xbf" + RIGHT,
    "two": RIGHT + RIGHT,
    "unknown field": b'{"username": "a", "password": "b", "is_staff": true}',
    "missing field": b'{"username": "a"}',
    "wrong type": b'{"username": ["a"], "password": "b"}',
    "single quotes": b"{'username': 'a'}",
    "comment": b'{"username": "a", /* */ "password": "b"}',
}


@pytest.mark.parametrize("name", BAD_BODIES)
def test_a_body_that_is_wrong_is_refused_with_a_sentence(db, name):
    answer = token(BAD_BODIES[name])
    assert answer.status_code == 400
    error = answer.json()["error"]
    assert error["status"] == "INVALID_ARGUMENT"
    assert error["message"].startswith("The body")
    assert "Traceback" not in error["message"]
    assert len(error["message"]) < 300


@pytest.mark.parametrize(
    ("content_type", "headers"),
    [
        ("", {}),
        ("text/plain", {}),
        ("application/x-www-form-urlencoded", {}),
        ("multipart/form-data; boundary=x", {}),
        ("application/json; charset=utf-16", {}),
        ("application/json; charset=nonsense", {}),
        ("application/jsonp", {}),
        (JSON, {"Content-Encoding": "gzip"}),
    ],
)
def test_a_body_of_another_type_is_refused(db, content_type, headers):
    assert token(RIGHT, content_type, **headers).status_code == 415


def test_json_with_its_charset_is_taken(db):
    assert token(RIGHT, "application/json; charset=UTF-8").status_code == 401


@pytest.mark.parametrize("declared", ["10", "", "999999999999999999999", "-1", "x"])
def test_a_body_over_the_limit_is_refused_whatever_its_length_is_said_to_be(db, settings, declared):
    settings.LIMITS = {**settings.LIMITS, "BODY_BYTES": 1000}
    body = json.dumps({"username": "a" * 1000, "password": ""}).encode()
    answer = Client().generic("POST", "/v2/auth/token", body, content_type=JSON, CONTENT_LENGTH=declared)
    assert answer.status_code in (400, 413)
    assert token(body).status_code == 413


values = some.recursive(
    some.none() | some.booleans() | some.integers(-(2**53), 2**53) | some.floats(allow_nan=False, allow_infinity=False)
    | some.text(some.characters(exclude_categories=["Cs"], exclude_characters="\0")),
    lambda inner: some.lists(inner, max_size=4) | some.dictionaries(some.sampled_from("abcd"), inner, max_size=4),
    max_leaves=20,
)  # fmt: skip


@pytest.mark.slow
@given(values)
def test_what_is_json_is_read_as_it_was_written(value):
    assert parse(json.dumps(value, ensure_ascii=False).encode()) == value


@given(some.binary(max_size=60) | some.text('[]{}",:\\u0d8 1eE+-.tfn', max_size=40).map(str.encode))
def test_what_is_not_json_is_never_more_than_refused(raw):
    with suppress(InvalidArgument):
        parse(raw)


def test_what_escapes_a_view_says_nothing_of_the_server(alice, monkeypatch, caplog):
    def broken(*_: Any) -> None:
        raise RuntimeError("SELECT secret FROM /etc/passwd")

    monkeypatch.setattr(tokens, "verified", broken)
    client = Client(raise_request_exception=False)
    answer = client.post("/v2/tickets", headers={"Authorization": "Bearer a.b.c"})
    assert answer.status_code == 500
    assert answer.json()["error"]["status"] == "INTERNAL"
    assert "secret" not in answer.content.decode()
    assert "SELECT secret" in caplog.text


def test_a_foreign_host_is_refused_on_every_way(db, settings):
    settings.ALLOWED_HOSTS = ["chat.example"]
    for path in ("/v2/models", "/v2/auth/session", "/v2/nothing", "/admin/login/"):
        answer = Client().get(path, headers={"Host": "evil.example"})
        assert answer.status_code == 400
    assert Client().get("/v2/models", headers={"Host": "evil.example"}).json()["error"]["code"] == 400
    assert Client().get("/healthz", headers={"Host": "10.0.0.7"}).status_code == 200


def test_plain_http_is_refused_where_https_is_the_rule(alice, settings):
    settings.SECURE_SSL_REDIRECT, settings.SECURE_HSTS_SECONDS = True, 31_536_000
    assert Client().get("/v2/models").status_code == 403
    answer = Client().get("/v2/models", secure=True)
    assert answer.status_code == 401
    assert answer.headers["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains"
    assert Client().get("/healthz").status_code == 200


def test_the_api_lets_a_browser_do_nothing_with_its_answers(db):
    for path in ("/v2/models", "/v2/nothing", "/healthz"):
        headers = Client().get(path).headers
        assert headers["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'"
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["X-Frame-Options"] == "DENY"
        assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
        assert headers["Cache-Control"] == "no-store"
        assert "camera=()" in headers["Permissions-Policy"]


def directives(policy: str) -> dict[str, str]:
    return dict(directive.strip().partition(" ")[::2] for directive in policy.split(";"))


def test_the_page_runs_only_scripts_with_the_nonce_of_this_very_response(db):
    first, second = (directives(Client().get("/accounts/signin/").headers["Content-Security-Policy"]) for _ in range(2))
    assert re.fullmatch(r"'nonce-[\w-]{22}' 'strict-dynamic'", first["script-src"])
    assert first["script-src"] != second["script-src"]
    assert first["default-src"] == first["base-uri"] == first["object-src"] == first["frame-ancestors"] == "'none'"
    assert first["require-trusted-types-for"] == "'script'"
    assert "unsafe" not in str(first)
    assert "http" not in str(first)


@pytest.mark.parametrize("feature", ["camera", "microphone", "display-capture"])
def test_only_the_chat_page_may_see_and_hear(db, feature):
    assert f"{feature}=(self)" in Client().get("/").headers["Permissions-Policy"]
    for path in ("/accounts/signin/", "/admin/login/", "/v2/models", "/v2/auth/session"):
        assert f"{feature}=()" in Client().get(path).headers["Permissions-Policy"]


def test_the_admin_is_relaxed_no_further_than_it_needs(db):
    policy = directives(Client().get("/admin/login/").headers["Content-Security-Policy"])
    assert "unsafe" not in str(policy)
    assert policy["frame-ancestors"] == policy["default-src"] == "'none'"


HERE = "https://app.example"


def preflight(origin: str, path: str = "/v2/echat") -> Any:
    asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization,content-type"}
    return Client().options(path, headers={"Origin": origin, **asked})


def test_a_listed_origin_may_use_the_api_with_a_token_only(db, settings):
    settings.CORS_ALLOWED_ORIGINS = [HERE]
    headers = preflight(HERE).headers
    assert headers["Access-Control-Allow-Origin"] == HERE
    assert {"authorization", "last-event-id"} <= set(headers["Access-Control-Allow-Headers"].split(", "))
    answer = Client().get("/v2/models", headers={"Origin": HERE})
    exposed = set(answer.headers["Access-Control-Expose-Headers"].split(", "))
    assert {"X-Stream-Id", "X-Conversation-Id", "Retry-After", "RateLimit"} <= exposed
    assert "Access-Control-Allow-Credentials" not in answer.headers
    assert "origin" in answer.headers["Vary"].lower()


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "http://app.example",
        "https://app.example:8443",
        "https://app.example.evil.example",
        "null",
    ],
)
def test_an_unlisted_origin_may_not(db, settings, origin):
    settings.CORS_ALLOWED_ORIGINS = [HERE]
    assert "Access-Control-Allow-Origin" not in preflight(origin).headers
    assert "Access-Control-Allow-Origin" not in Client().get("/v2/models", headers={"Origin": origin}).headers


def test_what_depends_on_the_origin_says_so_also_where_none_was_sent(db):
    for path in ("/v2/models", "/v2/nothing", "/v2/auth/session"):
        for headers in ({}, {"Origin": HERE}):
            assert Client().get(path, headers=headers).headers["Vary"].lower().split(", ").count("origin") == 1


def test_what_a_response_says_itself_is_not_overwritten(rf):
    answer = HttpResponse(headers={"cache-control": "no-cache", "Vary": "Accept", "X-Frame-Options": "SAMEORIGIN"})
    harden(rf.get("/v2/models"), answer)
    assert answer.headers["Cache-Control"] == "no-cache"
    assert answer.headers["X-Frame-Options"] == "SAMEORIGIN"
    assert answer.headers["Vary"] == "Accept, origin"
    another = HttpResponse()
    harden(rf.get("/v2/models"), another)
    assert (another.headers["Cache-Control"], another.headers["X-Frame-Options"]) == ("no-store", "DENY")


def test_a_host_that_was_ours_is_refused_when_it_is_ours_no_more(db, settings):
    for allowed, status in (["chat.example"], 401), ([".example"], 401), (["other.example"], 400), (["*"], 401):
        settings.ALLOWED_HOSTS = allowed
        for host in ("chat.example", "CHAT.example:8443"):
            assert Client().post("/v2/tickets", headers={"Host": host}).status_code == status
    for host in ("", "chat.example/", "chat.example:x", "a b"):
        assert Client().post("/v2/tickets", headers={"Host": host}).status_code == 400


def test_no_other_origin_may_use_the_page(db, settings):
    settings.CORS_ALLOWED_ORIGINS = [HERE]
    for path in ("/accounts/signin/", "/admin/login/"):
        assert "Access-Control-Allow-Origin" not in Client().get(path, headers={"Origin": HERE}).headers


def started(**variables: str) -> str:
    """What a start in production with these variables says on stderr; "" when it starts."""
    safe = {"DEBUG": "0", "WONDERCAM_LIMITS": "on", "ALLOWED_HOSTS": "chat.example"}
    command = [sys.executable, "-W", "ignore", "manage.py", "check", "--deploy", "--fail-level", "WARNING"]
    command += ["--tag", "security"]
    done = subprocess.run(command, env={**os.environ, **safe, **variables}, capture_output=True, text=True)
    return done.stderr if done.returncode else ""


@pytest.mark.slow
def test_production_passes_djangos_own_checks():
    assert not started(WONDERCAM_HSTS_PRELOAD="1")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SECRET_KEY", ""),
        ("SECRET_KEY", "short"),
        ("JWT_SIGNING_KEY", ""),
        ("JWT_SIGNING_KEY", "a-key-for-tests-only-and-nothing-else-in-the-world"),
        ("CORS_ALLOWED_ORIGINS", "*"),
        ("CORS_ALLOWED_ORIGINS", "null"),
        ("ALLOWED_HOSTS", "*"),
    ],
)
def test_production_does_not_start_with_an_unsafe_setting(name, value):
    assert name in started(**{name: value})


@pytest.mark.parametrize(
    ("package", "floor"),
    [
        ("Django", (5, 2, 19)),
        ("daphne", (4, 2, 3)),
        ("PyJWT", (2, 15)),
        ("pillow", (13, 0)),
        ("asgiref", (3, 12, 1)),
    ],
)
def test_no_package_is_older_than_the_mend_of_its_last_known_fault(package, floor):
    assert tuple(int(part) for part in version(package).split(".")[:3] if part.isdigit()) >= floor
