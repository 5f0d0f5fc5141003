"""Which server gets which load in which round, and the run of it all."""

from dataclasses import dataclass
from pathlib import Path

from bench import floor, loads, stores
from bench.faults import dropped_readers, silent_readers
from bench.loads import Load, Result
from bench.rows import Round, Rounds
from bench.servers import Server, running, upstream

Step = Load | str
"""A load, or the name of a fault."""

EVERYTHING: tuple[Step, ...] = (loads.SINGLE, loads.REQUESTS, loads.STEADY, loads.BURST, loads.MANY, loads.CROWD)
STOCK: tuple[Step, ...] = (loads.SINGLE, loads.REQUESTS, loads.STEADY)
CLUSTER: tuple[Step, ...] = (loads.SINGLE, loads.REQUESTS, loads.STEADY, loads.BURST, loads.CROWD)
FLOOR: tuple[Step, ...] = (loads.SINGLE, loads.REQUESTS, loads.STEADY)
QUICK: tuple[Step, ...] = (
    loads.SINGLE,
    loads.SHORT["requests"],
    loads.SHORT["steady"],
    loads.BURST,
    loads.SHORT["crowd"],
)
ONCE: dict[tuple[str, int], tuple[Step, ...]] = {
    ("reference", 0): (loads.OPEN, loads.WIDE),
    ("stock", 0): (loads.CROWD,),
    ("sqlite", 0): (loads.OPEN, loads.WIDE),
    ("floor", 0): (loads.WIDE,),
    ("sqlite", 1): ("silent", "resume"),
    ("cluster", 1): ("resume",),
}
"""What takes long and hardly varies is measured once."""


@dataclass(frozen=True)
class Visit:
    """One fresh server and what it is put through."""

    server: str
    steps: tuple[Step, ...]


def plan(quick: bool, only: str = "", rounds: int = 0) -> list[Visit]:
    """The visits in order; the second round goes the other way, so that no server is always first."""
    wanted = [name for name in only.split(",") if name] or (
        ["reference", "sqlite"] if quick else ["reference", "stock", "sqlite", "cluster", "floor"]
    )
    if "floor" in wanted and (why := floor.missing()):
        print(f"Without the floor: {why}")
        wanted.remove("floor")
    if "cluster" in wanted and (missing := stores.missing()):
        print(f"Without PostgreSQL and Redis, of which {', '.join(missing)} is missing here (postgresql, redis-server)")
        wanted.remove("cluster")
    steps = {"stock": STOCK, "cluster": CLUSTER, "floor": FLOOR}
    visits = []
    for number in range(rounds or (1 if quick else 2)):
        for name in wanted if number % 2 == 0 else reversed(wanted):
            more = () if quick else ONCE.get((name, number), ())
            visits.append(Visit(name, (QUICK if quick else steps.get(name, EVERYTHING)) + more))
    return visits


async def everything(visits: list[Visit], log: Path) -> Rounds:
    """Make the visits, one after the other."""
    rounds: Rounds = {}
    for visit in visits:
        rounds.setdefault(visit.server, []).append({})
        with upstream() as (address, pid), running(visit.server, address, log) as server:
            await loads.warm(server, pid)
            for step in visit.steps:
                await take(server, step, pid, rounds[visit.server][-1])
    return rounds


async def take(server: Server, step: Step, upstream_pid: int, into: Round) -> None:
    """One step; its result goes `into` the round, a line about it to the terminal."""
    if step == "silent":
        result = await silent_readers(server)
    elif step == "resume":
        result = await dropped_readers(server)
    else:
        assert isinstance(step, Load)
        result = await loads.run(server, step, upstream_pid)
    into[result.load] = result
    print(line(result), flush=True)


def line(result: Result) -> str:
    """A result for the terminal: p50 / p99 in ms, what else it has."""
    said = [f"{result.server:10} {result.load:9}"]
    if result.ok_p50 > 0:
        said.append(f"OK {result.ok_p50:.1f} / {result.ok_p99:.1f}, first token {result.first_p50:.1f}")
    if result.received:
        said.append(f"added {result.added_p50:.2f} / {result.added_p99:.2f} ms, lost {result.lost}")
    if result.cpu_per_event is not None:
        said.append(f"CPU {result.cpu_per_event:.0f} µs an event")
    if result.held is not None:
        said.append(f"held {result.held / 2**20:.1f} MB")
        said.append(f"others' p99 {result.others_p99_before:.1f}, then {result.others_p99:.1f} ms")
    if result.caught_up is not None:
        said.append(f"caught up in {result.caught_up:.2f} s")
    if (result.others_cores or 0) > 0.15:
        said.append(f"disturbed: {result.others_cores:.2f} cores")
    return ", ".join(said)
