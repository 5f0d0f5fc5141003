"""The machine's own pauses: moments at which the same small piece of work takes twice its usual time, or more.

A virtual machine's host may slow all of its processes alike for some tens of milliseconds. Whatever is measured then is
late, and the more so the more processes share the work. `python -m bench.pauses` tells them for ten seconds of an idle
machine; `python -m bench.steady` knows them for each run.
"""

import bisect
import contextlib
import os
import subprocess
import sys
import time
from array import array
from collections.abc import Generator
from statistics import median

from bench.servers import ROOT

INTERVAL = 0.01
SLOW = 2.0
"""From how many times the median on a piece of work counts as slowed down."""

AROUND_NS = 150_000_000
"""How far from a slow piece an event may be and still be the machine's: what waited is worked off afterwards."""


class Pauses:
    """When the pieces began (ns, ascending) that were slow."""

    def __init__(self) -> None:
        self.slow: array[int] = array("q")

    def fill(self, begun: list[int], taken: list[int]) -> None:
        """Keep the slow ones of the pieces that began at `begun` and took `taken` (ns)."""
        bound = SLOW * median(taken)
        self.slow.extend(at for at, ns in zip(begun, taken, strict=True) if ns > bound)

    def near(self, at: int) -> bool:
        """Whether the moment `at` (ns) is in or beside a pause."""
        after = bisect.bisect(self.slow, at)
        return any(abs(slow - at) < AROUND_NS for slow in self.slow[max(after - 1, 0) : after + 1])


def work(memory: bytearray) -> None:
    """Writes to each of many pages: that is what a host slows most."""
    for place in range(0, len(memory), 4096):
        memory[place] = memory[place] ^ 1


def probe() -> None:
    """Do the work every `INTERVAL` until standard input closes, then print when each piece began and how long it took.

    Where the user may, it goes before all other processes, so that it does not see them.
    """
    with contextlib.suppress(OSError, AttributeError):
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
    os.set_blocking(0, False)
    memory, lines = bytearray(2**20), []
    while not closed():
        time.sleep(INTERVAL)
        begun = time.monotonic_ns()
        work(memory)
        lines.append(f"{begun} {time.monotonic_ns() - begun}\n")
    sys.stdout.writelines(lines)


def closed() -> bool:
    """Whether standard input has ended."""
    try:
        return not os.read(0, 1)
    except BlockingIOError:
        return False


@contextlib.contextmanager
def watched() -> Generator[Pauses]:
    """The pauses from now on; they are known when the context is left."""
    pauses = Pauses()
    argv = [sys.executable, "-m", "bench.pauses", "--probe"]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT, text=True) as process:
        yield pauses
        said, _ = process.communicate()
    pieces = [tuple(map(int, line.split())) for line in said.splitlines()]
    if pieces:
        pauses.fill([begun for begun, _ in pieces], [taken for _, taken in pieces])


def main() -> None:
    """Tell the pauses of ten seconds."""
    if "--probe" in sys.argv:
        return probe()
    start = time.monotonic_ns()
    with watched() as pauses:
        time.sleep(10)
    told: list[list[int]] = []
    for at in pauses.slow:
        if told and at - told[-1][1] < AROUND_NS:
            told[-1][1] = at
        else:
            told.append([at, at])
    for first, last in told:
        print(f"after {(first - start) / 1e9:5.2f} s, for {(last - first) / 1e6 + INTERVAL * 1e3:3.0f} ms")
    print(f"{len(told)} pauses in 10 s")


if __name__ == "__main__":
    main()
