"""One process of the simulation: the real log and the real turns, on a loop and threads of simulated time."""

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine, Iterator
from random import Random
from typing import Any, Protocol

from chat.log import Log
from chat.log.batch import Work
from chat.log.checkpoint import Checkpointer
from chat.log.commit_thread import taken_from
from chat.log.threads import Threads
from chat.providers.catalogue import Catalogue
from chat.turns.runner import Turns
from tests.simulation.event_loop import FAR, SimulatedLoop
from tests.simulation.model import Script, settings_of

LEASE_SECONDS = 2.0
COMMIT_SECONDS = 1.5
"""Shorter than an operator would have them, so that a history has room for many outages longer than that."""


class Around(Protocol):
    """What a process needs of its world."""

    now: float

    @property
    def random(self) -> Random: ...
    @property
    def model_can_continue(self) -> bool: ...
    @property
    def model_faults(self) -> float: ...
    def is_healed(self) -> bool: ...
    def violated(self, what: str) -> None: ...
    def failed_in(self, worker: "Worker", context: dict[str, Any]) -> None: ...


class Silent:
    """Metrics that nobody reads."""

    def __getattr__(self, name: str) -> Callable[..., None]:
        return lambda *given, **named: None


class NoCheckpoints(Checkpointer):
    """The file is small, and thrown away."""

    def __init__(self, path: str) -> None:
        """Start no thread."""

    def count_commit(self) -> None:
        """Nothing is due."""

    def close(self) -> None:
        """There is no thread."""


class CommitSteps:
    """The thread that commits, as steps: one takes a batch and tries to store it, or tries it again."""

    def __init__(self, world: Around, commit: Callable[[list[Work]], Iterator[float]]) -> None:
        self._world = world
        self._commit = commit
        self._queue: deque[Work] = deque()
        self._steps: Iterator[float] | None = None
        self.due = FAR

    def put(self, works: list[Work]) -> None:
        """Queue; the thread needs a while to see it."""
        self._queue.extend(works)
        if self.due == FAR:
            self.due = self._world.now + self._delay()

    def step(self) -> None:
        """Go on until it waits."""
        if self._steps is None:
            self._steps = iter(self._commit(taken_from(self._queue)))
        pause = next(self._steps, None)
        if pause is not None:
            self.due = self._world.now + pause
            return
        self._steps = None
        self.due = self._world.now + self._delay() if self._queue else FAR

    def close(self) -> None:
        """Commit all that is queued, however long that takes."""
        while self.due != FAR:
            self._world.now = max(self._world.now, self.due)
            self.step()

    def _delay(self) -> float:
        return self._world.random.choice((0.0, 0.0001, 0.0001, 0.02))


class Worker:
    """A process that serves, from its start to its death. `frozen_until` and its like are moments of the world."""

    def __init__(self, world: Around, number: int, host: str, pid: int) -> None:
        self._world = world
        self.number, self.host, self.pid = number, host, pid
        self.name = f"w{number}"
        self.loop = SimulatedLoop(lambda: world.now, self._delay)
        self.loop.set_exception_handler(lambda loop, context: world.failed_in(self, context))
        self.commits: CommitSteps | None = None
        self.log = Log(COMMIT_SECONDS, Threads(self._make_commits, NoCheckpoints))
        script = Script(
            world.random,
            world.model_can_continue,
            world.model_faults,
            world.is_healed,
            lambda what: world.violated(what),
        )
        self.catalogue = Catalogue(*settings_of(script))
        metrics: Any = Silent()
        self.turns = Turns(self.log, lambda: self.catalogue, metrics, LEASE_SECONDS)
        self.mailbox: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.calls: dict[int, Callable[[], None]] = {}
        self.alive, self.serving, self.draining = True, False, False
        self.frozen_until = self.thread_held_until = self.cut_until = self.deaf_until = 0.0
        self.clock_offset = self.serving_since = self.disturbed_at = 0.0
        self.spawn(self._serve())

    def _make_commits(self, commit: Callable[[list[Work]], Iterator[float]]) -> CommitSteps:
        self.commits = CommitSteps(self._world, commit)
        return self.commits

    def _delay(self) -> float:
        return self._world.random.choice((0.0, 0.00002, 0.0005, 0.03))

    def hears(self) -> bool:
        """Whether the notifier reaches it."""
        return self.alive and self._world.now >= self.deaf_until

    async def _serve(self) -> None:
        await self.log.open(True, self.turns.stop_here)
        while not self.serving:
            try:
                await self.turns.open()
                self.serving, self.serving_since = True, self._world.now
            except Exception:  # the database is away: whoever starts processes starts it again
                await asyncio.sleep(1.0)

    async def leave(self, grace: float) -> None:
        """A SIGTERM: drain, then close."""
        self.draining, self.serving = True, False
        self.log.feeds.leave()
        await self.turns.close(grace)
        await self.log.close()

    def spawn(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Have its loop run this."""
        return self.loop.create_task(work)

    def held_until(self) -> float:
        """Until when something stands in its way, or has stood."""
        return max(self.frozen_until, self.thread_held_until, self.cut_until)

    def entities(self) -> Iterator[tuple[float, str, Callable[[], None]]]:
        """What of it can go on: when, by what name, and the step."""
        yield max(self.loop.due(), self.frozen_until), "loop", self.loop.run_once
        held = max(self.frozen_until, self.thread_held_until)
        yield max(self.loop.thread_due(), held), "thread", self.loop.run_thread
        if self.commits is not None:
            yield max(self.commits.due, held), "commit", self.commits.step

    def kill(self) -> None:
        """As by SIGKILL: nothing of it runs any more, and whoever waits for it learns that."""
        self.alive = self.serving = False
        self.loop.kill()
        for lost in list(self.calls.values()):
            lost()
        self.calls.clear()
