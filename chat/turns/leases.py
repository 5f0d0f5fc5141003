"""Leases: every running stream has a lease that its worker renews, so that the turns of a dead worker are found.

A worker renews all its leases with one UPDATE every few seconds (`WONDERCAM_LEASE_SECONDS`), and checks those of other
workers as often: a lease that is unchanged at `LOOKS` further checks has lapsed, and its worker counts as dead. Clocks
are not compared, so one that jumps has no effect; and a check counts only if the database could be written, so an
outage or a lock makes no lease lapse. Dead workers of the same machine are found within a second, by their process ids,
and so are streams that a stopping worker has handed over (`drain.py`).

If that is allowed, the turn is taken over and continues (`continuation.py`). Otherwise its stream ends as interrupted,
but only after its worker, if it is alive and merely cut off from the database, would have given up storing it
(`WONDERCAM_COMMIT_SECONDS`), because an end is final. A worker wrongly taken for dead cannot write any more: both a
takeover and an end are the end of its epoch (`chat/log/fence.py`).
"""

import asyncio
import logging
import os
import secrets
import socket
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache, partial
from math import ceil
from pathlib import Path
from typing import Protocol, TypeVar
from uuid import UUID

from django.utils import timezone

from chat.log import Log
from chat.log.interruption import interrupt
from chat.log.sql import DIALECT, DJANGO, Database, in_thread, key_of, moment
from chat.log.takeover import NOBODY
from chat.models import Stream, User
from chat.protocol import events
from chat.protocol.errors import Interrupted

log = logging.getLogger(__name__)

LOOKS = 3
"""Further checks without a renewal after which a lease lapses: with one every 2 s a dead worker's turn is taken over 4
to 8 s after its death."""

BOOT = Path("/proc/sys/kernel/random/boot_id")

AT_ONCE = 16
"""Streams that are taken over or ended concurrently."""

NEIGHBOURS_POLL = 1.0
"""Seconds between checks for dead workers of this machine."""

GONE = "The server that wrote this answer went away in the middle of it. Try again."

HELD = f"worker = %s AND status = '{events.RUNNING}' AND id IN ({{marks}})"

# On PostgreSQL a row that another transaction has locked is left out until the next renewal: its end is being stored,
# or it is taken over. Waiting for it, with other rows locked, could be a deadlock with that transaction.
RENEW = {
    "sqlite": f"UPDATE {Stream._meta.db_table} SET lease_until = %s WHERE {HELD}",
    "postgresql": f"UPDATE {Stream._meta.db_table} SET lease_until = %s WHERE id IN (SELECT id FROM "
    f"{Stream._meta.db_table} WHERE {HELD} FOR NO KEY UPDATE SKIP LOCKED)",
}

# Runs twice a second. It selects by worker: passing the ids of a hundred streams took most of its time.
MINE = f"""
SELECT stream.id, stream.stop_requested_at IS NOT NULL OR NOT reader.is_active
FROM {Stream._meta.db_table} stream JOIN {User._meta.db_table} reader ON reader.id = stream.user_id
WHERE stream.status = '{events.RUNNING}' AND stream.worker = %s
"""

OTHERS = f"SELECT DISTINCT worker FROM {Stream._meta.db_table} WHERE status = '{events.RUNNING}' AND worker <> %s"

Lease = tuple[UUID, datetime | None]
"""A stream, and when its lease was renewed."""

T = TypeVar("T")
R = TypeVar("R")

TakeOver = Callable[[UUID, datetime | None], Awaitable[bool]]
"""Takes over the turn of a stream with this lease, or leaves it to other processes; False if its stream is to end."""


def machine() -> str:
    """What identifies the process ids of this machine: host name, and on Linux the PID namespace and the boot id.

    Containers may share a host name and not the PID namespace. Two machines may have the same name, and then the same
    number of the namespace too; only the boot id tells them apart.
    """
    try:
        namespace = os.stat("/proc/self/ns/pid").st_ino
        return f"{socket.gethostname()}/{namespace}/{boot()}"
    except OSError:
        return socket.gethostname()


