"""Parsers of command-line arguments. They raise ArgumentTypeError or CommandError, with a sentence."""

import re
from argparse import ArgumentTypeError
from datetime import UTC, datetime, timedelta
from math import isfinite
from urllib.parse import urlsplit
from uuid import UUID

from django.core.management.base import CommandError
from django.utils import timezone

from chat.models import Stream, User

UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def age(text: str) -> timedelta:
    """Parse `90s`, `30m`, `2h`, `3d` or `1w` as a duration."""
    found = re.fullmatch(r"(\d{1,6})([smhdw])", text.strip().lower())
    if not found:
        raise ArgumentTypeError(f"{text!r} is not an age: write a number and s, m, h, d or w, such as 2h or 30d.")
    return timedelta(**{UNITS[found[2]]: int(found[1])})


def moment(text: str) -> datetime:
    """Parse an ISO date, or date and time (UTC by default), or an age before now."""
    try:
        return timezone.now() - age(text)
    except ArgumentTypeError:
        pass
    except OverflowError:
        raise ArgumentTypeError(f"{text!r} is too far in the past.") from None
    try:
        found = datetime.fromisoformat(text.strip())
        return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise ArgumentTypeError(
            f"{text!r} is not a time: write a date such as 2025-06-01, a date and time, or an age such as 2h or 3d."
        ) from None


def file(text: str) -> str:
    """A file's name, which is not empty."""
    if not text:
        raise ArgumentTypeError("the name is empty: write that of a file.")
    return text


def site(text: str) -> str:
    """Parse a site's address, such as `https://chat.example.com`; without a slash at its end."""
    try:
        split = urlsplit(text)
        is_address = split.scheme in {"http", "https"} and bool(split.hostname) and split.port != 0
    except ValueError:  # a port out of range, or brackets that do not match
        is_address = False
    if not is_address or not text.isprintable() or " " in text:
        raise ArgumentTypeError(f"{text!r} is not an address: write one such as https://chat.example.com.")
    return text.rstrip("/")


def count(text: str) -> int:
    """Parse an integer from 1 to 1,000,000."""
    if not text.isascii() or not text.isdigit() or not 0 < int(text[:10]) <= 1_000_000:
        raise ArgumentTypeError(f"{text!r} is not accepted: write a whole number from 1 to 1000000.")
    return int(text[:10])


def seq(text: str) -> int:
    """Parse an event's seq, from 0."""
    if not text.isascii() or not text.isdigit() or len(text) > 9:
        raise ArgumentTypeError(f"{text!r} is not an event: events are numbered 0, 1, 2 and so on.")
    return int(text)


def speed(text: str) -> float:
    """Parse a factor of the recorded speed; 0 means without pauses."""
    try:
        found = float(text)
    except ValueError:
        found = -1.0
    if not isfinite(found) or found < 0:
        raise ArgumentTypeError(f"{text!r} is not a speed: 1 is as recorded, 2 is twice as fast, 0 is at once.")
    return found


def stream_id(text: str) -> UUID | None:
    """Parse a stream's id; None for other texts."""
    try:
        return UUID(text)
    except ValueError:
        return None


def stream(text: str) -> Stream:
    """Return the stored stream with this id. Raises CommandError."""
    pk = stream_id(text)
    if pk is None:
        raise CommandError(f"{text!r} is not a stream id: list_streams shows them.")
    found: Stream | None = Stream.objects.filter(pk=pk).first()
    if found is None:
        raise CommandError(f"There is no stream {pk}: list_streams shows the ids.")
    return found


def user(name: str) -> User:
    """Return the user with this name. Raises CommandError."""
    try:
        name.encode()
    except UnicodeEncodeError:  # bytes of the terminal that are no UTF-8: no database has such a name
        raise CommandError(f"There is no user {name!r}.") from None
    found = User.objects.filter(username=name).first()
    if found is None:
        raise CommandError(f"There is no user {name!r}.")
    return found
