"""The loads, and what is measured while one runs. A load is the same bytes on the wire for every server.

CPU and events are counted over a window in which all streams run: from a second after the last has arrived until the
first would end. Times to OK and to the first token are those of all streams.
"""

import asyncio
import gc
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace

from bench.load import Reader, Tally, arrive, over, request
from bench.process import Usage, machine_busy, usage
from bench.servers import Server


@dataclass(frozen=True)
class Load:
    """`streams` that arrive `per_second`; each has `events`, `gap` s apart, of `size` letters."""

    name: str
    streams: int
    per_second: float
    events: int
    gap: float
    size: int = 48
    settle: float = 1.0
    headers: str = ""
    """More lines of each request's head, each ended by CRLF."""

    @property
    def ramp(self) -> float:
        """Seconds until the last stream arrives."""
        return self.streams / self.per_second

    @property
    def life(self) -> float:
        """Seconds from a stream's first event to its last."""
        return (self.events - 1) * self.gap

    @property
    def question(self) -> dict[str, object]:
        """The request's body; its text is what the fake upstream obeys."""
        text = f"@bench n={self.events} gap={round(self.gap * 1e6)} size={self.size}"
        return {"contents": [{"text": text}]}


SINGLE = Load("single", 20, 10, 2, 0.01)
REQUESTS = Load("requests", 240, 40, 2, 0.01)
STEADY = Load("steady", 100, 50, 180, 0.05)
BURST = Load("burst", 200, 200, 30, 0.1)
MANY = Load("many", 250, 100, 60, 0.1)
CROWD = Load("crowd", 500, 100, 80, 0.1)
WIDE = Load("wide", 2000, 100, 40, 1.0)
OPEN = Load("open", 2000, 100, 2, 24.0, settle=2.0)
SHORT = {
    "requests": replace(REQUESTS, streams=160),
    "steady": replace(STEADY, events=120),
    "crowd": replace(CROWD, events=75),
}
"""The same loads for less time, for `--quick`."""


ENOUGH = 50
"""Events in a window from which its CPU per event says something."""


@dataclass
class Result:
    """One load at one server, once. Times in ms, CPU in µs, memory in bytes; None: not measured in this load."""

    server: str
    load: str
    ok_p50: float = 0
    ok_p99: float = 0
    first_p50: float = 0
    first_p99: float = 0
    added_p50: float = 0
    added_p99: float = 0
    added_max: float = 0
    received: int = 0
    lost: int = 0
    doubled: int = 0
    reordered: int = 0
    holes: int = 0
    unfinished: int = 0
    failures: int = 0
    sample: list[str] = field(default_factory=list)
    events_per_second: float | None = None
    cpu_per_event: float | None = None
    stores_per_event: float | None = None
    cores: float | None = None
    cpu_per_request: float | None = None
    stores_per_request: float | None = None
    rss_per_stream: float | None = None
    rss_after: float | None = None
    threads: int = 0
    upstream_cores: float | None = None
    load_cores: float | None = None
    others_cores: float | None = None
    stolen_cores: float | None = None
    caught_up: float | None = None
    """Seconds until every dropped reader had what it missed."""
    held: float | None = None
    """Bytes by which the server grew further with readers that never read than with the same ones reading."""
    others_p99: float | None = None
    """The added p99 of the other streams meanwhile, `others_p99_before` when the same readers did read."""
    others_p99_before: float | None = None

    def as_json(self) -> dict[str, object]:
        """Its fields."""
        return asdict(self)


