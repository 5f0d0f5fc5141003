"""From an upstream's way of saying no to ours: one table, one sentence each.

What counts, in this order: a code or type that names the kind (`API_KEY_INVALID`, `insufficient_quota`,
`context_length_exceeded`), what the message says, and only then the status, which vendors use as they like: a wrong key
is Gemini's 400, an empty account DeepSeek's 402 and OpenAI's 429, a prompt that is too long 400, 413, 422, 429 or 500.

Their words reach neither a reader nor a log: a message may hold an address, a key, a project's name.
"""

import logging
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from math import ceil
from typing import Any

from chat.protocol import errors

log = logging.getLogger(__name__)

LONGEST = 3600
"""Seconds: nobody is asked to wait longer."""

DEEPEST, MOST_TEXTS = 6, 100
"""How deep, and how many texts, an error is looked through."""


def retry_after(header: str | None) -> int | None:
    """`Retry-After` in seconds, an hour at most: a number or a date (RFC 9110, 10.2.3). None for anything else."""
    header = (header or "").strip()
    if header.isascii() and header.isdigit() and len(header) < 10:
        return min(int(header), LONGEST)
    try:
        moment = parsedate_to_datetime(header)
        left = moment.replace(tzinfo=moment.tzinfo or UTC) - datetime.now(UTC)
    except (ValueError, OverflowError):
        return None
    return min(max(ceil(left.total_seconds()), 0), LONGEST)


class FieldsRefused(errors.InvalidArgument):
    """The upstream does not take some `fields` of the request, by their names, that can be done without."""

    def __init__(self, message: str, fields: list[str]) -> None:
        super().__init__(message)
        self.fields = fields


class ModelLoading(errors.Unavailable):
    """The upstream is there, and its model is still being loaded."""


def refused(error: Any, who: str, code: int = 0, wait: int | None = None) -> errors.ApiError:
    """Our error for theirs: Google's `{"code", "status", "details"}`, OpenAI's `{"type", "code"}`, a text, or a bare
    status. A code that is no HTTP status (gRPC's 14, a vendor's 1301) does not outweigh the response's own."""
    fields = error if isinstance(error, dict) else {}
    words = [str(fields.get(name) or "").upper() for name in ("status", "type", "code")]
    status = next((word for word in words if word in STATUSES), "")
    if match := re.fullmatch(r"([45][0-9]{2})(?:\.0)?", words[-1]):
        code = int(match[1])
    code = code or STATUSES.get(status, 500)
    texts = list(texts_of(error))
    kind = kind_of(code, {text.upper() for text in texts}, " ".join(texts))
    log.warning("%s refused with %s %s", who, code, kind or status)
    if code == 503 and LOADING.search(" ".join(texts)):
        return ModelLoading(f"{who} is still loading its model.", retry_after=wait)
    if kind is None and code in (400, 422) and (unknown := unknown_fields(" ".join(texts))):
        return FieldsRefused(error_for(400, who).message, unknown)
    return error_of(kind, code, who, wait or _retry_delay(fields))


def texts_of(value: Any, depth: int = 0) -> Iterator[str]:
    """Every text and key in a JSON value, as deep as vendors nest their errors."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list) and depth < DEEPEST:
        if isinstance(value, dict):
            yield from list(value)[:MOST_TEXTS]
        for item in list(value.values() if isinstance(value, dict) else value)[:MOST_TEXTS]:
            yield from texts_of(item, depth + 1)


def kind_of(code: int, words: set[str], said: str) -> str | None:
    """The kind of a failure that is told by more than its status; None where only the status tells it."""
    if code == 413 or (code == 429 and TOO_LARGE_FOR_QUOTA.search(said)):
        return "too long"
    named = next((kind for kind, names in NAMED.items() if not names.isdisjoint(words)), None)
    if named is not None:
        return named
    if code == 402:
        return "account"
    if code in (408, 429, 502, 503, 504, 529):
        return None
    if TOO_LONG.search(said) and not ANSWER_LENGTH.search(said):
        return "too long"
    if code < 500 and (kind := next((kind for kind, pattern in SAID.items() if pattern.search(said)), None)):
        return kind
    return None


def unknown_fields(said: str) -> list[str]:
    """The fields that a refusal names, of those that can be done without or have another name."""
    found = ["stream_options"] if re.search(r"stream_options|include_usage", said) else []
    found += [name for name in ("continue_final_message", "add_generation_prompt") if name in said]
    return found + (["max_tokens"] if {"max_tokens", "max_completion_tokens"} <= set(re.findall(r"\w+", said)) else [])


def _retry_delay(error: dict[str, Any]) -> int | None:
    """Google's `RetryInfo.retryDelay` ("12.5s") in whole seconds (https://google.aip.dev/193)."""
    details = error.get("details")
    for detail in details if isinstance(details, list) else ():
        delay = detail.get("retryDelay") if isinstance(detail, dict) else None
        if isinstance(delay, str) and (match := re.fullmatch(r"(\d{1,6})(?:\.\d+)?s", delay)):
            return min(int(match[1]) + 1, LONGEST)
    return None


