"""Finds an upstream's retry delay: in headers, in Google's error details, or in the text of a message."""

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from math import ceil
from typing import Any

LONGEST = 3600
"""The longest delay that is returned, in seconds."""

SECONDS = re.compile(r"[0-9]{1,9}(?:\.[0-9]{0,9})?", re.ASCII)

IN_WORDS = re.compile(
    r"(?:re)?try (?:again )?(?:in|after) (?:(\d{1,3})h)?(?:(\d{1,4})m(?!s))?(?:(\d{1,6}(?:\.\d{1,9})?) ?(ms|s))?",
    re.IGNORECASE,
)
"""Groq's and OpenAI's "Please try again in 1m7.66s", Azure's "Please retry after 58 seconds"."""


def retry_after(header: str | None) -> int | None:
    """Parse `Retry-After` (RFC 9110, 10.2.3): a date or seconds, possibly with a fraction. Return seconds, at most
    LONGEST; None for other values."""
    header = (header or "").strip()
    if SECONDS.fullmatch(header):
        return rounded(float(header))
    try:
        moment = parsedate_to_datetime(header)
        left = moment.replace(tzinfo=moment.tzinfo or UTC) - datetime.now(UTC)
    except (ValueError, OverflowError):
        return None
    return rounded(max(left.total_seconds(), 0))


def in_headers(headers: Mapping[str, str]) -> int | None:
    """Return the delay in a response's headers, in seconds. OpenAI and Azure also send `retry-after-ms`."""
    exact = headers.get("retry-after-ms", "").strip()
    return rounded(float(exact) / 1000) if SECONDS.fullmatch(exact) else retry_after(headers.get("Retry-After"))


def in_details(error: Mapping[str, Any]) -> int | None:
    """Return Google's `RetryInfo.retryDelay` ("12.5s"), rounded up to seconds (https://google.aip.dev/193)."""
    details = error.get("details")
    for detail in details if isinstance(details, list) else ():
        delay = detail.get("retryDelay") if isinstance(detail, dict) else None
        if isinstance(delay, str) and (match := re.fullmatch(r"(\d{1,6})(?:\.\d+)?s", delay)):
            return min(int(match[1]) + 1, LONGEST)
    return None


def in_words(texts: Iterable[str]) -> int | None:
    """Return the delay in an error's messages, in seconds; None if there is none."""
    for text in texts:
        for match in IN_WORDS.finditer(text):
            hours, minutes, seconds, unit = match.groups()
            if hours or minutes or seconds:
                exact = float(seconds or 0) / (1000 if (unit or "").lower() == "ms" else 1)
                return rounded(int(hours or 0) * 3600 + int(minutes or 0) * 60 + exact)
    return None


def rounded(seconds: float) -> int:
    """Round up to seconds, at most LONGEST."""
    return min(ceil(seconds), LONGEST)
