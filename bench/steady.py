"""Whether an event stays on time, run after run: `python -m bench.steady --rounds 10 --seconds 60`.

The plain server and WonderCam with SQLite and with PostgreSQL and Redis are alive at once; each round gives them the
same load in turn (100 streams × 20/s), in an order that changes. A round is good where the added p99 is at most that of
the plain server in the same round and 5 ms more. Status 1 when a round is not, or an event was lost.
"""

import argparse
import asyncio
import contextlib
import sys
from dataclasses import replace
from pathlib import Path
from statistics import median
from tempfile import NamedTemporaryFile

import uvloop

from bench import loads, stores
from bench.loads import Load, Result
from bench.servers import Server, running, upstream

MORE_MS = 5.0
"""What the added p99 may be above the plain server's."""


def late(round_: dict[str, Result]) -> dict[str, float]:
    """By WonderCam's server: the ms by which its added p99 is above the plain one's."""
    plain = round_["reference"].added_p99
    return {key: result.added_p99 - plain for key, result in round_.items() if key != "reference"}


def told(result: Result) -> str:
    """A result in a few words."""
    times = f"{result.added_p50:.2f} / {result.added_p99:.2f} / {result.added_max:.0f} ms"
    others = f", other programs {result.others_cores:.2f} cores" if (result.others_cores or 0) > 0.15 else ""
    return f"{result.server} {times}, lost {result.lost}{others}"


async def measured(servers: list[Server], load: Load, upstream_pid: int, rounds: int) -> list[dict[str, Result]]:
    """The rounds, each told as it ends."""
    found: list[dict[str, Result]] = []
    for number in range(rounds):
        turn = number % len(servers)
        found.append({})
        for server in servers[turn:] + servers[:turn]:
            found[-1][server.key] = await loads.run(server, load, upstream_pid)
            await asyncio.sleep(1)
        print(f"{number + 1}: {'; '.join(told(found[-1][server.key]) for server in servers)}", flush=True)
    return found


async def steady(given: argparse.Namespace, log: Path) -> int:
    """Measure, print, judge."""
    keys = ["reference", "sqlite"] if stores.missing() else ["reference", "sqlite", "cluster"]
    load = replace(loads.STEADY, events=given.seconds * 20)
    print("added p50 / p99 / most of all events")
    with upstream() as (address, pid), contextlib.ExitStack() as stack:
        servers = [stack.enter_context(running(key, address, log)) for key in keys]
        for server in servers:
            await loads.warm(server, pid)
        found = await measured(servers, load, pid, given.rounds)
    for key in keys[1:]:
        above = [late(round_)[key] for round_ in found]
        good = sum(more <= MORE_MS for more in above)
        print(f"{key}: {good} of {len(above)} rounds good; p99 above the plain one's by {median(above):.1f} ms in the "
              f"median, {max(above):.1f} at most")  # fmt: skip
    lost = sum(result.lost for round_ in found for key, result in round_.items() if key != "reference")
    return int(lost > 0 or any(more > MORE_MS for round_ in found for more in late(round_).values()))


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