@cache
def boot() -> str:
    """The beginning of Linux's boot id."""
    return BOOT.read_text()[:8]


class WorkerName:
    """The name of this process: machine, process id, and a token, since process ids are reused. A fork gets its own."""

    def __init__(self) -> None:
        self._pid = 0
        self._name = ""

    @property
    def name(self) -> str:
        """`machine:pid:token`."""
        if self._pid != os.getpid():
            self._pid = os.getpid()
            self._name = f"{machine()}:{self._pid}:{secrets.token_hex(4)}"
        return self._name

    def knows_dead(self, name: str) -> bool:
        """Whether that worker ran on this machine and has died. False if another process has its pid by now: then the
        lease tells."""
        if not name.startswith(f"{machine()}:"):
            return False
        pid = name.split(":")[-2]
        if int(pid) == os.getpid():
            return name != self.name
        try:
            os.kill(int(pid), 0)
        except ProcessLookupError:
            return True
        except PermissionError:
            return False
        return False


def grace_of(commit_seconds: float, lease_seconds: float) -> int:
    """The number of checks after which a worker that cannot store its events has given them up."""
    return ceil(commit_seconds / lease_seconds)


class Holder(Protocol):
    """What `Reaper` needs of `Turns`. `renewed_at` is the time that its leases were last renewed to."""

    renewed_at: datetime | None

    def running(self) -> Collection[UUID]: ...
    def is_draining(self) -> bool: ...
    def tell_gone(self, streams: Sequence[UUID]) -> None: ...


@dataclass(slots=True)
class SeenLease:
    """A lease, how many checks it has been unchanged for, and whether a takeover of its turn was refused."""

    lease: datetime | None
    looks: int = 1
    is_left: bool = False


class Reaper:
    """Finds streams whose worker has died, and has them taken over or, `grace` checks later, ends them."""

    def __init__(self, event_log: Log, worker: WorkerName, take_over: TakeOver | None = None, grace: int = 0) -> None:
        self._log = event_log
        self._worker = worker
        self._take_over = take_over
        self._grace = grace
        self._seen: dict[UUID, SeenLease] = {}

    async def look_at_leases(self, seconds: float, holder: Holder) -> None:
        """Call `beat` every `seconds`, until cancelled. A process that drains leaves takeovers to others."""
        while True:
            await asyncio.sleep(seconds)
            try:
                if not holder.is_draining():
                    holder.tell_gone(await self.beat(holder.running(), holder.renewed_at))
            except Exception as error:  # the database may be away: the next check tries again
                log.warning("leases could not be checked: %s", type(error).__name__)

    async def look_for_dead_neighbours(self, holder: Holder) -> None:
        """Find the turns of dead workers of this machine, and those handed over, before their leases lapse."""
        while True:
            await asyncio.sleep(NEIGHBOURS_POLL)
            try:
                if not holder.is_draining():
                    holder.tell_gone(await self.end_dead_neighbours())
            except Exception as error:  # the database may be away: the next check tries again
                log.warning("streams of dead workers could not be looked up: %s", type(error).__name__)

    async def beat(self, mine: Collection[UUID], renewed_at: datetime | None = None) -> list[UUID]:
        """Check all leases but `mine` once; returns the streams that it ended. Leases that this worker renewed to
        `renewed_at` need not be read.

        The check is not part of a job, which may run several times, but it is made only after a job was committed: a
        lock that keeps everybody from renewing must not make leases lapse. A stream of this worker whose end it could
        not store is found like those of others.
        """
        if self._log.write_now(change_nothing) is None:
            await self._log.write(change_nothing)
        leases = await in_thread(partial(running_leases, self._worker.name, renewed_at))
        self._seen = {pk: self._look(pk, lease) for pk, lease in leases if pk not in mine}
        lapsed = [(pk, seen) for pk, seen in self._seen.items() if seen.looks > LOOKS]
        over = [(pk, seen.lease) for pk, seen in lapsed if seen.looks > LOOKS + self._grace]
        await each(self._offer, [(pk, seen) for pk, seen in lapsed if seen.looks <= LOOKS + self._grace])
        return await self.interrupt(over)

    async def _offer(self, found: tuple[UUID, SeenLease]) -> None:
        """Have a turn taken over, unless that was refused before."""
        pk, seen = found
        if not seen.is_left:
            seen.is_left = self._take_over is None or not await self._take_over(pk, seen.lease)

    def _look(self, pk: UUID, lease: datetime | None) -> SeenLease:
        seen = self._seen.get(pk)
        if seen is None or seen.lease != lease:
            return SeenLease(lease)
        seen.looks += 1
        return seen

    async def end_dead_neighbours(self) -> list[UUID]:
        """Take over, or end, the streams of dead workers of this machine, and those handed over; returns those that it
        ended."""
        found = await self._log.fetch_briefly(OTHERS, (self._worker.name,))
        gone = [name for (name,) in found if name == NOBODY or self._worker.knows_dead(name)]
        return await self.interrupt(await in_thread(partial(leases_of, gone))) if gone else []

    async def interrupt(self, leases: Sequence[Lease]) -> list[UUID]:
        """Take over these streams, or end them if their leases are unchanged; returns those that it ended."""
        return [pk for pk in await each(self._take_over_or_end, leases) if pk is not None]

    async def _take_over_or_end(self, found: Lease) -> UUID | None:
        pk, lease = found
        if self._take_over is not None and await self._take_over(pk, lease):
            return None
        seq = await self._log.write(partial(interrupt, pk, Interrupted(GONE), lease_until=lease))
        if seq is None:
            return None
        self._log.announce(pk, seq)
        return pk


