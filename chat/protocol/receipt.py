"""What a reader's page says of a turn: when each event arrived there and was painted. Pure.

    request sent ── uplink ──> stream begins ── at ──> event stored ── downlink ──> received ── paint ──> painted
    0 on the reader's clock    0 on the server's

The two clocks are never set: an event cannot arrive before it was there, and the stream cannot begin before it was
asked for, so the uplink took between 0 and the shortest time that any event seemed to need. Half of that is the
estimate, and half of it the greatest error (as in RFC 5905, section 8, where both ways are taken for equal). By that
the hops of an event add up to the time from the request to the pixel.
"""

import zlib
from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import quantiles
from typing import NamedTuple

TICKS = 10
"""Ticks in a ms: times are kept as whole tenths of a ms, 12 bytes an event before they are compressed."""

NOT_PAINTED = -1

GOOD, PROXY, NETWORK, READER = "good", "proxy", "network", "reader"
VERDICTS = (GOOD, PROXY, NETWORK, READER)

APART_US, TOGETHER_MS = 20_000, 5.0
HELD = 0.3
"""The share of events stored `APART_US` apart and received within `TOGETHER_MS`, from which on they were held."""

FEWEST = 8
"""Pairs of events without which nothing is said of a path."""

UNEVEN_MS = 250.0
"""A downlink whose slowest twentieth takes so much longer than its quickest event is a network that stalls."""

SLOW_PAINT_MS = 100.0
"""A page that paints its slowest twentieth later is busy itself: above 100 ms a delay is seen (Nielsen 1993)."""


class Arrival(NamedTuple):
    """One event on the reader's clock, in ms since the request was sent; `painted` is None where nobody looked."""

    seq: int
    received: float
    painted: float | None


class Hops(NamedTuple):
    """One event's way, in ms: they add up to when it was painted, or else received, after the request."""

    seq: int
    uplink: float
    server: float
    downlink: float
    paint: float | None


@dataclass(frozen=True, slots=True)
class Delivery:
    """A turn's way to its reader. The uplink is `offset_ms` ± `error_ms`."""

    offset_ms: float
    error_ms: float
    hops: list[Hops]
    verdict: str

    @property
    def slowest(self) -> tuple[float, float]:
        """The slowest twentieth of its events, in ms: from the log to the reader, and from there to the pixel."""
        return _slowest([hop.downlink for hop in self.hops]), _slowest(
            [hop.paint for hop in self.hops if hop.paint is not None]
        )


def pack(arrivals: Iterable[Arrival]) -> bytes:
    """Compact, for the database; `unpack` is the opposite, to a tenth of a ms."""
    ticks = array("i")
    for seq, received, painted in arrivals:
        ticks += array("i", (seq, round(received * TICKS), NOT_PAINTED if painted is None else round(painted * TICKS)))
    return zlib.compress(ticks.tobytes())


def unpack(packed: bytes) -> list[Arrival]:
    """The arrivals of `pack`."""
    ticks = array("i", zlib.decompress(packed))
    rows = zip(ticks[::3], ticks[1::3], ticks[2::3], strict=True)
    return [Arrival(seq, at / TICKS, None if painted == NOT_PAINTED else painted / TICKS) for seq, at, painted in rows]


def delivery(moments: Sequence[int], arrivals: Sequence[Arrival], busy_ms: float = 0.0) -> Delivery | None:
    """The way of the events 0, 1, 2 … stored at `moments` (µs); None where none of them arrived.

    `busy_ms`: for how long the reader's tab did nothing but work of its own meanwhile.
    """
    known = [arrival for arrival in arrivals if arrival.seq < len(moments)]
    if not known:
        return None
    least = min(arrival.received - moments[arrival.seq] / 1000 for arrival in known)
    offset = max(least, 0.0) / 2 if least >= 0 else least
    hops = [_hops(arrival, moments[arrival.seq] / 1000, offset) for arrival in known]
    return Delivery(offset, abs(least) / 2, hops, _verdict(moments, known, hops, busy_ms))


def _hops(arrival: Arrival, server: float, offset: float) -> Hops:
    paint = None if arrival.painted is None else arrival.painted - arrival.received
    return Hops(arrival.seq, offset, server, arrival.received - server - offset, paint)


def _verdict(moments: Sequence[int], arrivals: Sequence[Arrival], hops: Sequence[Hops], busy_ms: float) -> str:
    pairs = [(a, b) for a, b in pairwise(arrivals) if moments[b.seq] - moments[a.seq] > APART_US]
    joined = [b.received - a.received < TOGETHER_MS for a, b in pairs]
    downlinks = [hop.downlink for hop in hops]
    worst = max(downlinks) - min(downlinks)
    if len(pairs) >= FEWEST and sum(joined) >= HELD * len(joined):
        return READER if busy_ms > worst / 2 else PROXY
    if _slowest(downlinks) - min(downlinks) > UNEVEN_MS:
        return READER if busy_ms > worst / 2 else NETWORK
    paints = [hop.paint for hop in hops if hop.paint is not None]
    return READER if _slowest(paints) > SLOW_PAINT_MS else GOOD


def _slowest(times: Sequence[float]) -> float:
    """The 95th percentile; 0 of too few to tell."""
    return quantiles(times, n=20)[-1] if len(times) >= FEWEST else 0.0
