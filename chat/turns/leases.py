"""Who runs what: every running stream has a lease that its worker renews, so that a dead worker's turns are found.

A worker renews all its leases in one UPDATE every few seconds (`WONDERCAM_LEASE_SECONDS`). As often it looks at
everybody else's: a lease that is still the same at `LOOKS` further looks is a dead worker's. No clock is read for it,
so none may jump to any effect, and where nobody could write, since the database was away or locked, nobody is thought
dead. The streams of workers of its own machine that no longer live are found at once, and so are those that a worker
which was told to stop has handed over (`drain.py`).

Where that is allowed, the turn is taken up and goes on (`continuation.py`). Else its stream ends as interrupted, once
its worker would have given up storing it (`WONDERCAM_COMMIT_SECONDS`): who goes on elsewhere loses nothing, an end is
final. A worker that is wrongly thought dead cannot write on: either ends its epoch (`chat/log/fence.py`).
"""

import asyncio
import logging
import os
import secrets
import socket
from collections.abc import Awaitable, Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache, partial
from math import ceil
from pathlib import Path
from typing import Protocol, TypeVar
from uuid import UUID

from django.db.models import Q
from django.utils import timezone

from chat.log import Log
from chat.log.interruption import interrupt
from chat.log.sql import DJANGO, Database, in_thread, key_of, moment
from chat.log.takeover import NOBODY
from chat.models import Stream, User
from chat.protocol import events
from chat.protocol.errors import Interrupted

log = logging.getLogger(__name__)

LOOKS = 3
"""Further looks without a renewal that make a lease lapse: with one every 2 s a dead worker's turn is taken up 4 to 8 s
after its death."""

BOOT = Path("/proc/sys/kernel/random/boot_id")

AT_ONCE = 16
"""Streams of dead workers that are seen to at the same time."""

NEIGHBOURS_POLL = 1.0
"""Seconds between looks for workers of this machine that have died."""

GONE = "The server that wrote this answer went away in the middle of it. Try again."

RENEW = (
    f"UPDATE {Stream._meta.db_table} SET lease_until = %s WHERE worker = %s AND status = '{events.RUNNING}' AND id IN "
)

# Asked twice a second: by worker, since to write and read the ids of a hundred streams took most of the time.
MINE = f"""
SELECT stream.id, stream.stop_requested_at IS NOT NULL OR NOT reader.is_active
FROM {Stream._meta.db_table} stream JOIN {User._meta.db_table} reader ON reader.id = stream.user_id
WHERE stream.status = '{events.RUNNING}' AND stream.worker = %s
"""

Lease = tuple[UUID, datetime | None]
"""A stream and the moment its lease was renewed."""

T = TypeVar("T")
R = TypeVar("R")

TakeUp = Callable[[UUID, datetime | None], Awaitable[bool]]
"""Goes on with the turn of a stream whose lease was seen so, or leaves it to others; False where that is not to be."""


def machine() -> str:
    """Whose process ids ours are: the host's name, on Linux with its namespace of process ids and its boot.

    Containers may share the first and not the second, and what lives in one of them is no process of the other. Two
    machines may have the same name, and then the same namespace too: only their kernels were booted apart.
    """
    try:
        namespace = os.stat("/proc/self/ns/pid").st_ino
        return f"{socket.gethostname()}/{namespace}/{boot()}"
    except OSError:
        return socket.gethostname()


@cache
def boot() -> str:
    """The beginning of what Linux calls this boot of its kernel."""
    return BOOT.read_text()[:8]


class WorkerName:
    """This process's name: machine, process id, and a token, since process ids come again. A fork is another worker."""

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
        """Whether that worker ran on this machine and is gone. Its pid may be another's by now: its lease will tell."""
        host, pid, _ = name.rsplit(":", 2)
        if host != machine():
            return False
        if int(pid) == os.getpid():
            return name != self.name
        try:
            os.kill(int(pid), 0)
        except ProcessLookupError:
            return True
        except PermissionError:
            return False
        return False


def patience_of(commit_seconds: float, lease_seconds: float) -> int:
    """Looks in which a worker that cannot store its events gives them up."""
    return ceil(commit_seconds / lease_seconds)


class Holder(Protocol):
    """Whose leases a process renews, and to which moment it did so last: its turns."""

    renewed_at: datetime | None

    def running(self) -> Collection[UUID]: ...
    def is_draining(self) -> bool: ...
    def tell_gone(self, streams: Sequence[UUID]) -> None: ...


@dataclass(slots=True)
class SeenLease:
    """A lease, at how many looks it was the same, and whether its turn is not to be taken up."""

    lease: datetime | None
    looks: int = 1
    is_left: bool = False


