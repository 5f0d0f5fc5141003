"""The ids of what is kept: unguessable, and in the order of their making."""

import os
from time import time_ns
from uuid import UUID

NOISE = 0x0FFF_3FFF_FFFF_FFFF_FFFF
"""The 74 random bits among the last 80."""
VERSION_AND_VARIANT = 0x7000_8000_0000_0000_0000


def new() -> UUID:
    """A UUID of version 7 (RFC 9562, 5.7): milliseconds since 1970, then 74 random bits.

    New rows then lie side by side in every table and index, on pages that are written anyway; of wholly random ids
    each goes to a page of its own.
    """
    noise = int.from_bytes(os.urandom(10), "big") & NOISE
    return UUID(int=(time_ns() // 1_000_000) << 80 | VERSION_AND_VARIANT | noise)


def seconds_of(id: UUID) -> int:
    """When an id of `new` was made, in seconds since 1970."""
    return (id.int >> 80) // 1000


def first_of(seconds: int) -> UUID:
    """The lowest id that `new` could make from this second since 1970 on: every earlier one is below it."""
    return UUID(int=seconds * 1000 << 80)
