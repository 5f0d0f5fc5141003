"""Who runs what: every running stream has a lease that its worker renews, so that a dead worker's turns are found.

A worker renews all its leases in one UPDATE every `HEARTBEAT` seconds. At the same beat it looks at everybody
else's: a lease that is still the same after `LOOKS` looks is a dead worker's. No clock is read for it, so none may
jump to any effect, and where nobody could look, since the database was away, nobody is thought dead. A worker that
starts also ends, at once, the streams of workers of its own machine that no longer live.
"""

import os
import secrets
import socket
from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from django.utils import timezone

from chat.log import eventlog
from chat.log.sql import DJANGO, key_of
from chat.models import Stream, User
from chat.protocol import events
from chat.protocol.errors import Interrupted

HEARTBEAT = 5.0
"""Seconds between renewals."""

LOOKS = 4
"""Beats without a renewal that make a lease lapse: a dead worker's turn ends within 30 s."""

# Asked twice a second: by worker, since to write and read the ids of a hundred streams took most of the time.
MINE = f"""
SELECT stream.id, stream.stop_requested_at IS NOT NULL OR NOT reader.is_active
FROM {Stream._meta.db_table} stream JOIN {User._meta.db_table} reader ON reader.id = stream.user_id
WHERE stream.status = '{events.RUNNING}' AND stream.worker = %s
"""

_name = ""
_pid = 0


def worker() -> str:
    """This process's name: host, process id, and a token, since process ids come again."""
    global _name, _pid
    if _pid != os.getpid():  # a fork is another worker
        _pid = os.getpid()
        _name = f"{socket.gethostname()}:{_pid}:{secrets.token_hex(4)}"
    return _name


def now() -> datetime:
    """The time written into a lease: any value that differs from the last one would do."""
    return timezone.now()


def renew(stream_ids: Collection[UUID]) -> None:
    """Renew these streams' leases; a job of the log's writer."""
    Stream.objects.filter(pk__in=stream_ids, status=events.RUNNING).update(lease_until=now())


def wanted_stops(stream_ids: Collection[UUID]) -> list[UUID]:
    """Which of our turns are to be stopped: their reader wants it, or may ask for nothing any more, or somebody else
    has ended the stream, since we were thought dead."""
    running = dict(DJANGO.query(MINE, [worker()])) if stream_ids else {}
    return [pk for pk in stream_ids if running.get(key_of(pk), True)]


class Reaper:
    """Remembers how often it has seen each lease unchanged, and ends the streams whose worker is gone."""

    def __init__(self) -> None:
        self._seen: dict[UUID, tuple[datetime | None, int]] = {}

    def reap(self, mine: Collection[UUID]) -> list[tuple[UUID, int]]:
        """One look at all but `mine`; a job of the log's writer. (stream id, last seq) of the streams that it ended.

        A stream of this worker's that it could not write to its end is found like any other's.
        """
        running = Stream.objects.filter(status=events.RUNNING).exclude(pk__in=mine)
        leases = dict(running.values_list("pk", "lease_until"))
        self._seen = {pk: (lease, self._unchanged(pk, lease)) for pk, lease in leases.items()}
        return _interrupt([pk for pk, (_, looks) in self._seen.items() if looks > LOOKS])

    def _unchanged(self, pk: UUID, lease: datetime | None) -> int:
        before, looks = self._seen.get(pk, (lease, 0))
        return looks + 1 if before == lease else 1

    def reap_dead_neighbours(self) -> list[tuple[UUID, int]]:
        """The streams of this machine's workers that no longer live; a job of the log's writer, at the start."""
        host = f"{socket.gethostname()}:"
        running = Stream.objects.filter(status=events.RUNNING, worker__startswith=host)
        return _interrupt([pk for pk, name in running.values_list("pk", "worker") if not _lives(name)])


def _lives(name: str) -> bool:
    """Whether that worker of this machine is there. Its pid may be somebody else's by now: then its lease will tell."""
    _, pid, _ = name.rsplit(":", 2)
    if int(pid) == os.getpid():
        return name == worker()
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _interrupt(stream_ids: list[UUID]) -> list[tuple[UUID, int]]:
    error = Interrupted("The server that wrote this answer went away in the middle of it. Try again.")
    ended = [(pk, eventlog.interrupt(pk, error)) for pk in stream_ids]
    return [(pk, seq) for pk, seq in ended if seq is not None]
