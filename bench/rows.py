"""The table's rows: what is read from the results, what it should be, and whether it is."""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from statistics import fmean

from bench.loads import Result

Round = dict[str, Result]
"""One server's results of one round, by load."""
Rounds = dict[str, list[Round]]
"""All rounds, by server."""


@dataclass(frozen=True)
class Row:
    """`value` is None where a server was not measured; `holds` is given ours and that of the server `beside`."""

    title: str
    unit: str
    target: str
    value: Callable[[Round], float | None]
    holds: Callable[[float, float], bool]
    ours: str = "sqlite"
    """Whose value the target is for."""
    beside: str = "reference"


def of(load: str, field: str, scale: float = 1) -> Callable[[Round], float | None]:
    """Reads one field of one load's result."""

    def value(found: Round) -> float | None:
        number = getattr(found.get(load), field, None)
        return None if number is None else number * scale

    return value


def request_alone(found: Round) -> float | None:
    """CPU of a request in ms, its events taken off at the price they have in the steady load."""
    requests, steady = found.get("requests"), found.get("steady")
    if requests is None or steady is None or requests.cpu_per_request is None or steady.cpu_per_event is None:
        return None
    return (requests.cpu_per_request - 2 * steady.cpu_per_event) / 1000


def wrong(found: Round) -> float | None:
    """Events lost, doubled, reordered or misnumbered, and streams that failed or did not end, over all loads."""
    counted = [r.lost + r.doubled + r.reordered + r.holes + r.failures + r.unfinished for r in found.values()]
    return float(sum(counted)) if counted else None


def others(found: Round) -> float | None:
    """By how many ms readers that never read delay the others' p99."""
    silent = found.get("silent")
    if silent is None or silent.others_p99 is None or silent.others_p99_before is None:
        return None
    return silent.others_p99 - silent.others_p99_before


def at_most(limit: float) -> Callable[[float, float], bool]:
    """Ours is at most `limit`, whatever the other has."""
    return lambda ours, _other: ours <= limit


def times(factor: float) -> Callable[[float, float], bool]:
    """Ours is at most that part of the other's."""
    return lambda ours, other: ours <= factor * other


def plus(more: float) -> Callable[[float, float], bool]:
    """Ours is at most that much more than the other's."""
    return lambda ours, other: ours <= other + more


KB, MB = 1 / 1024, 1 / 2**20
EVENT, WIDE = of("steady", "cpu_per_event"), of("wide", "cpu_per_event")
ROWS = (
    Row("CPU per event, 100 streams × 20/s", "µs", "≤ 0.80 × reference", EVENT, times(0.80)),
    Row("CPU per request, its events apart", "ms", "≤ 1.0 × reference", request_alone, times(1.0)),
    Row("200 streams start in 1 s: first token p50", "ms", "≤ 0.5 × reference", of("burst", "first_p50"), times(0.5)),
    Row("200 streams start in 1 s: OK p99", "ms", "≤ 1000", of("burst", "ok_p99"), at_most(1000)),
    Row("added per event, 100 × 20/s, p50", "ms", "≤ reference + 1", of("steady", "added_p50"), plus(1)),
    Row("added per event, 100 × 20/s, p99", "ms", "≤ reference + 10", of("steady", "added_p99"), plus(10)),
    Row("250 × 10/s, 100 arrive a second: OK p99", "ms", "≤ 51", of("many", "ok_p99"), at_most(51)),
    Row("500 × 10/s, 100 arrive a second: OK p50", "ms", "≤ 51", of("crowd", "ok_p50"), at_most(51)),
    Row("500 × 10/s: added per event p50", "ms", "≤ 50", of("crowd", "added_p50"), at_most(50)),
    Row("500 × 10/s, 2 workers: OK p99", "ms", "≤ 250", of("crowd", "ok_p99"), at_most(250), "cluster"),
    Row("one request, idle warm server: OK p50", "ms", "≤ 5", of("single", "ok_p50"), at_most(5)),
    Row("memory per open stream at 2,000", "KB", "≤ 25", of("open", "rss_per_stream", KB), at_most(25)),
    Row("threads at 2,000 open streams", "", "≤ 12", of("open", "threads"), at_most(12)),
    Row("ten readers that never read 20 MB: memory", "MB", "≤ 12 in all", of("silent", "held", MB), at_most(12)),
    Row("… and the other streams' added p99", "ms more", "unchanged (≤ 2)", others, at_most(2)),
    Row("500 dropped readers resume: all caught up", "s", "≤ 5", of("resume", "caught_up"), at_most(5)),
    Row("CPU per event, 100 × 20/s, beside the floor", "µs", "≤ 1.5 × floor", EVENT, times(1.5), beside="floor"),
    Row("CPU per event, 2,000 × 1/s, beside the floor", "µs", "≤ 2.0 × floor", WIDE, times(2.0), beside="floor"),
    Row("events lost, doubled, reordered; streams failed", "", "0", wrong, at_most(0)),
)


def mean(row: Row, rounds: Iterable[Round]) -> float | None:
    """The row's value, the mean of the rounds in which it was measured."""
    found = [value for one in rounds if (value := row.value(one)) is not None and not math.isnan(value)]
    return fmean(found) if found else None


def verdict(row: Row, rounds: Rounds) -> bool | None:
    """Whether the target is met; None where that cannot be said."""
    ours, other = mean(row, rounds.get(row.ours, [])), mean(row, rounds.get(row.beside, []))
    if ours is None:
        return None
    if other is None and row.target.count(row.beside):
        return None
    return row.holds(ours, other or 0.0)
