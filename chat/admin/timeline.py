"""A turn's way to its reader as a picture: a line for each event, from when it was stored over when it was received to
when it was painted. All of it on the server's clock, by the receipt's estimate of the reader's."""

from collections.abc import Sequence
from typing import Any

from chat.models import Stream
from chat.protocol import receipt, timing
from chat.protocol.receipt import Hops

WIDTH = 1200
MOST_LINES = 400
"""More would be one black bar; of a longer turn every so manieth event is drawn."""


def timeline(stream: Stream, moments: Sequence[int]) -> dict[str, Any]:
    """What the template draws; empty where no receipt came."""
    kept = getattr(stream, "receipt", None)
    found = receipt.delivery(moments, kept.arrivals) if kept else None
    if kept is None or found is None:
        return {}
    end = max((hop.server + hop.downlink + (hop.paint or 0) for hop in found.hops), default=0) or 1
    step = -(-len(found.hops) // MOST_LINES)
    downlink, paint = found.slowest
    return {
        "ways": [_way(hop, WIDTH / end) for hop in found.hops[::step]],
        "verdict": kept.verdict,
        "uplink": _words(found.offset_ms),
        "uplink_error": _words(found.error_ms),
        "slowest_downlink": _words(downlink),
        "slowest_paint": _words(paint),
    }


def _way(hop: Hops, scale: float) -> dict[str, Any]:
    received = hop.server + hop.downlink
    return {
        "seq": hop.seq,
        "stored": _words(hop.server),
        "downlink": _words(hop.downlink),
        "paint": "never" if hop.paint is None else _words(hop.paint),
        "x0": round(hop.server * scale, 1),
        "x1": round(received * scale, 1),
        "x2": None if hop.paint is None else round((received + hop.paint) * scale, 1),
    }


def _words(ms: float) -> str:
    return timing.words(round(max(ms, 0) * 1000))