STATUSES = {
    "INVALID_ARGUMENT": 400,
    "FAILED_PRECONDITION": 400,
    "INVALID_REQUEST_ERROR": 400,
    "UNAUTHENTICATED": 401,
    "AUTHENTICATION_ERROR": 401,
    "PERMISSION_DENIED": 403,
    "PERMISSION_ERROR": 403,
    "NOT_FOUND": 404,
    "NOT_FOUND_ERROR": 404,
    "RESOURCE_EXHAUSTED": 429,
    "RATE_LIMIT_ERROR": 429,
    "RATE_LIMIT_EXCEEDED": 429,
    "CANCELLED": 499,
    "UNAVAILABLE": 503,
    "UNAVAILABLE_ERROR": 503,
    "OVERLOADED_ERROR": 503,
    "DEADLINE_EXCEEDED": 504,
    "TIMEOUT_ERROR": 504,
}

NAMED = {
    "too long": {
        "CONTEXT_LENGTH_EXCEEDED",
        "CONTEXT_WINDOW_EXCEEDED",
        "EXCEED_CONTEXT_SIZE_ERROR",
        "REQUEST_TOO_LARGE",
        "STRING_ABOVE_MAX_LENGTH",
        "TOKENS_LIMIT_REACHED",
    },
    "account": {
        "ARREARAGE",
        "BILLING_DISABLED",
        "BILLING_ERROR",
        "BILLING_HARD_LIMIT_REACHED",
        "BILLING_NOT_ACTIVE",
        "CREDITS_EXHAUSTED",
        "EXCEEDED_CURRENT_QUOTA_ERROR",
        "INSUFFICIENT_BALANCE",
        "INSUFFICIENT_QUOTA",
    },
    "key": {
        "ACCOUNT_DEACTIVATED",
        "API_KEY_EXPIRED",
        "API_KEY_HTTP_REFERRER_BLOCKED",
        "API_KEY_INVALID",
        "API_KEY_IP_ADDRESS_BLOCKED",
        "API_KEY_SERVICE_BLOCKED",
        "CONSUMER_INVALID",
        "CONSUMER_SUSPENDED",
        "INVALID_API_KEY",
        "INVALID_AUTHENTICATION_ERROR",
        "INVALID_ISSUER",
        "SERVICE_DISABLED",
        "UNSUPPORTED_COUNTRY_REGION_TERRITORY",
    },
    "model": {
        "INVALID_MODEL",
        "MODEL_DECOMMISSIONED",
        "MODEL_NOT_AVAILABLE",
        "MODEL_NOT_FOUND",
        "MODEL_NOT_FOUND_ERROR",
    },
    "blocked": {
        "CONTENT_FILTER",
        "CONTENT_FILTER_ERROR",
        "CONTENT_POLICY_VIOLATION",
        "DATA_INSPECTION_FAILED",
        "MODERATION_BLOCKED",
        "RESPONSIBLEAIPOLICYVIOLATION",
    },
    "busy": {"ENGINE_OVERLOADED_ERROR", "RATELIMITEXCEEDED", "RATE_LIMIT_EXCEEDED", "USERRATELIMITEXCEEDED"},
}
"""Codes, types and reasons that name a kind, whatever the status."""

