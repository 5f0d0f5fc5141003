"""Maps errors of upstreams to `ApiError`s, with one sentence for each kind.

These decide, in this order: a code or type that names the kind (`API_KEY_INVALID`, `insufficient_quota`,
`context_length_exceeded`), the message, then the status. Vendors use statuses differently: an invalid key is 400 at
Gemini, an account without credit 402 at DeepSeek and 429 at OpenAI, and a prompt that is too long 400, 413, 422, 429 or
500.

The upstream's own message is neither shown nor logged, because it may contain a URL, a key or a project's name.
"""

import logging
import re
from collections.abc import Iterator
from typing import Any

from chat.protocol import errors
from chat.providers.http import retry_delay
from chat.providers.http.error_words import (
    A_DAY,
    ANSWER_LENGTH,
    LOADING,
    NAMED,
    NO_QUOTA,
    SAID,
    STATUSES,
    TOO_LARGE_FOR_QUOTA,
    TOO_LONG,
    UNSUPPORTED,
)

log = logging.getLogger(__name__)

HTTP_CODE = re.compile(r"([45][0-9]{2})(?:\.0)?")
CODE_FIELDS = ("code", "status", "status_code", "statusCode", "http_code", "http_status", "error_code")
"""Fields of error objects that may have an HTTP status."""
DEEPEST, MOST_TEXTS = 6, 100
"""The most levels of an error object, and the most items of each, that are searched."""


class FieldsRefused(errors.InvalidArgument):
    """The upstream does not accept some optional `fields` of the request, given by their names."""

    def __init__(self, message: str, fields: list[str]) -> None:
        super().__init__(message)
        self.fields = fields


class ModelLoading(errors.Unavailable):
    """The upstream is still loading its model."""


def refused(error: Any, who: str, code: int = 0, wait: int | None = None) -> errors.ApiError:
    """Return the ApiError for an upstream's error: Google's `{"code", "status", "details"}`, OpenAI's
    `{"type", "code"}`, a string, or only the HTTP status `code` (0: unknown). A code in `error` that is not an HTTP
    status (gRPC's 14, a vendor's 1301) does not override `code`. `wait`: seconds from `Retry-After`."""
    fields = error if isinstance(error, dict) else {}
    while isinstance(inner := fields.get("error"), dict):  # gateways wrap their upstream's
        fields = inner
    words = [str(fields.get(name) or "").upper() for name in ("status", "type", "code")]
    status = next((word for word in words if word in STATUSES), "")
    codes = (HTTP_CODE.fullmatch(str(fields.get(name) or "")) for name in CODE_FIELDS)
    if match := next(filter(None, codes), None):
        code = int(match[1])
    code = code or STATUSES.get(status, 0)
    texts, said = set(texts_of(error, keys=True)), " ".join(texts_of(error))
    kind = kind_of(code, {text.upper() for text in texts}, said)
    log.warning("%s refused with %s %s", who, code, kind or status)
    wait = wait or retry_delay.in_details(fields) or retry_delay.in_words([said])
    if code in (0, 503) and LOADING.search(said):
        return ModelLoading(f"{who} is still loading its model.", retry_after=wait)
    if kind is None and code in (400, 422) and (unknown := unknown_fields(" ".join(texts))):
        return FieldsRefused(error_for(400, who).message, unknown)
    return error_of(kind, code or 500, who, wait)


