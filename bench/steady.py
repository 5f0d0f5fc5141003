"""Whether an event stays on time, run after run: `python -m bench.steady --rounds 10 --seconds 60`.

The plain server and WonderCam with SQLite and with PostgreSQL and Redis are alive at once; each round gives them the
same load in turn (100 streams × 20/s), in an order that changes. A round is good where the added p99 is at most that of
the plain server in the same round and 5 ms more. Status 1 when a round is not, or an event was lost. What the machine
itself holds up counts, too; the p99 of the events outside of its pauses (`bench.pauses`) is printed beside it.
"""

import argparse
import asyncio
import contextlib
import sys
from dataclasses import replace
from pathlib import Path
from statistics import median
from tempfile import NamedTemporaryFile
from typing import NamedTuple

import uvloop

from bench import loads, pauses, stores
from bench.load import Tally
from bench.loads import Load, Result
from bench.servers import Server, running, upstream

MORE_MS = 5.0
"""What the added p99 may be above the plain server's."""


class Run(NamedTuple):
    """One load at one server; `undisturbed_p99` (ms) is that of the events outside of the machine's pauses."""

    result: Result
    undisturbed_p99: float


Round = dict[str, Run]
"""The runs by the servers' keys."""


def above(round_: Round, of: str) -> float:
    """The ms by which the server's added p99 is above the plain one's."""
    return round_[of].result.added_p99 - round_["reference"].result.added_p99


def told(run: Run) -> str:
    """A run in a few words."""
    result = run.result
    times = f"{result.added_p50:.2f} / {result.added_p99:.2f} ({run.undisturbed_p99:.2f}) / {result.added_max:.0f} ms"
    others = f", other programs {result.others_cores:.2f} cores" if (result.others_cores or 0) > 0.15 else ""
    return f"{result.server} {times}, lost {result.lost}{others}"


async def run_of(server: Server, load: Load, upstream_pid: int) -> Run:
    """Put `load` on `server`, watching the machine."""
    tally = Tally()
    with pauses.watched() as paused:
        result = await loads.run(server, load, upstream_pid, tally=tally)
    stamps = zip(tally.sent, tally.read, strict=True)
    return Run(result, loads.percentile([(read - sent) / 1e6 for sent, read in stamps if not paused.near(sent)], 0.99))


async def measured(servers: list[Server], load: Load, upstream_pid: int, rounds: int) -> list[Round]:
    """The rounds, each told as it ends."""
    found: list[Round] = []
    for number in range(rounds):
        turn = number % len(servers)
        found.append({})
        for server in servers[turn:] + servers[:turn]:
            found[-1][server.key] = await run_of(server, load, upstream_pid)
            await asyncio.sleep(1)
        print(f"{number + 1}: {'; '.join(told(found[-1][server.key]) for server in servers)}", flush=True)
    return found


async def steady(given: argparse.Namespace, log: Path) -> int:
    """Measure, print, judge."""
    keys = ["reference", "sqlite"] if stores.missing() else ["reference", "sqlite", "cluster"]
    load = replace(loads.STEADY, events=given.seconds * 20)
    print("added p50 / p99 (outside of the machine's pauses) / most of all events")
    with upstream() as (address, pid), contextlib.ExitStack() as stack:
        servers = [stack.enter_context(running(key, address, log)) for key in keys]
        for server in servers:
            await loads.warm(server, pid)
        found = await measured(servers, load, pid, given.rounds)
    is_good = True
    for key in keys[1:]:
        more = [above(round_, key) for round_ in found]
        good, lost = sum(ms <= MORE_MS for ms in more), sum(round_[key].result.lost for round_ in found)
        is_good = is_good and good == len(more) and not lost
        print(f"{key}: {good} of {len(more)} rounds good; p99 above the plain one's by {median(more):.1f} ms in the "
              f"median, {max(more):.1f} at most")  # fmt: skip
    return int(not is_good)


def main() -> int:
    """Read the command line, run."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.steady", description="Measure the added p99 again and again."
    )
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--seconds", type=int, default=60)
    given = parser.parse_args()
    with NamedTemporaryFile("r", prefix="bench-", suffix=".log", delete=False) as file:
        log = Path(file.name)
    return uvloop.run(steady(given, log))


if __name__ == "__main__":
    sys.exit(main())
