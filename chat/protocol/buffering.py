"""Whether a path holds events back, and how: pure arithmetic on when the bytes of a probe came.

    Observation (a plan, the answer's head, its reads) ──heard──> Heard ──pattern_of──> Pattern
    the Patterns of runs with events of different sizes ──hold_of──> Hold

The probe (`/v2/probe`) sends events at a known pace, each with when it was sent. Two events that were sent a gap apart
and come together were held somewhere. The server's clock and the reader's are never compared, but for one thing: what
comes before it was sent came from a cache.

A pause of the reader or a lost packet brings a few events together, never a third of them. So a path is said to hold
events back where `HELD` of them came together, in a run and in its repetition. By simulation with a gap of 50 ms,
pauses of 150 ms on average, one a second, on top of 10 ms of jitter, alarm on fewer than one path in 1,000
(tests/unit/test_buffering.py).
"""

import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise, takewhile
from statistics import median
from typing import Any, NamedTuple

from chat.protocol import events, sse

HELD = 0.3
"""The share of events that come together with the one before, from which on a path holds events back."""

BEGINNING = 4
"""So many events in the first piece, where the rest comes as it is sent: a hop waits for the first bytes."""

TOGETHER = 0.25
"""Of a gap: what comes within it came together."""

WHOLE, BYTES, TIME, START, CACHED = "whole", "bytes", "time", "start", "cached"
STEPS = "steps"
"""Held piece by piece; only runs of different sizes tell whether a piece is so many bytes or so much time."""


class Read(NamedTuple):
    """What one read of the socket brought, `ms` after the request was sent: bytes of the body as the path sent them."""

    ms: float
    data: bytes


@dataclass(frozen=True, slots=True)
class Plan:
    """One run: `events` events, one every `gap` ms, each padded by `size` bytes; and how it is asked for."""

    events: int = 40
    gap: int = 50
    size: int = 0
    http: str = "1.1"
    compressed: bool = False

    def __str__(self) -> str:
        padded = f" padded by {self.size:,} bytes" if self.size else ""
        accepted = ", compression accepted" if self.compressed else ""
        return f"HTTP/{self.http}, {self.events} events{padded} every {self.gap} ms{accepted}"


@dataclass(slots=True)
class Observation:
    """What came of a plan. `error`: why it came to no proper end; `ended_ms`: when it ended or was cut."""

    plan: Plan
    http: str = ""
    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    reads: list[Read] = field(default_factory=list)
    error: str = ""
    ended_ms: float = 0.0


class EventTimes(NamedTuple):
    """One event: when it was sent after the stream's begin, and when it came after the request, in ms."""

    sent: float
    ms: float


@dataclass(slots=True)
class Heard:
    """The events of an observation; `request`: what the server saw of the request; `done`: the `[DONE]` came."""

    arrivals: list[EventTimes] = field(default_factory=list)
    request: dict[str, Any] = field(default_factory=dict)
    done: bool = False
    fault: str = ""


class Burst(NamedTuple):
    """What came together: `bytes` in all, from `ms` on."""

    ms: float
    bytes: int


@dataclass(frozen=True, slots=True)
class Pattern:
    """One run. `together`: the share that came with the one before; `held_ms`: the longest hold."""

    plan: Plan
    kind: str
    together: float
    held_ms: float
    bursts: tuple[Burst, ...]

    @property
    def per_burst(self) -> float:
        """Events in a burst, on average."""
        return self.plan.events / max(len(self.bursts), 1)

    @property
    def middle(self) -> tuple[Burst, ...]:
        """The bursts between the first, which a head may have shortened, and the last, which the end has."""
        return self.bursts[1:-1] or self.bursts[:-1] or self.bursts

    @property
    def interval(self) -> float:
        """Between two bursts, in ms."""
        moments = [burst.ms for burst in self.bursts]
        return median(b - a for a, b in pairwise(moments)) if len(moments) > 1 else 0.0


@dataclass(frozen=True, slots=True)
class Hold:
    """What a path does: its `kind`, the piece's `bytes` or `every_ms` where that is known, the longest hold seen."""

    kind: str
    held_ms: float
    bytes: int = 0
    every_ms: int = 0


def heard(seen: Observation) -> Heard:
    """The probe's events; a `fault` where the body cannot be decoded or says something else."""
    found, decoder = Heard(), sse.Decoder()
    try:
        decompress = _decompressor(seen.headers.get("content-encoding", ""))
        for read in seen.reads:
            for event in decoder.feed(decompress(read.data)):
                _take(found, event.data, read.ms)
    except zlib.error:
        found.fault = "the body cannot be decompressed"
    except (ValueError, KeyError, TypeError, AttributeError):
        found.fault = "what came is not what the probe sends"
    return found


