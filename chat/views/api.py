"""The frame of every API view: `@api("POST")` around it, `body(request, Shape)` in, `json_response(…)` out.

A view raises `chat.protocol.errors`, which become Google's error JSON with the matching HTTP status. Any other
exception is logged and becomes a 500 without details: no traceback, path or SQL leaves the server.
"""

import json
import logging
import math
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable
from functools import wraps
from time import monotonic
from types import NoneType
from typing import Any, NoReturn, TypeVar

import msgspec
from django.conf import settings
from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.core.signals import got_request_exception
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from chat.process import Process, this_process
from chat.protocol.errors import (
    ApiError,
    Internal,
    InvalidArgument,
    MethodNotAllowed,
    TooLarge,
    Unavailable,
    UnsupportedMediaType,
)


class Request(HttpRequest):
    """A request as API views get it: with the objects of this process."""

    process: Process


Shape = TypeVar("Shape")
View = Callable[..., Coroutine[Any, Any, HttpResponseBase]]
Bytes = Callable[[], int]
AsJson = Callable[[ApiError], dict[str, Any]]
JSON = "application/json"
DEEPEST = 32
BOM = "\ufeff"

log = logging.getLogger(__name__)


def api(
    *methods: str, csrf: bool = False, body_bytes: Bytes | None = None, as_json: AsJson = ApiError.as_json
) -> Callable[[View], View]:
    """Decorate an async view that answers these methods and may raise ApiError. `csrf`: for routes that accept the
    page's cookie; `body_bytes`: the largest body, in place of the general limit (see `body_limit.py`); `as_json`: the
    format of its errors. GET includes HEAD."""
    methods = with_head(methods)

    def decorate(view: View) -> View:
        @wraps(view)
        async def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            began = monotonic()
            if request.method in methods:
                response = unsent(request, await guarded(view, as_json, request, *args, **kwargs))
            else:
                response = other_method(request, (*methods, "OPTIONS"), as_json)
            response.headers.setdefault("Cache-Control", "no-store")
            response.headers["Server-Timing"] = f"app;dur={(monotonic() - began) * 1000:.1f}"
            return response

        answer.csrf_exempt = not csrf  # type: ignore[attr-defined]  # its decorator is one more coroutine
        answer.body_bytes = body_bytes  # type: ignore[attr-defined]
        return answer

    return decorate


def with_head(methods: tuple[str, ...]) -> tuple[str, ...]:
    """The methods, with HEAD where GET is (RFC 9110, section 9.3.2). A view need not know: its body is not sent, and
    one that streams never begins (`unsent`)."""
    return tuple(known for method in methods for known in (("GET", "HEAD") if method == "GET" else (method,)))


