"""What must happen soon where nothing prevents it: looked at from time to time, with bounds of the world's own time.

A process counts as undisturbed since the last fault that touched it, its database or its machine. The bounds are those
of `docs/guarantees.md` with much room for
a thread's delays, of which one look at many streams has many: what is found is what never comes, or by luck only.
"""

from typing import TYPE_CHECKING
from uuid import UUID

from chat.log.takeover import NOBODY
from chat.protocol import events

if TYPE_CHECKING:
    from tests.simulation.readers import Reader
    from tests.simulation.world import World

EVERY = 64
"""Ticks between two looks."""

NEIGHBOUR_SECONDS = 20.0
"""Until a dead process's answer goes on or is ended, where another of its machine lives (G5: 2 s); and until one that
was handed over is, wherever another lives (G9)."""

LEASE_SECONDS = 40.0
"""The same where only other machines' processes live: `leases.LOOKS` beats, and one, of `worker.LEASE_SECONDS`."""

STOP_SECONDS = 15.0
"""From a stop at another process to the end (G4: 1 s)."""

READER_SECONDS = 15.0
"""From an event's commit until a reader elsewhere has it (`eventlog.POLL_NOTIFIED`)."""

QUEUE_SECONDS = 20.0
"""From a complete answer to the start of what waits for it (`runner.QUEUE_POLL`)."""


class Promptness:
    """Looks, and tells the world of what is late."""

    def __init__(self, world: "World") -> None:
        self._world = world
        self.stops: dict[UUID, float] = {}
        self._due: dict[str, float] = {}
        self._handed_over: dict[str, float] = {}

    def look(self) -> None:
        """All of it."""
        running = self._world.ledger.query("SELECT id, worker FROM chat_stream WHERE status = 'running'")
        self._look_at_handed_over([id for id, name in running if name == NOBODY])
        for id, name in running:
            if name == NOBODY:
                continue
            host, pid, _ = name.rsplit(":", 2)
            self._look_at_dead(id, host.partition("/")[0], int(pid))
            self._look_at_stop(id, int(pid))
        for reader in self._world.people.readers:
            self._look_at_reader(reader)
        self._look_at_queues()

    def _look_at_handed_over(self, ids: list[str]) -> None:
        self._handed_over = {id: self._handed_over.get(id, self._world.now) for id in ids}
        for id, left in self._handed_over.items():
            for worker in self._world.workers:
                since = min(self._world.now - left, self._world.undisturbed(worker))
                if since > NEIGHBOUR_SECONDS:
                    self._world.violated(f"stream {id} was handed over, and {worker.name} takes none for {since:.1f} s")

    def _look_at_dead(self, id: str, host: str, pid: int) -> None:
        died = self._world.deaths.get(pid)
        if died is None:
            return
        for worker in self._world.workers:
            since = min(self._world.now - died, self._world.undisturbed(worker))
            if since > (NEIGHBOUR_SECONDS if worker.host == host else LEASE_SECONDS):
                self._world.violated(
                    f"stream {id} is a dead process's, and {worker.name} has not seen it for {since:.1f} s"
                )

    def _look_at_stop(self, id: str, pid: int) -> None:
        asked = self.stops.get(UUID(id))
        for worker in self._world.workers:
            if worker.pid == pid and asked is not None:
                since = min(self._world.now - asked, self._world.undisturbed(worker))
                if since > STOP_SECONDS:
                    self._world.violated(f"stream {id} runs on in {worker.name} {since:.1f} s after its stop")

    def _look_at_reader(self, reader: "Reader") -> None:
        worker = reader.at
        known = self._world.ledger.streams.get(reader.stream.hex)
        if reader.ended or worker is None or known is None or not worker.alive or reader.is_slow:
            return
        unseen = known.times[reader.after + 1 :]
        if unseen:
            since = min(self._world.now - max(unseen[0], reader.came), self._world.undisturbed(worker))
            if since > READER_SECONDS:
                self._world.violated(f"{reader} has not been shown the next event for {since:.1f} s in {worker.name}")

    def _look_at_queues(self) -> None:
        due = {row[0] for row in self._world.ledger.query(TO_BE_SENT)}
        self._due = {id: self._due.get(id, self._world.now) for id in sorted(due)}
        for id, since in self._due.items():
            waited = [min(self._world.now - since, self._world.undisturbed(worker)) for worker in self._world.workers]
            if max(waited, default=0.0) > QUEUE_SECONDS:
                self._world.violated(f"queued message {id} is to be sent, and is not for {max(waited):.1f} s")


TO_BE_SENT = f"""
SELECT q.id FROM chat_queuedmessage q LEFT JOIN chat_stream s ON s.id = q.waits_for
WHERE q.refusal = '' AND (q.now OR s.status = '{events.COMPLETE}') AND NOT EXISTS (
    SELECT 1 FROM chat_queuedmessage b WHERE b.conversation_id = q.conversation_id AND b.position < q.position
) AND NOT EXISTS (
    SELECT 1 FROM chat_stream r WHERE r.conversation_id = q.conversation_id AND r.status = '{events.RUNNING}'
)
"""
