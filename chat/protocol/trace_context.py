"""A turn's place in a distributed trace (https://www.w3.org/TR/trace-context/): its ids are those of its stream.

A stream's id is a UUID of version 7, so half of it is random, as sampling by a trace's id wants it; whoever has one of
the two has found the other.
"""

from uuid import UUID

SAMPLED = "01"


def trace_of(stream_id: UUID) -> int:
    """The 128 bits of a trace's id, never zero."""
    return stream_id.int


def span_of(stream_id: UUID) -> int:
    """The 64 bits of the turn's own span, never zero: a UUID's variant stands in them."""
    return stream_id.int & 0xFFFF_FFFF_FFFF_FFFF


def traceparent_of(stream_id: UUID) -> str:
    """The header that makes what an upstream records a part of the turn."""
    return f"00-{trace_of(stream_id):032x}-{span_of(stream_id):016x}-{SAMPLED}"
