"""When an upstream says that it may be asked again: in headers, in Google's details, or in a sentence alone."""

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from math import ceil
from typing import Any

LONGEST = 3600
"""Seconds: nobody is asked to wait longer."""

SECONDS = re.compile(r"[0-9]{1,9}(?:\.[0-9]{0,9})?", re.ASCII)

IN_WORDS = re.compile(
    r"(?:re)?try (?:again )?(?:in|after) (?:(\d{1,3})h)?(?:(\d{1,4})m(?!s))?(?:(\d{1,6}(?:\.\d{1,9})?) ?(ms|s))?",
    re.IGNORECASE,
)
"""Groq's and OpenAI's "Please try again in 1m7.66s", Azure's "Please retry after 58 seconds"."""


def retry_after(header: str | None) -> int | None:
    """`Retry-After` in seconds, an hour at most: a number, with a fraction as some write it, or a date (RFC 9110,
    10.2.3). None for anything else."""
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
    """The same of a response's headers: OpenAI and Azure also send milliseconds, as `retry-after-ms`."""
    exact = headers.get("retry-after-ms", "").strip()
    return rounded(float(exact) / 1000) if SECONDS.fullmatch(exact) else retry_after(headers.get("Retry-After"))


def in_details(error: Mapping[str, Any]) -> int | None:
    """Google's `RetryInfo.retryDelay` ("12.5s") in whole seconds (https://google.aip.dev/193)."""
    details = error.get("details")
    for detail in details if isinstance(details, list) else ():
        delay = detail.get("retryDelay") if isinstance(detail, dict) else None
        if isinstance(delay, str) and (match := re.fullmatch(r"(\d{1,6})(?:\.\d+)?s", delay)):
            return min(int(match[1]) + 1, LONGEST)
    return None


def in_words(texts: Iterable[str]) -> int | None:
    """What the sentences of an error say of it."""
    for text in texts:
        for match in IN_WORDS.finditer(text):
            hours, minutes, seconds, unit = match.groups()
            if hours or minutes or seconds:
                exact = float(seconds or 0) / (1000 if (unit or "").lower() == "ms" else 1)
                return rounded(int(hours or 0) * 3600 + int(minutes or 0) * 60 + exact)
    return None


def rounded(seconds: float) -> int:
    """Whole seconds, and LONGEST at most."""
    return min(ceil(seconds), LONGEST)
