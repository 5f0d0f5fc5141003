"""Counts of tokens as providers name them: any JSON value may stand where a number should."""

from typing import Any

MOST = 2**40
"""Tokens; a larger number counts nothing."""


def count_of(value: Any) -> int | None:
    """A count; None for what can be none. proto3's JSON and some servers write numbers as text, or with a point."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 16:
        value = int(value)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < MOST else None