TOO_LONG = re.compile(
    r"context[ _-]?(length|size|window)|maximum (prompt|context|input) length|max_model_len|model token limit"
    r"|\b(prompt|input|message|request|conversation|inputs?`?|payload|context)\b[^.\n]{0,80}"
    r"\b(too (long|large|many)|exceeds?|exceeded|longer than|greater than|only supports up to|over the (limit|maximum))"
    r"|\btoo many (input |prompt )?tokens|exceeds? max(imum)? (length|tokens)|max_new_tokens`? must be"
    r"|range of input length|reduce (the length|your prompt|the input)|request entity too large",
    re.IGNORECASE,
)
ANSWER_LENGTH = re.compile(r"max(_completion|_output|_new)?_?tokens`?'?\"? (is|are|value|parameter) ", re.IGNORECASE)
"""A refusal of the answer's length is none of the prompt's."""

LOADING = re.compile(r"\bloading (the )?model\b|\bmodel [^.\n]{0,60}\b(is|still) (being )?load", re.IGNORECASE)
"""llama.cpp's "Loading model", and what others say in its place."""

TOO_LARGE_FOR_QUOTA = re.compile(r"request (is )?too large", re.IGNORECASE)
"""No waiting helps a request that is larger than what may be sent in a minute."""

SAID = {
    "account": re.compile(
        r"insufficient (balance|credit|fund|quota)|(credit|account) balance|\bbilling\b|out of credits|more credits"
        r"|payment required|in arrears|exceeded your (monthly|current) (quota|budget|spend)",
        re.IGNORECASE,
    ),
    "key": re.compile(
        r"api[ _-]?key|location is not supported|not available in your (country|region)|unsupported country"
        r"|invalid (access )?token|authentication|unauthori[sz]ed|account (is|has been) (disabled|suspended)",
        re.IGNORECASE,
    ),
    "model": re.compile(
        r"model[^.\n]{0,60}\b(not found|does not exist|not exist|unknown|not available|decommissioned|deprecated)"
        r"|(unknown|invalid|unsupported|no such) model\b|not a valid model|pulling it first",
        re.IGNORECASE,
    ),
    "blocked": re.compile(
        r"content (filter|management|policy)|moderation|flagged|inappropriate content", re.IGNORECASE
    ),
}
"""What messages say of themselves, where neither a code nor a type does."""

CODES = {"too long": 413, "key": 403, "model": 404, "busy": 429}


def error_of(kind: str | None, code: int, who: str, wait: int | None) -> errors.ApiError:
    """The typed error and the sentence for a kind of failure, or by the code where no kind is known."""
    if kind == "account":
        return errors.PermissionDenied(f"{who} asks this server to pay first. Its operator must look at it.")
    if kind == "blocked":
        return errors.Blocked(f"{who} refused this message because of what it says.")
    return error_for(code if kind is None else CODES[kind], who, wait)


def error_for(code: int, who: str, wait: int | None = None) -> errors.ApiError:
    """The typed error and the sentence for an upstream's HTTP code."""
    if code in (401, 403, 407):
        return errors.PermissionDenied(f"{who} did not accept this server's key. Its operator must look at it.")
    if code in (404, 410):
        return errors.NotFound(f"{who} does not know this model.")
    if code in (405, 406, 415, 421, 426):
        return errors.NotFound(
            f"{who} cannot be asked at the address that is set. This server's operator must look at it."
        )
    if code in (425, 429):
        return errors.ResourceExhausted(f"{who} takes no more requests for now.", retry_after=wait)
    if code in (408, 504):
        return errors.DeadlineExceeded(f"{who} took too long.")
    if code == 413:
        return errors.TooLarge(f"{who} says that this is too long for the model. Shorten it, or begin a new chat.")
    if code in (424, 498, 502, 503, 520, 521, 522, 523, 524, 529):
        return errors.Unavailable(f"{who} is not available at the moment.", retry_after=wait)
    if 400 <= code < 500:
        return errors.InvalidArgument(f"{who} did not accept this request. Change it, then send it again.")
    return errors.Internal(f"{who} failed on its side.")
