"""What an event's times cost: `python -m bench.clocks --rounds 5`.

A reader that will send a receipt asks for its events' times (`X-WonderCam-Receipt: 1`): the server records when each
was committed and written to the reader's socket. One server gets the same load with and without that header, in turn.
The figures are the CPU of an event (100 streams × 20/s) and its ratio, pair by pair, and the median.
"""

import argparse
import asyncio
from dataclasses import replace
from pathlib import Path
from statistics import median
from tempfile import NamedTemporaryFile

import uvloop

from bench import loads
from bench.servers import running, upstream

PLAIN = loads.SHORT["steady"]
TIMED = replace(PLAIN, name="timed", headers="X-WonderCam-Receipt: 1\r\n")


async def compare(rounds: int, log: Path) -> None:
    """Measure and print."""
    ratios = []
    with upstream() as (address, pid), running("sqlite", address, log) as server:
        await loads.warm(server, pid)
        for number in range(rounds):
            cost = {}
            for load in (TIMED, PLAIN) if number % 2 else (PLAIN, TIMED):
                cost[load.name] = (await loads.run(server, load, pid)).cpu_per_event or 0
                await asyncio.sleep(1)
            ratios.append(cost[TIMED.name] / cost[PLAIN.name])
            with_times, without = cost[TIMED.name], cost[PLAIN.name]
            print(f"{with_times:6.1f} µs with times, {without:6.1f} µs without: {ratios[-1]:.3f}", flush=True)
    print(f"median {median(ratios):.3f} of {', '.join(f'{ratio:.3f}' for ratio in sorted(ratios))}")


def main() -> None:
    """Read the command line, run."""
    parser = argparse.ArgumentParser(prog="python -m bench.clocks", description="Measure what an event's times cost.")
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    with NamedTemporaryFile("r", prefix="bench-", suffix=".log", delete=False) as file:
        log = Path(file.name)
    uvloop.run(compare(given.rounds, log))


if __name__ == "__main__":
    main()