def percentile(values: list[float], share: float) -> float:
    """The nearest-rank percentile; NaN of nothing."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else float("nan")


@dataclass(frozen=True)
class Sample:
    """Everything that is counted, at one moment."""

    server: Usage
    stores: Usage
    upstream: Usage
    load: float
    used: float
    stolen: float
    at: float
    events: int

    @classmethod
    def now(cls, server: Server, upstream_pid: int, tally: Tally) -> "Sample":
        """Read it all."""
        busy = machine_busy()
        return cls(
            server.usage(),
            server.stores_usage(),
            usage([upstream_pid]),
            time.process_time(),
            busy.used,
            busy.stolen,
            busy.at,
            len(tally.read),
        )


def window(result: Result, start: Sample, end: Sample) -> None:
    """Put into `result` what was used between the two samples."""
    seconds, events = end.at - start.at, max(end.events - start.events, 1)
    cpu, stores = end.server.cpu - start.server.cpu, end.stores.cpu - start.stores.cpu
    upstream, load = end.upstream.cpu - start.upstream.cpu, end.load - start.load
    result.events_per_second = events / seconds
    if events >= ENOUGH:
        result.cpu_per_event, result.stores_per_event = cpu / events * 1e6, stores / events * 1e6
    result.cores, result.upstream_cores, result.load_cores = cpu / seconds, upstream / seconds, load / seconds
    result.others_cores = max((end.used - start.used - cpu - stores - upstream - load) / seconds, 0)
    result.stolen_cores = (end.stolen - start.stolen) / seconds
    result.threads = max(end.server.threads, result.threads)


def summarize(result: Result, readers: list[Reader], tally: Tally, expected: int) -> Result:
    """Put into `result` what the readers saw; each should have had `expected` events."""
    result.ok_p50, result.ok_p99 = spread([(r.ok_at - r.began) / 1e6 for r in readers if r.ok_at])
    result.first_p50, result.first_p99 = spread([(r.first_at - r.began) / 1e6 for r in readers if r.first_at])
    added = [(read - sent) / 1e6 for sent, read in zip(tally.sent, tally.read, strict=True)]
    result.added_p50, result.added_p99 = spread(added)
    result.added_max = max(added, default=float("nan"))
    result.received = len(tally.read)
    result.lost = sum(max(expected - r.received, 0) for r in readers)
    result.doubled, result.reordered, result.holes = tally.doubled, tally.reordered, tally.holes
    result.unfinished = sum(not r.done for r in readers)
    result.failures, result.sample = len(tally.failures), tally.failures[:3]
    return result


def spread(values: list[float]) -> tuple[float, float]:
    """p50 and p99."""
    return percentile(values, 0.5), percentile(values, 0.99)


def asking(server: Server, load: Load, tally: Tally) -> list[Callable[[], Reader]]:
    """Makers of the load's readers."""
    message = request("POST", "/v2/echat", server.token, load.question, load.headers)
    return [lambda: Reader(tally, message)] * load.streams


async def run(
    server: Server, load: Load, upstream_pid: int, patience: float = 20, tally: Tally | None = None
) -> Result:
    """Put `load` on `server`; one Result. An empty `tally` gets the stamps of all events."""
    server.sign_in()
    gc.collect()
    gc.disable()
    tally, result = tally or Tally(), Result(server.key, load.name)
    before = Sample.now(server, upstream_pid, tally)
    arriving = asyncio.ensure_future(arrive(server.port, load.per_second, asking(server, load, tally)))
    try:
        if load.life > load.ramp + load.settle:
            await asyncio.sleep(load.ramp + load.settle)
            start = Sample.now(server, upstream_pid, tally)
            await asyncio.sleep(load.life - load.ramp - load.settle - 0.1)
            window(result, start, Sample.now(server, upstream_pid, tally))
            result.rss_per_stream = (start.server.rss - before.server.rss) / load.streams
        readers = await arriving
        await over(readers, load.life + patience)
    finally:
        gc.enable()
    await asyncio.sleep(0.3)
    after = Sample.now(server, upstream_pid, tally)
    if result.cpu_per_event is None:
        window(result, before, after)
        result.cpu_per_event = result.stores_per_event = None
    result.cpu_per_request = (after.server.cpu - before.server.cpu) / load.streams * 1e6
    result.stores_per_request = (after.stores.cpu - before.stores.cpu) / load.streams * 1e6
    result.rss_after = after.server.rss - before.server.rss
    return summarize(result, readers, tally, load.events)


async def warm(server: Server, upstream_pid: int) -> None:
    """Let every path be taken once before it is measured; RuntimeError where it does not work at all."""
    result = await run(server, Load("warm-up", 40, 40, 10, 0.02), upstream_pid)
    if result.failures or result.received != 400:
        raise RuntimeError(f"{server.key} does not stream: {result.received} of 400 events, {result.sample}")
