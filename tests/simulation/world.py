"""The world: time, chance, the processes and what becomes of them. One seed is one history, to the byte.

A tick is one step of one process (an iteration of its event loop, something that its thread does, an attempt to
commit), chosen by chance among those that can go on, or something that happens to the world (`faults.py`, `people.py`).
After every tick the invariants are looked at. When nobody can go on, time moves to the next moment at which somebody
can. At the end the faults are over, and all that was begun must come to its end.
"""

import hashlib
import heapq
import itertools
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

from tests.simulation import disk, faults
from tests.simulation.event_loop import FAR
from tests.simulation.invariants import check_idle, check_pending
from tests.simulation.ledger import Known, Ledger
from tests.simulation.people import People
from tests.simulation.promptness import EVERY, Promptness
from tests.simulation.worker import Worker

HEALING_SECONDS = 900.0
"""In which everything that was begun ends once no fault comes any more: an answer may take 300 s, and again anew."""


LATEST = 100_000.0
"""When a history should long be over: without processes time goes by, and ticks do not."""


class Violation(AssertionError):
    """An invariant does not hold."""


class World:
    """One history. `trace` gets its lines; None keeps only their digest."""

    def __init__(self, seed: int, path: Path, trace: list[str] | None = None) -> None:
        self.random = Random(seed)
        self.now = 1_000.0
        self.ticks = 0
        self.trace = trace
        self.digest = hashlib.sha256()
        self.current: Worker | None = None
        self.workers: list[Worker] = []
        self.dead: list[Worker] = []
        self.faults: dict[str, int] = {}
        self._agenda: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = itertools.count(1)
        self._pids = itertools.count(1_000)
        self._step = "world"
        self._healed = False
        self.found = ""
        self.profile = faults.Profile.of(self.random)
        self.model_can_continue = self.random.random() < 0.5
        self.model_faults = self.random.choice((0.0, 0.1, 0.3))
        self.ledger = Ledger(path, self.violated, self._at_work, self._changed, lambda: self.now)
        self.lock = faults.Lock(path)
        self.people = People(self)
        self.promptness = Promptness(self)
        self.deaths: dict[int, float] = {}
        self.locked_until = 0.0

    # What the machine asks (`machine.py`, `disk.py`, `network.py`)

    def wall_clock(self) -> float:
        """Seconds since 1970, by the clock of the process that is at work: it may jump."""
        return 1_790_000_000.0 + self.now + (self.current.clock_offset if self.current else 0.0)

    def process_id(self) -> int:
        """Of the process that is at work."""
        return self.current.pid if self.current else 1

    def host(self) -> str:
        """Of the process that is at work."""
        return self.current.host if self.current else "world"

    def lives(self, pid: int) -> bool:
        """Whether there is such a process on the host of the one that is at work."""
        return any(each.pid == pid and each.host == self.host() for each in self.workers)

    def is_cut(self) -> bool:
        """Whether the database is out of reach."""
        return self.current is not None and (not self.current.alive or self.now < self.current.cut_until)

    def fate_of_commit(self) -> str:
        """What becomes of the commit that is being made."""
        chance = 0.0 if self.current is None or self._healed else self.profile.commit_failures
        if chance == 0.0 or self.random.random() >= chance:
            return ""
        self.note(faults.COMMIT)
        assert self.current is not None
        self.current.disturbed_at = self.now
        return self.random.choice((disk.FAILS, disk.ANSWER_LOST))

    def nodes(self) -> list[Any]:
        """Those who listen."""
        return list(self.workers)

    def delays(self) -> list[float]:
        """When a message arrives: once, or not at all, or twice."""
        return self.profile.delays(self.random) if not self._healed else [0.001]

    def node(self) -> Any:
        """Who is at work."""
        assert self.current is not None
        return self.current

    # What happens

    def at(self, seconds: float, what: Callable[[], None]) -> None:
        """Have it happen after so many seconds."""
        heapq.heappush(self._agenda, (self.now + seconds, next(self._numbers), what))

    def start_worker(self, host: str | None = None) -> Worker:
        """A new process."""
        host = host or f"host{self.random.randrange(self.profile.hosts)}"
        pid = next(self._pids)
        worker = Worker(self, pid - 999, host, pid)
        self.workers.append(worker)
        self.say(f"{worker.name} starts on {host}")
        return worker

    def start_again(self, host: str) -> None:
        """Somebody sees to it that there are as many as there were."""
        if sum(not worker.draining for worker in self.workers) < self.profile.workers:
            self.start_worker(host)

    def remove(self, worker: Worker) -> None:
        """The process is no more."""
        if not worker.alive:
            return
        self.say(f"{worker.name} is gone")
        self.workers.remove(worker)
        self.deaths[worker.pid] = self.now
        self.dead.append(worker)  # what it had open is not closed, as for a process that is killed
        self._acting(worker, worker.kill)

    def run(self, ticks: int) -> None:
        """So many ticks with faults, and then as many as it takes until all has ended."""
        for _ in range(self.profile.workers):
            self.start_worker()
        faults.begin(self)
        self.people.begin()
        while self.ticks < ticks:
            if self.now > LATEST:
                self.violated(f"{self.now:.0f} s have gone by, with {self.ticks} ticks")
            self.tick()
        self.heal()
        until = self.now + HEALING_SECONDS
        while not self.people.is_over():
            if self.now > until:
                self.violated(f"not all has ended {HEALING_SECONDS:.0f} s after the last fault: {self.people.open()}")
            self.tick()
        self.ledger.look()
        self.ledger.check_all()
        self.people.check()

    def heal(self) -> None:
        """No fault any more, and nobody who asks anything new."""
        self._healed = True
        self.say("healed")
        self.lock.release()
        for worker in self.workers:
            worker.frozen_until, worker.thread_held_until = (
                min(worker.frozen_until, self.now),
                min(worker.thread_held_until, self.now),
            )
            worker.cut_until, worker.deaf_until = min(worker.cut_until, self.now), min(worker.deaf_until, self.now)
        self.locked_until = min(self.locked_until, self.now)
        while len(self.workers) < 2:
            self.start_worker()

    def is_healed(self) -> bool:
        """Whether faults are over."""
        return self._healed

    def undisturbed(self, worker: Worker) -> float:
        """For how long a process has served with nothing in its way."""
        if not worker.serving or worker.draining:
            return 0.0
        return self.now - max(worker.serving_since, worker.disturbed_at, self.locked_until, worker.held_until())

    def is_calm(self) -> bool:
        """Whether nothing has happened so far that may interrupt an answer."""
        return self.faults.keys() <= {*faults.HARMLESS, faults.COMMIT}

    def is_handing_over(self) -> bool:
        """Whether nothing more has happened than that processes were told to stop, and others began. Who takes an
        answer up finds it too old by the clock on the wall, the only one that processes share."""
        return self.faults.keys() <= {*faults.HARMLESS, faults.TERMINATE, faults.COMMIT} - {faults.CLOCK}

    def tick(self) -> None:
        """One step of somebody."""
        while self._agenda and self._agenda[0][0] <= self.now:
            _, _, what = heapq.heappop(self._agenda)
            what()
        able, soonest = [], self._agenda[0][0] if self._agenda else FAR
        for worker in self.workers:
            for due, name, step in worker.entities():
                if due <= self.now:
                    able.append((worker, name, step))
                elif due < soonest:
                    soonest = due
        if not able:
            self.now = soonest
            return
        worker, name, step = able[self.random.randrange(len(able))] if len(able) > 1 else able[0]
        self.ticks += 1
        self._step = name
        before = self.ledger.stored
        self._acting(worker, step)
        check_pending(self, worker)
        if worker.alive and worker.loop.is_idle():
            check_idle(self, worker)
        if self.ticks % EVERY == 0:
            self.promptness.look()
        if self.found:  # whoever was at work may have caught it
            raise Violation(self.found)
        self.say(f"{worker.name} {name} +{self.ledger.stored - before}")
        self.now += self.random.random() * 0.0004

    def _acting(self, worker: Worker, step: Callable[[], Any]) -> None:
        before, self.current = self.current, worker
        try:
            step()
            self.ledger.look()
        finally:
            self.current = before

    def _at_work(self) -> str:
        return self.current.name if self.current else "world"

    def _changed(self, known: Known) -> None:
        self.say(f"stream {known.id[-6:]} is {known.status} after {len(known.events)} events, epoch {known.epoch}")
        self.people.changed(known)

    # What is told

    def say(self, what: str) -> None:
        """One line of the trace."""
        line = f"{self.ticks} {self.now:.6f} {what}\n"
        self.digest.update(line.encode())
        if self.trace is not None:
            self.trace.append(line)

    def note(self, fault: str) -> None:
        """A fault was injected."""
        self.faults[fault] = self.faults.get(fault, 0) + 1
        self.say(f"fault: {fault}")

    def violated(self, what: str) -> None:
        """End this history: an invariant does not hold."""
        self.found = self.found or what
        raise Violation(self.found)

    def failed_in(self, worker: Worker, context: dict[str, Any]) -> None:
        """A callback or a task of a process has failed, and nobody took note of it."""
        error = context.get("exception")
        if not isinstance(error, Violation):
            self.violated(f"{worker.name}: {context['message']}: {error!r}")

    def close(self) -> None:
        """Let go of everything, whatever state it is in."""
        self.found = self.found or "closed"
        for worker in list(self.workers):
            self.workers.remove(worker)
            self._acting(worker, worker.kill)
        self.lock.close()
        self.ledger.close()
