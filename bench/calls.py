"""How many calls an event and a question take, here and in another checkout: `python -m bench.calls /path/to/other`.

CPU time varies by half from hour to hour on a shared machine; calls do not. Each checkout's server gets the same loads
while the calls of its event loop's thread are counted, those of functions in C too. Printed are the calls of an event
(20 streams × 20/s) and of a question with its two events (10/s), and where they differ, by the file that makes them.
What a call costs varies, and what the kernel and SQLite do is no call: `bench.pair` measures the CPU itself.
"""

import argparse
import asyncio
import json
import os
import re
import signal
import sys
from collections import defaultdict
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import uvloop

from bench import loads
from bench.loads import Load
from bench.servers import ROOT, running, upstream

EVENTS = replace(loads.STEADY, name="event", streams=20, events=100)
QUESTIONS = replace(loads.REQUESTS, name="question", streams=80, per_second=10)
UNITS = {EVENTS: EVENTS.streams * EVENTS.events, QUESTIONS: QUESTIONS.streams}
SHORTER = (re.compile(r"^.*/site-packages/"), re.compile(r"^.*/lib/python3\.\d+/"))

Calls = dict[str, float]


def by_file(counted: dict[str, int], units: int, root: Path) -> Calls:
    """Calls of one unit by file: of the checkout, a library, or Python's own."""
    found: dict[str, int] = defaultdict(int)
    for name, number in counted.items():
        file = name.rpartition(":")[0].removeprefix(f"{root}/")
        for beginning in SHORTER:
            file = beginning.sub("", file)
        found[file] += number
    return defaultdict(float, {file: number / units for file, number in found.items()})


async def counted(root: Path, folder: Path) -> dict[Load, Calls]:
    """What each load takes on the server of a checkout."""
    file = folder / "calls.json"
    counter = (sys.executable, str(Path(__file__).with_name("counted.py")), str(file))
    found = {}
    with upstream() as (address, pid), running("sqlite", address, folder / "log", prefix=counter, root=root) as server:
        await loads.warm(server, pid)
        for load, units in UNITS.items():
            file.unlink(missing_ok=True)
            os.kill(server.pid, signal.SIGUSR1)
            await loads.run(server, load, pid)
            os.kill(server.pid, signal.SIGUSR2)
            while not file.exists():  # noqa: ASYNC110 (another process makes it)
                await asyncio.sleep(0.05)
            found[load] = by_file(json.loads(file.read_text()), units, root)
    return found


async def compare(other: Path, least: float) -> None:
    """Measure and print; `least` is the smallest difference of a file that is told."""
    with TemporaryDirectory(prefix="bench-") as folder:
        here, there = await counted(ROOT, Path(folder)), await counted(other, Path(folder))
    for load in UNITS:
        mine, theirs = here[load], there[load]
        total, before = sum(mine.values()), sum(theirs.values())
        print(f"{load.name}: {total:,.1f} calls here, {before:,.1f} there: {total / before:.2f}")
        for file in sorted({*mine, *theirs}, key=lambda file: theirs[file] - mine[file]):
            if abs(mine[file] - theirs[file]) >= least * before / 100:
                print(f"  {mine[file]:8.1f} {theirs[file]:8.1f} {mine[file] - theirs[file]:+8.1f}  {file}")


def main() -> None:
    """Read the command line, run."""
    parser = argparse.ArgumentParser(prog="python -m bench.calls", description="Count calls beside another checkout.")
    parser.add_argument("other", type=Path, help="the other checkout")
    parser.add_argument("--least", type=float, default=1.0, help="tell files that differ by so many percent of all")
    given = parser.parse_args()
    uvloop.run(compare(given.other.resolve(), given.least))


if __name__ == "__main__":
    main()
