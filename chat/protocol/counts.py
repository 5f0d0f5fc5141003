"""Token counts as providers report them, which may be any JSON value."""

from typing import Any

MOST = 2**40
"""Numbers from this on are not accepted as counts."""


def count_of(value: Any) -> int | None:
    """The count, or None if the value cannot be one. proto3's JSON and some servers write strings or floats."""
    if value is None:
        return None
    number = value if type(value) is int else _whole(value)
    return number if number is not None and 0 <= number < MOST else None


def _whole(value: Any) -> int | None:
    """The whole number that a text or a float is; True and False are none."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 16:
        return int(value)
    return int(value) if isinstance(value, float) and value.is_integer() else None
