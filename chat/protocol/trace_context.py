"""Distributed tracing of turns (https://www.w3.org/TR/trace-context/): the ids of the trace are made from the stream's.

A stream's id is a UUID of version 7, half of which is random, as sampling by trace id requires. So the trace of a
stream can be found by the stream's id, and the stream by the trace's.
"""

from uuid import UUID

SAMPLED = "01"


def trace_of(stream_id: UUID) -> int:
    """The 128-bit trace id, never zero."""
    return stream_id.int


def span_of(stream_id: UUID) -> int:
    """The 64-bit id of the turn's span, never zero because it includes the UUID's variant."""
    return stream_id.int & 0xFFFF_FFFF_FFFF_FFFF


def traceparent_of(stream_id: UUID) -> str:
    """The `traceparent` header for requests to the upstream."""
    return f"00-{trace_of(stream_id):032x}-{span_of(stream_id):016x}-{SAMPLED}"
