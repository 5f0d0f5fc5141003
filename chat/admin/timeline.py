"""The timeline of a turn's delivery: a line for each event, through the times when it arrived from the provider, was
stored, written to the socket, received and painted. The client's times are converted to the server's clock, by the
receipt's estimate of the offset."""

from collections.abc import Iterable, Sequence
from typing import Any

from chat.models import Stream
from chat.protocol import receipt, timing
from chat.protocol.receipt import Delivery, Hops

WIDTH = 1200
MOST_LINES = 400
"""The most lines; of a longer turn every n-th event is drawn."""

LEVELS = {"arrived": 20, "stored": 80, "written": 110, "received": 170, "painted": 230}
"""The y coordinate of each time."""

MEANINGS = {
    "commit": "arrived from the provider, until stored",
    "write": "until written to the socket",
    "downlink": "until received",
    "paint": "until painted",
}


def delivery_of(stream: Stream, moments: Sequence[int]) -> Delivery | None:
    """Return how the stream's events were delivered; None without a receipt."""
    kept, written = getattr(stream, "receipt", None), getattr(stream, "write_times", None)
    return receipt.delivery(moments, kept.arrivals, written.writes if written else ()) if kept else None


def timeline(stream: Stream, moments: Sequence[int]) -> dict[str, Any]:
    """Return the template's context; {} without a receipt."""
    found = delivery_of(stream, moments)
    if found is None:
        return {}
    end = end_of(found)
    step = -(-len(found.hops) // MOST_LINES)
    return {
        "ways": [_way(hop, WIDTH / end) for hop in found.hops[::step]],
        "levels": LEVELS,
        "verdict": _verdict(stream.receipt.verdict, found),
        "uplink": _words(found.offset_ms),
        "uplink_error": _words(found.error_ms),
        "hops": list(_hops(found)),
    }


def _verdict(kept: str, found: Delivery) -> str:
    if found.held is None:
        return kept
    return (
        f"{kept}: events came about {found.held.events:.0f} at a time, the longest was held for {_words(found.held.ms)}"
    )


def _hops(found: Delivery) -> Iterable[tuple[str, str, str]]:
    """Yield the name, the meaning and the slowest twentieth of each hop that is known."""
    for hop in receipt.HOPS:
        if (slowest := found.slowest(hop)) is not None:
            yield hop, MEANINGS[hop], _words(slowest)


def clocks_of(found: Delivery) -> dict[int, str]:
    """Return a sentence about the times of each event, by its seq."""
    return {hop.seq: _said(hop) for hop in found.hops}


def end_of(found: Delivery) -> float:
    """Return the time when the last event was painted or received, in ms since the stream began."""
    return max(hop.total - hop.uplink for hop in found.hops) or 1


def _said(hop: Hops) -> str:
    return f"event {hop.seq}: {', '.join(f'{name} {_words(at)}' for name, at in _points(hop))}"


def _way(hop: Hops, scale: float) -> dict[str, Any]:
    points = dict(_points(hop))
    drawn = {clock: f"{points[clock] * scale:.1f} {LEVELS[clock]}" for clock in points}
    before = [drawn[clock] for clock in ("arrived", "stored", "written") if clock in drawn]
    lines = [("server", before)] if len(before) > 1 else []
    lines.append(("downlink", [before[-1], drawn["received"]]))
    if "painted" in drawn:
        lines.append(("paint", [drawn["received"], drawn["painted"]]))
    return {
        "title": _said(hop),
        "lines": [(name, "M" + "L".join(line)) for name, line in lines],
    }


def _points(hop: Hops) -> Iterable[tuple[str, float]]:
    """Yield the known times of an event, in ms since the stream began."""
    yield "arrived", hop.arrived
    if hop.commit is not None:
        yield "stored", hop.arrived + hop.commit
    if hop.write is not None:
        yield "written", hop.written
    yield "received", hop.written + hop.downlink
    if hop.paint is not None:
        yield "painted", hop.written + hop.downlink + hop.paint


def _words(ms: float) -> str:
    return timing.words(round(max(ms, 0) * 1000))
