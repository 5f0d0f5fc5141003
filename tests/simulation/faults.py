"""What goes wrong: each history draws its own kinds of faults and how often they come.

That not every history has every fault is on purpose: what one fault hides, another history without it shows (Groce et
al., "Swarm testing", ISSTA 2012).
"""

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.simulation.worker import Worker
    from tests.simulation.world import World

CLOCK, COMMIT, TERMINATE = "clock", "commit", "terminate"

LONGEST_OUTAGE = 3.0
"""Seconds: more than a commit is tried again for (`worker.COMMIT_SECONDS`)."""


@dataclass
class Profile:
    """What may happen in one history, with the mean of seconds between two of a kind."""

    workers: int
    hosts: int
    every: dict[str, float]
    commit_failures: float
    lost: float
    doubled: float

    @classmethod
    def of(cls, random: Random) -> "Profile":
        """Draw it. One history in eight has no faults at all, one in eight only those that interrupt no answer, and in
        one in eight processes are told to stop, and nothing more."""
        kind_of_history = random.randrange(8)
        calm = kind_of_history == 0
        kinds = {1: HARMLESS, 2: (TERMINATE,)}.get(kind_of_history, tuple(KINDS))
        every = {} if calm else {kind: random.choice((1.5, 5.0, 15.0)) for kind in kinds if random.random() < 0.5}
        return cls(
            workers=random.randint(2, 4),
            hosts=random.randint(1, 2),
            every=every,
            commit_failures=0.0 if calm else random.choice((0.0, 0.003, 0.03)),
            lost=0.0 if calm else random.choice((0.0, 0.3, 1.0)),
            doubled=0.0 if calm else random.choice((0.0, 0.2)),
        )

    def delays(self, random: Random) -> list[float]:
        """When a notification arrives: never, once or twice, soon or late."""
        if random.random() < self.lost:
            return []
        times = 2 if random.random() < self.doubled else 1
        return [random.choice((0.0005, 0.001, 0.003, 0.5)) for _ in range(times)]


class Lock:
    """Another program that holds the database's write lock."""

    def __init__(self, path: Path) -> None:
        self._connection = sqlite3.connect(path, isolation_level=None)

    def take(self) -> None:
        """Hold it from now on."""
        if not self._connection.in_transaction:
            self._connection.execute("BEGIN IMMEDIATE")

    def release(self) -> None:
        """Give it back."""
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()


def begin(world: "World") -> None:
    """From now on faults come."""
    for kind in world.profile.every:
        _plan(world, kind)


def _plan(world: "World", kind: str) -> None:
    def happen() -> None:
        if not world.is_healed():
            if world.workers:
                world.note(kind)
                KINDS[kind](world, world.random.choice(world.workers))
            _plan(world, kind)

    world.at(world.random.expovariate(1 / world.profile.every[kind]), happen)


def _start_again(world: "World", host: str) -> None:
    if world.random.random() < 0.2:
        host = "another host"
    world.at(world.random.choice((0.2, 1.0, 5.0, 15.0)), lambda: world.start_again(host))


def kill(world: "World", worker: "Worker") -> None:
    """SIGKILL; another is started some time later."""
    world.remove(worker)
    _start_again(world, worker.host)


def kill_all(world: "World", worker: "Worker") -> None:
    """The whole machine, or both."""
    for each in list(world.workers):
        kill(world, each)


def terminate(world: "World", worker: "Worker") -> None:
    """SIGTERM, with a grace that may be too short."""
    if worker.draining or not worker.serving:
        return

    def gone(_: object) -> None:
        if worker.alive:
            world.at(0.0, lambda: world.remove(worker))

    worker.spawn(worker.leave(world.random.choice((0.0, 2.0, 30.0)))).add_done_callback(gone)
    _start_again(world, worker.host)


def freeze(world: "World", worker: "Worker") -> None:
    """The process stands still, and comes back: perhaps long after others have taken its turns."""
    worker.frozen_until = world.now + world.random.choice((0.05, 1.0, 15.0, 30.0))


def hold_thread(world: "World", worker: "Worker") -> None:
    """The disk is slow: its threads get nowhere, its event loop goes on."""
    worker.thread_held_until = world.now + world.random.choice((0.05, 0.5, 2.0, 5.0))


def cut(world: "World", worker: "Worker") -> None:
    """The database is out of its reach."""
    worker.cut_until = world.now + world.random.choice((0.05, 1.0, LONGEST_OUTAGE, 12.0))


def deafen(world: "World", worker: "Worker") -> None:
    """The notifier is out of its reach."""
    worker.deaf_until = world.now + world.random.choice((0.5, 3.0, 10.0))


def lock(world: "World", worker: "Worker") -> None:
    """Another program writes, and writes."""
    seconds = world.random.choice((0.01, 0.3, LONGEST_OUTAGE))
    world.locked_until = max(world.locked_until, world.now + seconds)
    world.lock.take()
    world.at(seconds, world.lock.release)


def jump(world: "World", worker: "Worker") -> None:
    """The clock on the wall jumps."""
    worker.clock_offset += world.random.choice((-3_600.0, -1.0, 0.5, 3_600.0, 86_400.0))


KINDS: dict[str, Callable[["World", "Worker"], None]] = {
    "kill": kill,
    "kill all": kill_all,
    TERMINATE: terminate,
    "freeze": freeze,
    "hold thread": hold_thread,
    "cut": cut,
    "deafen": deafen,
    "lock": lock,
    CLOCK: jump,
}

HARMLESS = ("deafen", CLOCK)
"""With failed commits and lost notifications: none of them is a reason to interrupt an answer, or to take it over."""