def _take(found: Heard, data: str, ms: float) -> None:
    if data == events.DONE:
        found.done = True
        return
    response = events.decode(data)
    probe = response["wondercam"]["probe"]
    if events.text_of(response) != f"{len(found.arrivals)} ":
        raise ValueError("an event is missing")
    found.request = probe.get("request", found.request)
    found.arrivals.append(EventTimes(float(probe["sent_ms"]), ms))


def pattern_of(seen: Observation) -> Pattern | None:
    """How the events of a run came; None where too few did to tell."""
    arrivals, plan = heard(seen).arrivals, seen.plan
    if len(arrivals) < max(plan.events // 2, 3):
        return None
    near = plan.gap * TOGETHER
    apart = [(a, b) for a, b in pairwise(arrivals) if b.sent - a.sent > plan.gap / 2]
    joined = [b.ms - a.ms < near for a, b in apart]
    together = sum(joined) / max(len(joined), 1)
    late = [arrival.ms - arrival.sent for arrival in arrivals]
    bursts = tuple(_bursts(seen.reads, near))
    return Pattern(plan, _kind(arrivals, joined, together, plan.gap), together, max(late) - min(late), bursts)


def _kind(arrivals: Sequence[EventTimes], joined: Sequence[bool], together: float, gap: int) -> str:
    if median(arrival.ms - arrival.sent for arrival in arrivals) < -gap:
        return CACHED
    if arrivals[0].ms > arrivals[-1].sent - gap:
        return WHOLE
    first = sum(1 for _ in takewhile(bool, joined))
    if first + 1 >= BEGINNING and sum(joined) - first < HELD * (len(joined) - first):
        return START
    return STEPS if together >= HELD else ""


def _bursts(reads: Sequence[Read], near: float) -> Iterator[Burst]:
    began, size, last = 0.0, 0, float("-inf")
    for ms, data in reads:
        if ms - last >= near:
            if size:
                yield Burst(began, size)
            began, size = ms, 0
        size += len(data)
        last = ms
    if size:
        yield Burst(began, size)


def hold_of(patterns: Sequence[Pattern]) -> Hold | None:
    """What holds events back, from runs with events of different sizes; None where nothing does."""
    smallest = min((pattern.plan.size for pattern in patterns), default=0)
    shown = {pattern.kind for pattern in patterns if pattern.plan.size == smallest}
    if "" in shown:  # whatever holds events holds small ones; a pause of the reader strikes one run
        patterns = [pattern for pattern in patterns if pattern.kind == CACHED]
    elif shown != {START}:
        patterns = [pattern for pattern in patterns if pattern.kind != START]
    by_kind = {kind: [p for p in patterns if p.kind == kind] for kind in (CACHED, STEPS, WHOLE, START)}
    for kind, found in by_kind.items():
        if found:
            held = max(pattern.held_ms for pattern in found)
            if kind == STEPS:
                return _steps(found, patterns, held)
            return Hold(kind, held, bytes=found[0].bursts[0].bytes if kind == START else 0)
    return None


def _steps(found: Sequence[Pattern], patterns: Sequence[Pattern], held: float) -> Hold:
    """Larger events in pieces of as many are held by time; in pieces of fewer, by bytes."""
    small = min(patterns, key=lambda pattern: pattern.plan.size)
    large = max(patterns, key=lambda pattern: pattern.plan.size)
    clearest = max(found, key=lambda pattern: len(pattern.bursts))
    if large.plan.size > small.plan.size and large.kind and large.per_burst > 0.6 * small.per_burst:
        return Hold(TIME, held, every_ms=round(clearest.interval))
    return Hold(BYTES, held, bytes=round(median(burst.bytes for burst in clearest.middle)))


def _decompressor(encoding: str) -> Callable[[bytes], bytes]:
    """What undoes a `Content-Encoding`; ValueError where it is none that was asked for."""
    if encoding.lower() in {"", "identity"}:
        return bytes
    if encoding.lower() not in {"gzip", "x-gzip", "deflate"}:
        raise ValueError(f"{encoding!r} was not asked for")
    member = zlib.decompressobj(47)  # 32 + 15: gzip or zlib, whichever it is

    def decompress(data: bytes) -> bytes:
        nonlocal member
        out = member.decompress(data)
        while member.eof and member.unused_data:  # each piece may be a member of its own
            data, member = member.unused_data, zlib.decompressobj(47)
            out += member.decompress(data)
        return out

    return decompress