class Reaper:
    """Finds the streams whose worker is gone, and has them taken up or, `patience` looks later, ends them."""

    def __init__(self, event_log: Log, worker: WorkerName, take_up: TakeUp | None = None, patience: int = 0) -> None:
        self._log = event_log
        self._worker = worker
        self._take_up = take_up
        self._patience = patience
        self._seen: dict[UUID, SeenLease] = {}

    async def look_at_leases(self, seconds: float, holder: Holder) -> None:
        """A beat every so many seconds, until cancelled. What could be taken up while `holder` drains is left to those
        who go on."""
        while True:
            await asyncio.sleep(seconds)
            try:
                if not holder.is_draining():
                    holder.tell_gone(await self.beat(holder.running(), holder.renewed_at))
            except Exception as error:  # the database may be away: the next look tries again
                log.warning("leases could not be looked at: %s", type(error).__name__)

    async def look_for_dead_neighbours(self, holder: Holder) -> None:
        """Find the turns of this machine's workers that have died, and those that were handed over, without waiting
        for their leases to lapse."""
        while True:
            await asyncio.sleep(NEIGHBOURS_POLL)
            try:
                if not holder.is_draining():
                    holder.tell_gone(await self.end_dead_neighbours())
            except Exception as error:  # the database may be away: the next look tries again
                log.warning("dead workers' streams could not be looked for: %s", type(error).__name__)

    async def beat(self, mine: Collection[UUID], renewed_at: datetime | None = None) -> list[UUID]:
        """One look at all leases but `mine`; the streams that it ended. Those that this worker renewed to `renewed_at`
        need not be read.

        The look is no part of a job, which may run several times; but it counts only where one could be committed, so
        that a lock, which keeps everybody from renewing, is nobody's death. A stream of this worker's that it could not
        write to its end is found like any other's.
        """
        if self._log.write_now(change_nothing) is None:
            await self._log.write(change_nothing)
        leases = await in_thread(partial(running_leases, self._worker.name, renewed_at))
        self._seen = {pk: self._look(pk, lease) for pk, lease in leases if pk not in mine}
        lapsed = [(pk, seen) for pk, seen in self._seen.items() if seen.looks > LOOKS]
        over = [(pk, seen.lease) for pk, seen in lapsed if seen.looks > LOOKS + self._patience]
        await each(self._offer, [(pk, seen) for pk, seen in lapsed if seen.looks <= LOOKS + self._patience])
        return await self.interrupt(over)

    async def _offer(self, found: tuple[UUID, SeenLease]) -> None:
        """Have a turn taken up, unless that was refused."""
        pk, seen = found
        if not seen.is_left:
            seen.is_left = self._take_up is None or not await self._take_up(pk, seen.lease)

    def _look(self, pk: UUID, lease: datetime | None) -> SeenLease:
        seen = self._seen.get(pk)
        if seen is None or seen.lease != lease:
            return SeenLease(lease)
        seen.looks += 1
        return seen

    async def end_dead_neighbours(self) -> list[UUID]:
        """Take up, or end, the streams of this machine's workers that no longer live, and those that were handed over;
        those that it ended."""
        return await self.interrupt(await in_thread(lambda: list(leases_of_nobody(self._worker))))

    async def interrupt(self, leases: Sequence[Lease]) -> list[UUID]:
        """End these streams where they are not taken up, and their leases are still as they were seen; those that it
        ended."""
        return [pk for pk in await each(self._take_up_or_end, leases) if pk is not None]

    async def _take_up_or_end(self, found: Lease) -> UUID | None:
        pk, lease = found
        if self._take_up is not None and await self._take_up(pk, lease):
            return None
        seq = await self._log.write(partial(interrupt, pk, Interrupted(GONE), lease_until=lease))
        if seq is None:
            return None
        self._log.announce(pk, seq)
        return pk


async def each(function: Callable[[T], Awaitable[R]], found: Sequence[T]) -> list[R]:
    """`function`'s results, `AT_ONCE` at a time, since each waits for the database; raises what one of them did."""
    results: list[R] = []
    for start in range(0, len(found), AT_ONCE):
        some = await asyncio.gather(*map(function, found[start : start + AT_ONCE]), return_exceptions=True)
        for result in some:
            if isinstance(result, BaseException):
                raise result
            results.append(result)
    return results


def change_nothing(database: Database = DJANGO) -> bool:
    """A job that shows by its commit that others could be committed."""
    return True


def running_leases(worker: str = "", renewed_at: datetime | None = None) -> list[Lease]:
    """All running streams with their leases, without those that this worker renewed to that moment."""
    found = Stream.objects.filter(status=events.RUNNING)
    if renewed_at is not None:
        found = found.exclude(worker=worker, lease_until=renewed_at)
    return list(found.values_list("pk", "lease_until"))


def leases_of_nobody(worker: WorkerName) -> Iterator[Lease]:
    """The running streams of this machine's workers that are gone, and those that were handed over."""
    found = Stream.objects.filter(Q(worker__startswith=f"{machine()}:") | Q(worker=NOBODY), status=events.RUNNING)
    for pk, lease, name in found.values_list("pk", "lease_until", "worker"):
        if name == NOBODY or worker.knows_dead(name):
            yield pk, lease


def renew(streams: Collection[UUID], worker: str, database: Database = DJANGO, *, at: datetime | None = None) -> int:
    """Renew the leases of these streams to the moment `at`, or now; how many this worker still holds."""
    marks = ",".join(["%s"] * len(streams))
    until = moment(timezone.now() if at is None else at)
    return database.execute(f"{RENEW} ({marks})", [until, worker, *map(key_of, streams)])


def wanted_stops(streams: Collection[UUID], worker: str) -> list[UUID]:
    """Which of our turns are to be stopped: a reader asks for it, or may ask for nothing any more, or somebody else has
    ended the stream, since this worker was thought dead."""
    running = dict(DJANGO.query(MINE, [worker])) if streams else {}
    return [pk for pk in streams if running.get(key_of(pk), True)]
