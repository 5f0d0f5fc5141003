"""Token counts as providers report them, which may be any JSON value."""

from typing import Any

MOST = 2**40
"""Larger numbers are not taken for a count."""


def count_of(value: Any) -> int | None:
    """The count, or None if the value cannot be one. proto3's JSON and some servers write strings or floats."""
    if value is None:
        return None
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 16:
        value = int(value)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < MOST else None
