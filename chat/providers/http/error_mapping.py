"""From an upstream's way of saying no to ours: one table, one sentence each.

Their words reach neither a reader nor a log: a message may hold an address, a key, a project's name.
"""

import logging
import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from math import ceil
from typing import Any

from chat.protocol import errors

log = logging.getLogger(__name__)

LONGEST = 3600
"""Seconds: nobody is asked to wait longer."""


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


def refused(error: Any, who: str, code: int = 0, wait: int | None = None) -> errors.ApiError:
    """Our error for theirs: Google's `{"code", "status", "details"}`, OpenAI's `{"type", "code"}`, or a bare status.

    A code that is no HTTP status (gRPC's 14, a vendor's 1301) does not outweigh the response's own.
    """
    fields = error if isinstance(error, dict) else {}
    words = [str(fields.get(name, "")).upper() for name in ("status", "type", "code")]
    status = next((word for word in words if word in STATUSES), "")
    if re.fullmatch(r"[45][0-9]{2}", words[-1]):
        code = int(words[-1])
    if not TOO_LONG.isdisjoint(words):
        code = 413
    code = code or STATUSES.get(status, 500)
    log.warning("%s refused with %s %s", who, code, status)
    return error_for(code, who, wait or _retry_delay(fields))


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
    "INVALID_API_KEY": 401,
    "PERMISSION_DENIED": 403,
    "PERMISSION_ERROR": 403,
    "NOT_FOUND": 404,
    "NOT_FOUND_ERROR": 404,
    "MODEL_NOT_FOUND": 404,
    "RESOURCE_EXHAUSTED": 429,
    "RATE_LIMIT_ERROR": 429,
    "RATE_LIMIT_EXCEEDED": 429,
    "INSUFFICIENT_QUOTA": 429,
    "CANCELLED": 499,
    "UNAVAILABLE": 503,
    "OVERLOADED_ERROR": 503,
    "DEADLINE_EXCEEDED": 504,
}


TOO_LONG = {"CONTEXT_LENGTH_EXCEEDED", "EXCEED_CONTEXT_SIZE_ERROR"}
"""What OpenAI and llama.cpp say with a plain 400."""


def error_for(code: int, who: str, wait: int | None = None) -> errors.ApiError:
    """The typed error and the sentence for an upstream's HTTP code."""
    if code in (401, 403):
        return errors.PermissionDenied(f"{who} did not accept this server's key. Its operator must look at it.")
    if code == 404:
        return errors.NotFound(f"{who} does not know this model.")
    if code == 429:
        return errors.ResourceExhausted(f"{who} takes no more requests for now.", retry_after=wait)
    if code in (408, 504):
        return errors.DeadlineExceeded(f"{who} took too long.")
    if code == 413:
        return errors.TooLarge(f"{who} says that this is too long for the model. Shorten it, or begin a new chat.")
    if 400 <= code < 500:
        return errors.InvalidArgument(f"{who} did not accept this request. Change it, then send it again.")
    if code in (502, 503, 529):
        return errors.Unavailable(f"{who} is not available at the moment.", retry_after=wait)
    return errors.Internal(f"{who} failed on its side.")