async def each(function: Callable[[T], Awaitable[R]], found: Sequence[T]) -> list[R]:
    """The results of `function`, `AT_ONCE` calls at a time because each waits for the database. Raises the first error,
    after all calls."""
    slots = asyncio.Semaphore(AT_ONCE)

    async def call(one: T) -> R:
        async with slots:
            return await function(one)

    results: list[R] = []
    for result in await asyncio.gather(*map(call, found), return_exceptions=True):
        if isinstance(result, BaseException):
            raise result
        results.append(result)
    return results


def change_nothing(database: Database = DJANGO) -> bool:
    """A job whose commit shows that the database can be written."""
    return True


def running_leases(worker: str = "", renewed_at: datetime | None = None) -> list[Lease]:
    """All running streams with their leases, except those that this worker renewed to `renewed_at`."""
    found = Stream.objects.filter(status=events.RUNNING)
    if renewed_at is not None:
        found = found.exclude(worker=worker, lease_until=renewed_at)
    return list(found.values_list("pk", "lease_until"))


def leases_of(workers: Collection[str]) -> list[Lease]:
    """The running streams of these workers."""
    return list(Stream.objects.filter(worker__in=workers, status=events.RUNNING).values_list("pk", "lease_until"))


def renew(streams: Collection[UUID], worker: str, database: Database = DJANGO, *, at: datetime | None = None) -> int:
    """Renew the leases of these streams to `at`, by default now, as far as this worker still holds them and nobody has
    locked their rows; returns how many."""
    marks = ",".join(["%s"] * len(streams))
    until = moment(timezone.now() if at is None else at)
    return database.execute(RENEW[DIALECT.vendor].format(marks=marks), [until, worker, *map(key_of, streams)])


def wanted_stops(streams: Collection[UUID], worker: str) -> list[UUID]:
    """Which of this worker's streams are to be stopped: there is a stop request, the account was disabled, or another
    worker has taken over or ended the stream."""
    running = dict(DJANGO.query(MINE, [worker])) if streams else {}
    return [pk for pk in streams if running.get(key_of(pk), True)]
