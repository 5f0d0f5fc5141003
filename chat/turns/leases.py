"""Who runs what: every running stream has a lease that its worker renews, so that a dead worker's turns are found.

A worker renews all its leases in one UPDATE every few seconds (`WONDERCAM_LEASE_SECONDS`). At the same beat it looks
at everybody else's: a lease that is still the same after `LOOKS` beats is a dead worker's. No clock is read for it, so
none may jump to any effect, and where nobody could look, since the database was away, nobody is thought dead. A worker
that starts also ends, at once, the streams of workers of its own machine that no longer live.

Where that is allowed, the turn is taken up and goes on (`continuation.py`); else its stream ends as interrupted. A
worker that is wrongly thought dead cannot write on: either ends its epoch (`chat/log/fence.py`).
"""

import os
import secrets
import socket
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping
from datetime import datetime
from functools import partial
from uuid import UUID

from django.utils import timezone

from chat.log import Log
from chat.log.interruption import interrupt
from chat.log.sql import DJANGO, Database, in_thread, key_of, moment
from chat.models import Stream, User
from chat.protocol import events
from chat.protocol.errors import Interrupted

LOOKS = 4
"""Beats without a renewal that make a lease lapse: with one every 5 s a dead worker's turn ends within 30 s."""

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

TakeUp = Callable[[UUID, datetime | None], Awaitable[bool]]
"""Goes on with the turn of a stream whose lease was seen so; False where that is not to be."""


def machine() -> str:
    """Whose process ids ours are: the host's name, on Linux with its namespace of process ids.

    Containers may share the one and not the other, and what lives in one of them is no process of the other.
    """
    try:
        namespace = os.stat("/proc/self/ns/pid").st_ino
    except OSError:
        return socket.gethostname()
    return f"{socket.gethostname()}/{namespace}"


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


class Reaper:
    """Finds the streams whose worker is gone, and has them taken up or ends them; remembers at how many beats it has
    seen each lease unchanged."""

    def __init__(self, log: Log, worker: WorkerName, take_up: TakeUp | None = None) -> None:
        self._log = log
        self._worker = worker
        self._take_up = take_up
        self._seen: dict[UUID, tuple[datetime | None, int]] = {}

    async def beat(self, mine: Collection[UUID]) -> list[UUID]:
        """One look at all leases but `mine`; the streams that it ended.

        The look is no part of a job, which may run several times. A stream of this worker's that it could not write to
        its end is found like any other's.
        """
        leases = await in_thread(running_leases)
        return await self.interrupt(self._lapsed({pk: lease for pk, lease in leases if pk not in mine}))

    def _lapsed(self, leases: Mapping[UUID, datetime | None]) -> Iterator[Lease]:
        before, self._seen = self._seen, {}
        for pk, lease in leases.items():
            last, looks = before.get(pk, (lease, 0))
            looks = looks + 1 if last == lease else 1
            self._seen[pk] = (lease, looks)
            if looks > LOOKS:
                yield pk, lease

    async def end_dead_neighbours(self) -> list[UUID]:
        """End, or take up, the streams of this machine's workers that no longer live; those that it ended."""
        return await self.interrupt(await in_thread(lambda: list(leases_of_the_dead(self._worker))))

    async def interrupt(self, leases: Collection[Lease] | Iterator[Lease]) -> list[UUID]:
        """End these streams where they are not taken up, and their leases are still as they were seen; those that it
        ended."""
        ended = []
        for pk, lease in leases:
            if self._take_up is not None and await self._take_up(pk, lease):
                continue
            seq = await self._log.write(partial(interrupt, pk, Interrupted(GONE), lease_until=lease))
            if seq is not None:
                ended.append(pk)
                self._log.announce(pk, seq)
        return ended


def running_leases() -> list[Lease]:
    """All running streams with their leases."""
    return list(Stream.objects.filter(status=events.RUNNING).values_list("pk", "lease_until"))


def leases_of_the_dead(worker: WorkerName) -> Iterator[Lease]:
    """The running streams of this machine's workers that are gone."""
    running = Stream.objects.filter(status=events.RUNNING, worker__startswith=f"{machine()}:")
    for pk, lease, name in running.values_list("pk", "lease_until", "worker"):
        if worker.knows_dead(name):
            yield pk, lease


def renew(streams: Collection[UUID], worker: str, database: Database = DJANGO) -> int:
    """Renew the leases of these streams; how many this worker still holds. Any value that differs would do."""
    marks = ",".join(["%s"] * len(streams))
    return database.execute(f"{RENEW} ({marks})", [moment(timezone.now()), worker, *map(key_of, streams)])


def wanted_stops(streams: Collection[UUID], worker: str) -> list[UUID]:
    """Which of our turns are to be stopped: a reader asks for it, or may ask for nothing any more, or somebody else has
    ended the stream, since this worker was thought dead."""
    running = dict(DJANGO.query(MINE, [worker])) if streams else {}
    return [pk for pk in streams if running.get(key_of(pk), True)]
