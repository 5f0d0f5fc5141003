"""Readers: of a stream, with or without a snapshot, and of a user's feed. They come back with their cursor."""

import asyncio
from contextlib import aclosing
from typing import TYPE_CHECKING, Any
from uuid import UUID

from chat.log.feeds import GENERATING_NOW, FeedKey
from chat.models import Stream
from chat.protocol import events
from chat.protocol.errors import NotFound
from chat.protocol.events import Event
from chat.turns.snapshot import snapshot_of

if TYPE_CHECKING:
    from tests.simulation.worker import Worker
    from tests.simulation.world import World

FOR_EVER = 1e9


class Returning:
    """Connects to some process, and to another one when that is gone, or when it has been cut off."""

    def __init__(self, world: "World") -> None:
        self.world = world
        self.after = -1
        self.ended = False
        self._task: asyncio.Task[Any] | None = None

    def connect(self) -> None:
        """Begin, or go on."""
        if self.ended:
            return
        worker = self.world.people.some_worker()
        if worker is None:
            return self.world.at(1.0, self.connect)
        self._task = self.world.people.call(worker, self._read(worker), self._left, FOR_EVER)
        if not self.world.is_healed() and self.world.random.random() < 0.5:
            self.world.at(self.world.random.expovariate(1 / 3.0), self._cut)

    def _cut(self) -> None:
        if self._task is not None and not self._task.get_loop().is_closed():
            self._task.cancel()

    def _left(self, result: Any) -> None:
        if result is None and not self.ended:
            self.world.violated(f"{self} was left without an end")
        if isinstance(result, NotFound):
            self.world.violated(f"{self} is told: {result.message}")
        self.world.at(self.world.random.uniform(0.01, 1.0), self.connect)

    async def _read(self, worker: "Worker") -> None:
        raise NotImplementedError


class Reader(Returning):
    """Of one stream. What it is shown must be what is stored at that moment, one after the other."""

    def __init__(self, world: "World", stream: UUID) -> None:
        super().__init__(world)
        self.stream = stream
        self._snapshot = world.random.random() < 0.2
        self._takes = world.random.choice((0.0, 0.9, 1.0))
        self._slow = world.random.choice((0.0, 0.0, 0.1))
        self.is_slow = self._slow > 0
        self.at: Worker | None = None
        self.came = 0.0

    def __str__(self) -> str:
        return f"a reader of stream {self.stream.hex} at {self.after}"

    async def _read(self, worker: "Worker") -> None:
        self.at, self.came = worker, self.world.now
        try:
            await self._follow(worker)
        finally:
            self.at = None

    async def _follow(self, worker: "Worker") -> None:
        if self._snapshot:
            await self._begin(worker)
        async with aclosing(worker.log.follow(self.stream, self.after, self._deliver)) as pages:
            async for page in pages:
                self._take(page.events)
                if page.ended:
                    self._end()
                if self._slow and self.world.random.random() < self._slow:
                    await asyncio.sleep(self.world.random.uniform(0.0, 2.0))

    async def _begin(self, worker: "Worker") -> None:
        """By a snapshot, which counts as all events up to its own."""
        stream = await Stream.objects.aget(pk=self.stream)
        found = await snapshot_of(worker.turns, worker.log, stream)
        self._snapshot = False
        if found is None:
            return
        self.world.ledger.look()
        stored = self.world.ledger.streams[self.stream.hex].events
        if found.seq >= len(stored):
            self.world.violated(f"{self} is given a snapshot of {found.seq}, and {len(stored) - 1} is stored")
        if events.text_of(events.decode(found.data)) != events.answer_text(stored[: found.seq + 1]):
            self.world.violated(f"{self} is given a snapshot of {found.seq} that is not what its events add up to")
        self.after = found.seq

    def _deliver(self, found: list[Event]) -> bool:
        if self.world.random.random() >= self._takes:
            return False
        self._take(found)
        return True

    def _take(self, found: list[Event]) -> None:
        if not found:
            return
        self.world.ledger.look()
        stored = self.world.ledger.streams[self.stream.hex].events
        for event in found:
            if event.seq != self.after + 1:
                self.world.violated(f"{self} is shown {event.seq}")
            if event.seq >= len(stored):
                self.world.violated(f"{self} is shown {event.seq}, which is not stored")
            if event != stored[event.seq]:
                self.world.violated(f"{self} is shown {event}, and {stored[event.seq]} is stored")
            self.after = event.seq
        self.came = self.world.now

    def _end(self) -> None:
        self.world.ledger.look()
        known = self.world.ledger.streams[self.stream.hex]
        if known.status == events.RUNNING or self.after != known.events[-1].seq:
            self.world.violated(f"{self} is told that it has ended; it is {known.status} at {len(known.events) - 1}")
        self.ended = True


class FeedReader(Returning):
    """Of everything that happens in the user's conversations: each line once, in order."""

    def __init__(self, world: "World") -> None:
        super().__init__(world)
        self._beginning = -1

    def __str__(self) -> str:
        return f"a reader of the feed at {self.after}"

    async def _read(self, worker: "Worker") -> None:
        key = FeedKey(self.world.people.user.pk)
        async with aclosing(worker.log.feeds.follow(key, self.after)) as pages:
            async for page in pages:
                for event in page.events:
                    self._take(event)

    def _take(self, event: Event) -> None:
        if events.decode(event.data)["type"] == GENERATING_NOW:
            if self.after > 0:
                self.world.violated(f"{self} has lost its place")
            self._beginning = self.after = event.seq
            return
        between = "SELECT COUNT(*) FROM chat_change WHERE id > ? AND id <= ?"
        if event.seq <= self.after or self.world.ledger.query(between, self.after, event.seq) != [(1,)]:
            self.world.violated(f"{self} is shown {event.seq}")
        self.after = event.seq

    def has_all(self) -> bool:
        """Whether it has the newest line."""
        [(newest,)] = self.world.ledger.query("SELECT COALESCE(MAX(id), 0) FROM chat_change")
        return bool(self.after == newest)
