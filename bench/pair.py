"""This checkout beside another one: `python -m bench.pair /path/to/other --rounds 5`.

Both servers are alive at once and get each load in turn, so that whatever the machine does meets both. The figures are
the CPU of an event (100 streams × 20/s) and of a question with its two events (40/s), as ratios of this checkout to the
other one, pair by pair, and their median. The other checkout needs a `.venv` or runs with this one's packages.
"""

import argparse
import asyncio
import contextlib
from collections.abc import Generator
from pathlib import Path
from statistics import median
from tempfile import NamedTemporaryFile

import uvloop

from bench import loads
from bench.loads import Load, Result
from bench.servers import ROOT, Server, running, upstream

LOADS = (loads.SHORT["steady"], loads.SHORT["requests"])
FIGURES = {"steady": "cpu_per_event", "requests": "cpu_per_request"}


def figure(result: Result) -> float:
    """The CPU that the load is about, in µs."""
    return float(getattr(result, FIGURES[result.load]))


async def pair(here: Server, there: Server, load: Load, upstream_pid: int, first: bool) -> tuple[float, float]:
    """One load on both, in an order that changes from round to round: (this checkout's µs, the other's)."""
    found = {}
    for server in (here, there) if first else (there, here):
        found[server.port] = figure(await loads.run(server, load, upstream_pid))
        await asyncio.sleep(1)
    return found[here.port], found[there.port]


@contextlib.contextmanager
def both(address: str, other: Path, log: Path, key: str) -> Generator[tuple[Server, Server]]:
    """The two servers, alive at once."""
    with running(key, address, log) as here, running(key, address, log, root=other) as there:
        yield here, there


async def compare(other: Path, rounds: int, key: str, log: Path) -> None:
    """Measure and print."""
    with upstream() as (address, pid), both(address, other, log, key) as (here, there):
        for server in (here, there):
            await loads.warm(server, pid)
        ratios: dict[str, list[float]] = {load.name: [] for load in LOADS}
        for number in range(rounds):
            for load in LOADS:
                mine, theirs = await pair(here, there, load, pid, number % 2 == 0)
                ratios[load.name].append(mine / theirs)
                print(f"{load.name:9} {mine:8.1f} µs here, {theirs:8.1f} µs there: {mine / theirs:.2f}", flush=True)
    for name, found in ratios.items():
        print(f"{name:9} median {median(found):.2f} of {', '.join(f'{ratio:.2f}' for ratio in sorted(found))}")


def main() -> None:
    """Read the command line, run."""
    parser = argparse.ArgumentParser(prog="python -m bench.pair", description="Measure this checkout beside another.")
    parser.add_argument("other", type=Path, help="the other checkout")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--server", default="sqlite", choices=("sqlite", "cluster"))
    given = parser.parse_args()
    with NamedTemporaryFile("r", prefix="bench-", suffix=".log", delete=False) as file:
        log = Path(file.name)
    print(f"{ROOT} beside {given.other}; what the servers say goes to {log}")
    uvloop.run(compare(given.other.resolve(), given.rounds, given.server, log))


if __name__ == "__main__":
    main()