def texts_of(value: Any, depth: int = 0, *, keys: bool = False) -> Iterator[str]:
    """Yield all strings in a JSON value, with `keys` also those of keys, down to DEEPEST levels."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list) and depth < DEEPEST:
        if keys and isinstance(value, dict):
            yield from list(value)[:MOST_TEXTS]
        for item in list(value.values() if isinstance(value, dict) else value)[:MOST_TEXTS]:
            yield from texts_of(item, depth + 1, keys=keys)


def kind_of(code: int, words: set[str], said: str) -> str | None:
    """Return the kind of an error by its words and message; None if only its status tells. `code` is 0 if there is no
    status, as in the middle of a stream."""
    if code == 413 or (code == 429 and TOO_LARGE_FOR_QUOTA.search(said)):
        return "too long"
    if code == 429 and NO_QUOTA.search(said):
        return "account"
    named = next((kind for kind, names in NAMED.items() if not names.isdisjoint(words)), None)
    if named == "busy" or (named is None and code == 429):
        return "today" if A_DAY.search(said) else named
    if named is not None:
        return named
    if code == 402:
        return "account"
    if code in (408, 502, 503, 504, 529) or code in NOT_THE_USERS:
        return None
    if TOO_LONG.search(said) and not ANSWER_LENGTH.search(said) and not SAID["busy"].search(said):
        return "too long"
    if UNSUPPORTED.search(said):  # llama.cpp's are 500, OpenRouter's 404
        return "unsupported"
    if code < 500 and (kind := next((kind for kind, pattern in SAID.items() if pattern.search(said)), None)):
        return kind
    return None


def unknown_fields(said: str) -> list[str]:
    """Return the fields in an error's texts that can be omitted or renamed."""
    found = ["stream_options"] if re.search(r"stream_options|include_usage", said) else []
    found += [name for name in ("continue_final_message", "add_generation_prompt") if name in said]
    return found + (["max_tokens"] if {"max_tokens", "max_completion_tokens"} <= set(re.findall(r"\w+", said)) else [])


NOT_THE_USERS = (411, 414, 417, 428, 431, 451, 494, 495, 496, 497, 505, 511)
"""Statuses about what is not in the user's hands: headers, address, certificate, protocol, place."""

CODES = {"too long": 413, "operator": 431, "key": 403, "model": 404, "busy": 429, "unavailable": 503}


def error_of(kind: str | None, code: int, who: str, wait: int | None) -> errors.ApiError:
    """Return the error for a kind; for None that of the HTTP status. `wait`: seconds."""
    if kind == "account":
        return errors.PermissionDenied(f"{who} asks this server to pay first. Its operator must look at it.")
    if kind == "today":
        wait = max(wait or 0, retry_delay.LONGEST)
        return errors.ResourceExhausted(f"{who} takes no more requests for today.", retry_after=wait)
    if kind == "blocked":
        return errors.Blocked(f"{who} refused this message because of what it says.")
    if kind == "unsupported":
        return errors.InvalidArgument(
            f"{who} did not accept this request. "
            "This model may take no photos, sounds or tools: leave them out, or choose another one."
        )
    return error_for(code if kind is None else CODES[kind], who, wait)


def error_for(code: int, who: str, wait: int | None = None) -> errors.ApiError:
    """Return the error for an upstream's HTTP status. `wait`: seconds."""
    if code in (401, 403, 407):
        return errors.PermissionDenied(f"{who} did not accept this server's key. Its operator must look at it.")
    if code in (404, 410):
        return errors.NotFound(f"{who} does not know this model.")
    if 300 <= code < 400 or code in (405, 406, 415, 421, 426, 501):
        return errors.NotFound(
            f"{who} cannot be asked at the address that is set. This server's operator must look at it."
        )
    if code in NOT_THE_USERS:
        return errors.PermissionDenied(f"{who} did not accept this request. This server's operator must look at it.")
    if code in (425, 429):
        return errors.ResourceExhausted(f"{who} takes no more requests for now.", retry_after=wait)
    if code in (408, 504):
        return errors.DeadlineExceeded(f"{who} took too long.")
    if code == 413:
        return errors.TooLarge(f"{who} says that this is too long for the model. Shorten it, or begin a new chat.")
    if code in (409, 423, 424, 449, 498, 502, 503, 520, 521, 522, 523, 524, 529):
        return errors.Unavailable(f"{who} is not available at the moment.", retry_after=wait)
    if 400 <= code < 500:
        return errors.InvalidArgument(f"{who} did not accept this request. Change it, then send it again.")
    return errors.Internal(f"{who} failed on its side.")
