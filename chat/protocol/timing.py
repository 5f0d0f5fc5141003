"""Timing of a stream, computed from its events' `at` (whole µs since the stream began). No I/O.

    0 ── OK ─── first thought ─── first token ─ · ─ · ─── · ──────────── · ─ last event
    │    │                              │     gaps ▲             ▲ a stall
    │    └ ok_us                        └ first_token_us         └ a gap of a second or more
    └ the request arrived

Gaps are counted from the first token on: what comes before it (notices, thoughts, the OK) is waiting time.
"""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, NamedTuple

from chat.protocol import events
from chat.protocol.counts import count_of
from chat.protocol.events import Event

PERCENTILES = (50, 95, 99)

STALL_US = 1_000_000
"""Gaps from this length on are stalls: a second is the limit for an unbroken flow of thought (Nielsen 1993)."""


class Gap(NamedTuple):
    """`us` µs without an event after event `after_seq`."""

    after_seq: int
    us: int


@dataclass(frozen=True, slots=True)
class Timing:
    """One stream's times in µs; None for what did not happen."""

    ok_us: int | None = None
    first_thought_us: int | None = None
    first_token_us: int | None = None
    duration_us: int | None = None
    tokens_per_s: float | None = None
    longest_gap: Gap | None = None
    stalls: list[Gap] = field(default_factory=list)
    gap_us: dict[int, int] = field(default_factory=dict)
    """The `PERCENTILES` of the gaps by nearest rank, in µs; empty if there was no gap."""

    def as_json(self) -> dict[str, Any]:
        """The same in ms, as commands print it."""
        return {
            "ok_ms": milliseconds(self.ok_us),
            "first_thought_ms": milliseconds(self.first_thought_us),
            "first_token_ms": milliseconds(self.first_token_us),
            "duration_ms": milliseconds(self.duration_us),
            "tokens_per_s": None if self.tokens_per_s is None else round(self.tokens_per_s, 1),
            "longest_gap_ms": milliseconds(self.longest_gap and self.longest_gap.us),
            "gap_ms": {f"p{percentile}": milliseconds(us) for percentile, us in self.gap_us.items()},
            "stalls": [{"after_seq": gap.after_seq, "ms": milliseconds(gap.us)} for gap in self.stalls],
        }


def measure(
    moments: Sequence[int],
    first_token_us: int | None,
    usage: dict[str, Any] | None,
    first_thought_us: int | None = None,
) -> Timing:
    """The times of a stream whose events 0, 1, 2 … arrived at `moments` and whose answer began at `first_token_us`.

    Tokens are those the provider counted (`usageMetadata.candidatesTokenCount`), never the number of events: one
    event may carry many. Their rate leaves the first one out, as time per output token does in vLLM's benchmarks:
    `(tokens - 1) / (end - first token)`.
    """
    if not moments:
        return Timing()
    first, gaps = _gaps(moments, first_token_us)
    ordered = sorted(gaps)
    longest = ordered[-1] if ordered else 0
    return Timing(
        ok_us=moments[0],
        first_thought_us=first_thought_us,
        first_token_us=first_token_us,
        duration_us=moments[-1],
        tokens_per_s=_rate(first_token_us, moments[-1], usage),
        longest_gap=Gap(first + gaps.index(longest), longest) if ordered else None,
        stalls=[Gap(seq, us) for seq, us in enumerate(gaps, first) if us >= STALL_US] if longest >= STALL_US else [],
        gap_us=_percentiles(ordered),
    )


def of_events(recorded: Iterable[Event]) -> Timing:
    """The times of a stream from its events alone. Raises ValueError if an event's data is not JSON."""
    moments: list[int] = []
    first_token_us: int | None = None
    first_thought_us: int | None = None
    usage: dict[str, Any] | None = None
    for event in recorded:
        response = events.decode(event.data)
        moments.append(event.at)
        parts = events.parts_of(response) if event.seq > 0 and first_token_us is None else []
        if events.answers(parts):
            first_token_us = event.at
        elif parts and first_thought_us is None and events.thinks(parts):
            first_thought_us = event.at
        usage = response.get("usageMetadata") or usage
    return measure(moments, first_token_us, usage, first_thought_us)


def milliseconds(us: int | None) -> float | None:
    """µs as ms with one decimal."""
    return None if us is None else round(us / 1000, 1)


def words(us: int | None) -> str:
    """A duration for people: `0.8 ms`, `212 ms`, `1.60 s`, `2 min 5 s`; a dash for None."""
    if us is None:
        return "–"
    if us < 10_000:
        return f"{us / 1000:.1f} ms"
    if us < 999_500:
        return f"{us / 1000:.0f} ms"
    if us < 59_995_000:
        return f"{us / 1_000_000:.2f} s"
    minutes, seconds = divmod(round(us / 1_000_000), 60)
    return f"{minutes} min {seconds} s"


def _gaps(moments: Sequence[int], first_token_us: int | None) -> tuple[int, list[int]]:
    """The seq of the event before the first gap, and the gaps: plain numbers, because every turn computes them."""
    if first_token_us is None:
        return 0, []
    first = bisect_left(moments, first_token_us)
    return first, [after - before for before, after in pairwise(moments[first:])]


def _percentiles(ordered: Sequence[int]) -> dict[int, int]:
    return {percentile: ordered[-(-percentile * len(ordered) // 100) - 1] for percentile in PERCENTILES if ordered}


def _rate(first_token_us: int | None, end_us: int, usage: dict[str, Any] | None) -> float | None:
    tokens = count_of((usage or {}).get("candidatesTokenCount"))
    if first_token_us is None or tokens is None or tokens < 2 or end_us <= first_token_us:
        return None
    return (tokens - 1) * 1_000_000 / (end_us - first_token_us)