def unsent(request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
    """The response, whose body never begins to stream where HEAD asks for it."""
    if request.method == "HEAD" and response.streaming:
        response.streaming_content = no_pieces()  # type: ignore[attr-defined]
    return response


async def no_pieces() -> AsyncIterator[bytes]:
    """The pieces of a body that has none."""
    none: tuple[bytes, ...] = ()
    for piece in none:
        yield piece


def other_method(request: HttpRequest, methods: tuple[str, ...], as_json: AsJson) -> HttpResponseBase:
    """The response to OPTIONS, and to a method that the view does not answer."""
    allow = ", ".join(methods)
    if request.method == "OPTIONS":
        return HttpResponse(status=204, headers={"Allow": allow})
    response = refusal(MethodNotAllowed(f"This address answers {allow}, not {request.method}."), as_json)
    response.headers["Allow"] = allow
    return response


async def guarded(view: View, as_json: AsJson, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
    """The response of the view, or that of the error that it raised."""
    request.process = this_process()  # type: ignore[attr-defined]
    try:
        return await view(request, *args, **kwargs)
    except ApiError as error:
        refused = error
    except RequestDataTooBig:
        refused = TooLarge("The request is too large.")
    except SuspiciousOperation as wrong:
        log.warning("refused %s %s: %s", request.method, request.path, wrong)
        refused = InvalidArgument("The request cannot be read.")
    except (OperationalError, InterfaceError) as away:
        log.warning("failed %s %s: %s", request.method, request.path, away)
        refused = Unavailable(why(away), retry_after=1)
    except Exception:
        log.exception("failed %s %s", request.method, request.path)
        await got_request_exception.asend(sender=None, request=request)
        refused = Internal("Something went wrong on the server; it has been logged.")
    return refusal(refused, as_json)


def why(away: Exception) -> str:
    """The sentence for a user when the database could not be reached."""
    if type(away.__cause__).__name__ == "PoolTimeout":  # psycopg_pool's, which is not installed everywhere
        return "No connection to the database became free in time: try again in a moment."
    return "The database does not answer just now: try again in a moment."


def refusal(error: ApiError, as_json: AsJson = ApiError.as_json) -> HttpResponse:
    """The HTTP response for an error: JSON, status, and the headers that go with the status."""
    response = json_response(as_json(error), error.code)
    response.headers["Cache-Control"] = "no-store"
    if error.code == 401:
        response.headers["WWW-Authenticate"] = "Bearer"
    if error.code in (429, 503):
        response.headers["Retry-After"] = str(error.retry_after or 1)
    for name, value in getattr(error, "headers", {}).items():
        response.headers[name] = value
    return response


def json_response(value: Any, status: int = 200, headers: dict[str, str] | None = None) -> HttpResponse:
    """A JSON response of anything that msgspec encodes, such as structs, dataclasses, UUIDs and datetimes."""
    return HttpResponse(msgspec.json.encode(value), content_type=JSON, status=status, headers=headers)


def chat_bytes() -> int:
    """The largest body of a question, photos as `inlineData` included."""
    return int(settings.LIMITS["CHAT_BODY_BYTES"])


def body(request: HttpRequest, shape: type[Shape], limit: int | None = None) -> Shape:
    """The request's JSON body as `shape`, parsed strictly; at most `limit` bytes, by default the general limit.

    Raises UnsupportedMediaType unless its type is `application/json` in UTF-8 (forms of other sites cannot send that),
    TooLarge, and InvalidArgument for anything that is not strict JSON (RFC 8259) or not of that shape, with the place.
    """
    charset = (request.content_params or {}).get("charset", "utf-8")
    if request.content_type != JSON or charset.lower() not in ("utf-8", "utf8"):
        raise UnsupportedMediaType(f"The body must be JSON in UTF-8: send `Content-Type: {JSON}`.")
    if request.headers.get("Content-Encoding", "identity") != "identity":
        raise UnsupportedMediaType("The body must not be compressed.")
    limit = limit or settings.LIMITS["BODY_BYTES"]
    if declared_length(request) > limit or len(raw := request.read(limit + 1)) > limit:
        raise TooLarge(f"The body has more than {limit} bytes.")
    try:
        return msgspec.convert(parse(raw), shape)
    except msgspec.ValidationError as wrong:
        raise InvalidArgument(f"The body does not have the expected shape: {wrong}.") from None


def declared_length(request: HttpRequest) -> int:
    """The value of Content-Length; 0 if it is missing or not a number."""
    text = request.META.get("CONTENT_LENGTH") or "0"
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0


def parse(raw: bytes) -> Any:
    """Parse strict JSON: UTF-8, no repeated key, finite numbers, no lone surrogates or NUL, at most 32 levels deep."""
    try:
        text = raw.decode()
        value = json.loads(text) if text.startswith(BOM) else DECODER.decode(text)  # `loads` explains the BOM
    except UnicodeDecodeError as wrong:
        raise InvalidArgument(f"The body is not UTF-8 (byte {wrong.start}).") from None
    except json.JSONDecodeError as wrong:
        raise InvalidArgument(
            f"The body is not JSON: {wrong.msg} (line {wrong.lineno}, column {wrong.colno})."
        ) from None
    except RecursionError:
        raise InvalidArgument(f"The body is nested deeper than {DEEPEST} levels.") from None
    except ValueError:
        raise InvalidArgument("The body holds a number that is too long.") from None
    check_depth_and_values(value)
    return value


def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """The pairs of a JSON object as a dictionary. InvalidArgument for a repeated key."""
    found = dict(pairs)
    if len(found) != len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise InvalidArgument(f"The body has a field twice: {twice[:40]!r}.")
    return found


def refuse_constant(name: str) -> NoReturn:
    """Refuse NaN and Infinity, which are not JSON."""
    raise InvalidArgument(f"The body holds {name}, which is not JSON.")


DECODER = json.JSONDecoder(object_pairs_hook=unique, parse_constant=refuse_constant)
"""Made once: with these arguments `json.loads` would make one for each body."""


def check_depth_and_values(value: Any) -> None:
    """Check all texts and numbers of a parsed value, level by level without recursion, and its depth."""
    level = [value]
    for _ in range(DEEPEST + 1):
        level = [inner for value in level for inner in INSIDE[type(value)](value)]
        if not level:
            return
    raise InvalidArgument(f"The body is nested deeper than {DEEPEST} levels.")


def fields(value: dict[str, Any]) -> tuple[Any, ...]:
    """The names and values of an object."""
    return (*value, *value.values())


def check_text(text: str) -> tuple[()]:
    """Refuse lone surrogates, which UTF-8 cannot encode, and NUL, which PostgreSQL cannot store."""
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            raise InvalidArgument("The body holds half a character (a lone surrogate).") from None
    if "\0" in text:
        raise InvalidArgument("The body holds the character NUL.")
    return ()


def check_number(number: float) -> tuple[()]:
    """Refuse what a float cannot hold, such as 1e999."""
    if not math.isfinite(number):
        raise InvalidArgument("The body holds a number that is too large.")
    return ()


def nothing(value: object) -> tuple[()]:
    """What is inside a value of any other type."""
    return ()


INSIDE: dict[type, Callable[[Any], Iterable[Any]]] = {
    dict: fields,
    list: iter,
    str: check_text,
    float: check_number,
    int: nothing,
    bool: nothing,
    NoneType: nothing,
}
"""By each type that JSON can have: checks a value, and returns the values inside it."""
