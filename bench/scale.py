"""The curves: does a stream, an event, a reader or a resume cost more when there are many? `python -m bench scale`.

streams   1 to 5,000 at one event a second, and silent: CPU per event, added p50 and p99, memory per stream
events    100 streams, more and more events a second, until the server takes no more
readers   1 to 2,000 readers of one stream at 20 events a second
log       the database from empty to 10 million events: CPU per event, time to OK, time to resume
"""

import argparse
import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from bench import grow, loads, plots, report
from bench.load import Reader, Tally, arrive, over, request
from bench.loads import Load, Result, Sample, asking, percentile, window
from bench.servers import ROOT, Server, running, upstream

STREAMS = (1, 10, 100, 500, 1000, 2000, 5000)
RATES = (5, 10, 20, 30, 40, 60, 80)
READERS = (1, 10, 100, 500, 1000, 2000)
EVENTS = (0, 100_000, 1_000_000, 10_000_000)

Point = dict[str, float]
Points = dict[str, list[Point]]


def point(x: float, result: Result, **more: float) -> Point:
    """What a curve shows of a result."""
    return {
        "x": x,
        "cpu_per_event": result.cpu_per_event or 0,
        "added_p50": result.added_p50,
        "added_p99": result.added_p99,
        "ok_p50": result.ok_p50,
        "ok_p99": result.ok_p99,
        "events_per_second": result.events_per_second or 0,
        "kb_per_stream": (result.rss_per_stream or 0) / 1024,
        "threads": result.threads,
        "lost": result.lost,
        "others_cores": result.others_cores or 0,
        **more,
    }


async def streams(server: Server, pid: int) -> list[Point]:
    """More and more open streams, each with one event a second; then as many that say nothing."""
    found = []
    for number in STREAMS:
        load = Load("streams", number, 150, int(number / 150) + 10, 1.0)
        busy = await loads.run(server, load, pid)
        silent = await loads.run(server, replace(load, events=2, gap=number / 150 + 4), pid)
        found.append(say("streams", point(number, busy, idle_kb=(silent.rss_per_stream or 0) / 1024)))
    return found


async def events(server: Server, pid: int) -> list[Point]:
    """100 streams, faster and faster."""
    found = []
    for rate in RATES:
        load = Load("events", 100, 50, rate * 10, 1 / rate)
        found.append(say("events", point(rate * 100, await loads.run(server, load, pid))))
    return found


async def readers(server: Server, pid: int) -> list[Point]:
    """One stream, more and more readers; `cpu_per_event` is per event delivered to one reader."""
    found = []
    for number in READERS:
        server.sign_in()
        seconds = number / 400 + 8
        load = Load("readers", 1, 1, int(seconds * 20), 0.05)
        own, tally = Tally(), Tally()
        (first,) = await arrive(server.port, 1, asking(server, load, own))
        await first.named.wait()
        message = request("GET", f"/v2/streams/{first.stream_id}", server.token)
        others = await arrive(server.port, 400, [lambda message=message, tally=tally: Reader(tally, message)] * number)  # type: ignore[misc]
        await asyncio.sleep(1.5)
        start, begun = Sample.now(server, pid, tally), time.monotonic_ns()
        await asyncio.sleep(5)
        result = Result(server.key, "readers")
        window(result, start, Sample.now(server, pid, tally))
        await over([first, *others], 30)
        live = [(read - sent) / 1e6 for sent, read in zip(tally.sent, tally.read, strict=True) if sent > begun]
        result.added_p50, result.added_p99 = percentile(live, 0.5), percentile(live, 0.99)
        result.lost = sum(load.events - reader.received for reader in others)
        found.append(say("readers", point(number, result)))
    return found


async def log(address: str, pid: int, output: Path) -> list[Point]:
    """The same load on a database that grows; resume is of a stream of 180 events that ended long ago."""
    found = []
    with TemporaryDirectory(prefix="bench-log-", ignore_cleanup_errors=True) as folder:
        for size in EVENTS:
            if size:
                await asyncio.to_thread(grow.grow, Path(folder) / "wondercam.sqlite3", size)
            with running("sqlite", address, output, folder) as server:
                await loads.warm(server, pid)
                resumed = [await resume(server, stream) for stream in grow.some(Path(folder) / "wondercam.sqlite3", 40)]
                result = await loads.run(server, loads.STEADY, pid)
                found.append(say("log", point(size, result, resume_p50=percentile(resumed, 0.5))))
    return found


async def resume(server: Server, stream_id: str) -> float:
    """Milliseconds until a finished stream was read again from its first event to `[DONE]`."""
    reader = Reader(Tally(), request("GET", f"/v2/streams/{stream_id}?after=0", server.token))
    await arrive(server.port, 1000, [lambda: reader])
    await over([reader], 10)
    return (reader.last_at - reader.began) / 1e6


def say(curve: str, found: Point) -> Point:
    """Print a point."""
    print(f"{curve:8} " + "  ".join(f"{name} {value:,.2f}" for name, value in found.items()), flush=True)
    return found


CURVES: dict[str, Callable[[Server, int], Awaitable[list[Point]]]] = {
    "streams": streams,
    "events": events,
    "readers": readers,
}
PANELS = {
    "streams": ("open streams, one event a second each", ("cpu_per_event", "added_p50", "added_p99", "kb_per_stream")),
    "events": ("events a second, 100 streams", ("cpu_per_event", "added_p50", "added_p99", "events_per_second")),
    "readers": ("readers of one stream, 20 events a second", ("cpu_per_event", "added_p50", "added_p99")),
    "log": ("events in the database", ("cpu_per_event", "added_p50", "ok_p50", "resume_p50")),
}


async def curves(given: argparse.Namespace, output: Path) -> int:
    """Measure the curves asked for, keep them and their pictures."""
    out = given.out or ROOT / "docs"
    out.mkdir(parents=True, exist_ok=True)
    kept = out / "performance-scale.json"
    all_points: dict[str, object] = json.loads(kept.read_text()) if kept.exists() else {}
    for curve in given.curves.split(",") if given.curves else (*CURVES, "log"):
        found: Points = {}
        with upstream() as (address, pid):
            if curve == "log":
                found["sqlite"] = await log(address, pid, output)
            else:
                for key in given.servers.split(",") if given.servers else ("reference", "sqlite"):
                    if curve == "readers" and key == "reference":
                        continue
                    with running(key, address, output) as server:
                        await loads.warm(server, pid)
                        found[key] = await CURVES[curve](server, pid)
        all_points[curve] = {"circumstances": report.circumstances(), "points": found}
        kept.write_text(json.dumps(all_points, indent=1) + "\n")
        xlabel, panels = PANELS[curve]
        lines = {
            panel: {key: [(each["x"], each[panel]) for each in points] for key, points in found.items()}
            for panel in panels
        }
        plots.curves(xlabel, xlabel, lines, out / f"performance-{curve}.svg")
    return 0
