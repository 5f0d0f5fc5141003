"""Delivery of a turn: the times from the reader's receipt, combined with those that the server recorded. No I/O.

    request sent ── uplink ──> stream begins ── at ──> event arrived ── commit ──> stored ── write ──> written
    0 on the reader's clock    0 on the server's       from the provider                               to the socket
                               written ── downlink ──> received ── paint ──> painted

The two clocks are not synchronized. An event cannot be received before it was written, and the stream cannot begin
before its request, so the uplink took between 0 and the shortest apparent time of any event. The estimate is half of
that, and so is the largest error (as in RFC 5905, section 8, which takes both directions as equal). With it the hops
of an event add up to the time from the request to the pixel. If the commit or the write was not recorded, its time is
part of the next known hop.
"""

import zlib
from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import quantiles
from typing import NamedTuple

from chat.protocol.write_times import Write

TICKS = 10
"""Ticks per ms: times are stored as whole tenths of a ms, 12 bytes per event before compression."""

NOT_PAINTED = -1

GOOD, PROXY, NETWORK, READER, SERVER = "good", "proxy", "network", "reader", "server"
VERDICTS = (GOOD, PROXY, NETWORK, READER, SERVER)

APART_MS, TOGETHER_MS = 20.0, 5.0
HELD = 0.3
"""If at least this share of the events written `APART_MS` apart is received within `TOGETHER_MS`, they may be held."""

GROUPED = 0.85
"""The share of events that must arrive in groups: a buffer lets hardly any through alone, while a network that pauses
groups only those of the pause. In simulations with gaps of 22 to 100 ms, pauses of 150 ms on average, one a second, and
5 ms of jitter, fewer than one good turn in 100 is called held (tests/unit/test_receipts.py)."""

FEWEST = 8
"""Without this many pairs of events there is no verdict on the path."""

FEWEST_PIECES = 3
"""A single pause also groups events; a buffer does so repeatedly, or until the end."""

UNEVEN_MS = 250.0
"""A hop stalls if its slowest 5 % take this much longer than its quickest event."""

SLOW_PAINT_MS = 100.0
"""A page that paints its slowest 5 % later than this is busy: delays above 100 ms are noticed (Nielsen 1993)."""


class Arrival(NamedTuple):
    """One event on the reader's clock, in ms since the request was sent; `painted` is None without a frame."""

    seq: int
    received: float
    painted: float | None


class Hops(NamedTuple):
    """The hops of one event, in ms: those known add up to the time from the request until it was painted, or received.

    `arrived` is the time from the beginning of the stream until the event came from the provider.
    """

    seq: int
    uplink: float
    arrived: float
    commit: float | None
    write: float | None
    downlink: float
    paint: float | None

    @property
    def total(self) -> float:
        """From the request to the pixel, or to its reception if it was not painted."""
        return self.uplink + self.written + self.downlink + (self.paint or 0)

    @property
    def written(self) -> float:
        """When the server had written it, as far as that was recorded; in ms since the stream began."""
        return self.arrived + (self.commit or 0) + (self.write or 0)


class Held(NamedTuple):
    """Events that came `events` at a time on average; the longest was held for `ms`."""

    events: float
    ms: float


