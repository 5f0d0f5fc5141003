"""How every API view answers: `@api("POST")` around it, `body(request, Shape)` in, `json_response(…)` out.

A view raises `chat.protocol.errors`; here they become Google's error JSON with a real status. Whatever else escapes a
view is logged and becomes a bland 500: no traceback, no path and no statement ever leaves the server.
"""

import json
import logging
import math
from collections.abc import Callable, Coroutine
from functools import wraps
from time import monotonic
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
    """A request as API views get it: with what this process holds."""

    process: Process


Shape = TypeVar("Shape")
View = Callable[..., Coroutine[Any, Any, HttpResponseBase]]
JSON = "application/json"
DEEPEST = 32
BOM = "\ufeff"

log = logging.getLogger(__name__)


def api(*methods: str, csrf: bool = False, body_bytes: Callable[[], int] | None = None) -> Callable[[View], View]:
    """Decorate an async view that answers these methods and raises ApiError. `csrf`: for the page's cookie routes;
    `body_bytes`: what its bodies may have, in place of the general limit (see `body_limit.py`)."""
    allow = ", ".join((*methods, "OPTIONS"))

    def decorate(view: View) -> View:
        @wraps(view)
        async def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            began = monotonic()
            if request.method == "OPTIONS":
                response: HttpResponseBase = HttpResponse(status=204, headers={"Allow": allow})
            elif request.method not in methods:
                response = refusal(MethodNotAllowed(f"This address answers {allow}, not {request.method}."))
                response.headers["Allow"] = allow
            else:
                response = await guarded(view, request, *args, **kwargs)
            response.headers.setdefault("Cache-Control", "no-store")
            response.headers["Server-Timing"] = f"app;dur={(monotonic() - began) * 1000:.1f}"
            return response

        answer.csrf_exempt = not csrf  # type: ignore[attr-defined]  # its decorator is one more coroutine
        answer.body_bytes = body_bytes  # type: ignore[attr-defined]
        return answer

    return decorate


async def guarded(view: View, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
    """The view's response, or the JSON of what went wrong in it."""
    request.process = this_process()  # type: ignore[attr-defined]
    try:
        return await view(request, *args, **kwargs)
    except ApiError as error:
        return refusal(error)
    except RequestDataTooBig:
        return refusal(TooLarge("The request is too large."))
    except SuspiciousOperation as wrong:
        log.warning("refused %s %s: %s", request.method, request.path, wrong)
        return refusal(InvalidArgument("The request cannot be read."))
    except (OperationalError, InterfaceError) as away:
        log.warning("failed %s %s: %s", request.method, request.path, away)
        return refusal(Unavailable(why(away), retry_after=1))
    except Exception:
        log.exception("failed %s %s", request.method, request.path)
        await got_request_exception.asend(sender=None, request=request)
        return refusal(Internal("Something went wrong on the server; it has been logged."))


def why(away: Exception) -> str:
    """What a person is told where the database could not be asked."""
    if type(away.__cause__).__name__ == "PoolTimeout":  # psycopg_pool's, which is not installed everywhere
        return "No connection to the database became free in time: try again in a moment."
    return "The database does not answer just now: try again in a moment."


def refusal(error: ApiError) -> HttpResponse:
    """An error as an HTTP response: its JSON, its status, and the headers that belong to the status."""
    response = json_response(error.as_json(), error.code)
    response.headers["Cache-Control"] = "no-store"
    if error.code == 401:
        response.headers["WWW-Authenticate"] = "Bearer"
    if error.code in (429, 503):
        response.headers["Retry-After"] = str(error.retry_after or 1)
    for name, value in getattr(error, "headers", {}).items():
        response.headers[name] = value
    return response


def json_response(value: Any, status: int = 200, headers: dict[str, str] | None = None) -> HttpResponse:
    """A JSON response of anything msgspec can write: structs, dataclasses, UUIDs and times among them."""
    return HttpResponse(msgspec.json.encode(value), content_type=JSON, status=status, headers=headers)


def chat_bytes() -> int:
    """What a question may have, with photos as `inlineData` in it."""
    return int(settings.LIMITS["CHAT_BODY_BYTES"])


def body(request: HttpRequest, shape: type[Shape], limit: int | None = None) -> Shape:
    """The request's JSON body as `shape`, read strictly; at most `limit` bytes (else the general limit).

    Raises UnsupportedMediaType unless it says `application/json` in UTF-8 (a form of another site can not), TooLarge,
    and InvalidArgument for what is not JSON to the letter (RFC 8259) or not of that shape, with the place in words.
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
        raise InvalidArgument(f"The body has another shape than expected: {wrong}.") from None


def declared_length(request: HttpRequest) -> int:
    """What Content-Length says; 0 when it says nothing that is a number."""
    text = request.META.get("CONTENT_LENGTH") or "0"
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0


def parse(raw: bytes) -> Any:
    """JSON to the letter: UTF-8, no key twice, finite numbers, whole characters, at most 32 levels deep."""
    try:
        text = raw.decode()
        value = json.loads(text) if text.startswith(BOM) else DECODER.decode(text)  # the one says why it cannot be
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
    inspect([value])
    return value


def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object whose keys are all different."""
    found = dict(pairs)
    if len(found) != len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise InvalidArgument(f"The body has a field twice: {twice[:40]!r}.")
    return found


def refuse_constant(name: str) -> NoReturn:
    """NaN and Infinity are no JSON."""
    raise InvalidArgument(f"The body holds {name}, which is not JSON.")


DECODER = json.JSONDecoder(object_pairs_hook=unique, parse_constant=refuse_constant)
"""Made once: `json.loads` would make one for each body."""


def inspect(level: list[Any]) -> None:
    """Walk the value level by level, since a bomb is deep; refuse what no honest client sends."""
    for _ in range(DEEPEST + 1):
        below: list[Any] = []
        for value in level:
            if isinstance(value, dict):
                below.extend(value)
                below.extend(value.values())
            elif isinstance(value, list):
                below.extend(value)
            elif isinstance(value, str):
                check_text(value)
            elif isinstance(value, float) and not math.isfinite(value):
                raise InvalidArgument("The body holds a number that is too large.")
        if not below:
            return
        level = below
    raise InvalidArgument(f"The body is nested deeper than {DEEPEST} levels.")


def check_text(text: str) -> None:
    """Refuse half characters (no UTF-8 can carry them) and NUL (PostgreSQL cannot keep it)."""
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            raise InvalidArgument("The body holds half a character (a lone surrogate).") from None
    if "\0" in text:
        raise InvalidArgument("The body holds the character NUL.")
