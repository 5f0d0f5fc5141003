"""What a family of processes costs, from /proc: CPU time, memory, threads."""

import os
import platform
import time
from dataclasses import dataclass
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True)
class Usage:
    """What a family has used up to now (`cpu`, s) and holds now (`rss`, bytes; `threads`)."""

    cpu: float
    rss: int
    threads: int
    processes: int


def family(root: int) -> list[int]:
    """`root` and everything below it."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except (OSError, IndexError):
                continue
            children.setdefault(parent, []).append(int(entry.name))
    found, queue = [], [root]
    while queue:
        pid = queue.pop()
        found.append(pid)
        queue += children.get(pid, [])
    return found


def usage(pids: list[int]) -> Usage:
    """The sum over those processes; one that has ended meanwhile counts nothing."""
    cpu = rss = threads = 0
    for pid in pids:
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        cpu += int(fields[11]) + int(fields[12])
        threads += int(fields[17])
        rss += int(fields[21]) * PAGE
    return Usage(cpu / TICKS, rss, threads, len(pids))


@dataclass(frozen=True)
class Busy:
    """The whole machine's CPU time (s) up to now: used by somebody, and taken away by the host (`stolen`)."""

    used: float
    stolen: float
    at: float


def machine_busy() -> Busy:
    """From the first line of /proc/stat."""
    user, nice, system, _idle, _wait, irq, softirq, steal, *_ = map(int, Path("/proc/stat").read_text().split()[1:10])
    return Busy((user + nice + system + irq + softirq) / TICKS, steal / TICKS, time.monotonic())


def machine() -> str:
    """The machine in one line."""
    model = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if "model name" in line
        ),
        platform.machine(),
    )
    memory = os.sysconf("SC_PHYS_PAGES") * PAGE / 2**30
    return f"{os.cpu_count()} cores ({model}), {memory:.0f} GB, Linux {platform.release().split('-')[0]}"