HOPS = ("commit", "write", "downlink", "paint")
"""The hops after an event's arrival, in their order."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """How a turn reached its reader. The uplink is `offset_ms` ± `error_ms`."""

    offset_ms: float
    error_ms: float
    hops: list[Hops]
    verdict: str
    held: "Held | None" = None

    def slowest(self, hop: str) -> float | None:
        """The 95th percentile of one of `HOPS`, in ms; None if nothing was recorded."""
        times = [time for way in self.hops if (time := getattr(way, hop)) is not None]
        return _slowest(times) if times else None


def pack(arrivals: Iterable[Arrival]) -> bytes:
    """Compress arrivals for the database; `unpack` restores them, to a tenth of a ms."""
    ticks = array("i")
    for seq, received, painted in arrivals:
        ticks += array("i", (seq, round(received * TICKS), NOT_PAINTED if painted is None else round(painted * TICKS)))
    return zlib.compress(ticks.tobytes())


def unpack(packed: bytes) -> list[Arrival]:
    """The arrivals of `pack`."""
    ticks = array("i", zlib.decompress(packed))
    rows = zip(ticks[::3], ticks[1::3], ticks[2::3], strict=True)
    return [Arrival(seq, at / TICKS, None if painted == NOT_PAINTED else painted / TICKS) for seq, at, painted in rows]


def delivery(
    moments: Sequence[int], arrivals: Sequence[Arrival], writes: Iterable[Write] = (), busy_ms: float = 0.0
) -> Delivery | None:
    """The delivery of the events 0, 1, 2 …, which arrived at `moments` (µs); None if none of them was received.

    `busy_ms`: how long the main thread of the reader's tab was busy with other work meanwhile.
    """
    known = [arrival for arrival in arrivals if arrival.seq < len(moments)]
    if not known:
        return None
    by_seq = {write.seq: write for write in writes}
    ways = [_server_hops(arrival, moments[arrival.seq] / 1000, by_seq.get(arrival.seq)) for arrival in known]
    least = min(arrival.received - way.written for arrival, way in zip(known, ways, strict=True))
    offset = max(least, 0.0) / 2 if least >= 0 else least
    hops = [
        way._replace(uplink=offset, downlink=arrival.received - way.written - offset)
        for arrival, way in zip(known, ways, strict=True)
    ]
    held = _held(hops)
    return Delivery(offset, abs(least) / 2, hops, _verdict(hops, held, busy_ms), held)


def _server_hops(arrival: Arrival, arrived: float, write: Write | None) -> Hops:
    commit = queue = None
    if write is not None and write.written >= arrived:
        commit = None if write.stored is None else max(write.stored - arrived, 0.0)
        queue = max(write.written - arrived - (commit or 0), 0.0)
    paint = None if arrival.painted is None else arrival.painted - arrival.received
    return Hops(arrival.seq, 0.0, arrived, commit, queue, 0.0, paint)


def _verdict(hops: Sequence[Hops], held: Held | None, busy_ms: float) -> str:
    downlinks = [hop.downlink for hop in hops]
    worst = max(downlinks) - min(downlinks)
    if held is not None:
        return READER if busy_ms > worst / 2 else PROXY
    if _slowest([hop.commit for hop in hops if hop.commit is not None]) > UNEVEN_MS:
        return SERVER
    waited = _slowest([hop.write for hop in hops if hop.write is not None])
    if max(waited, _slowest(downlinks) - min(downlinks)) > UNEVEN_MS:
        return READER if busy_ms > worst / 2 else NETWORK
    paints = [hop.paint for hop in hops if hop.paint is not None]
    return READER if _slowest(paints) > SLOW_PAINT_MS else GOOD


def _held(hops: Sequence[Hops]) -> Held | None:
    """Whether something buffers the events: nearly all that were written apart arrive together with others."""
    apart = [b.written - a.written > APART_MS for a, b in pairwise(hops)]
    joined = [b.written + b.downlink - a.written - a.downlink < TOGETHER_MS for a, b in pairwise(hops)]
    held = [together for together, far in zip(joined, apart, strict=True) if far]
    if len(held) < FEWEST or sum(held) < HELD * len(held):
        return None
    grouped = [before or after for before, after in zip([False, *joined], [*joined, False], strict=True)]
    pieces = 1 + joined.count(False)
    if sum(grouped) < GROUPED * len(grouped) or 1 < pieces < FEWEST_PIECES:
        return None
    downlinks = [hop.downlink for hop in hops]
    return Held(len(hops) / pieces, max(downlinks) - min(downlinks))


def _slowest(times: Sequence[float]) -> float:
    """The 95th percentile; 0 if there are too few times."""
    return quantiles(times, n=20)[-1] if len(times) >= FEWEST else 0.0
