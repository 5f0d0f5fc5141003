"""Finds running turns that are to be stopped although there is no stop request.

The answers of an account go on when their reader disconnects, because it will resume. They are stopped when the
credential that started them ends: a sign-out, a deleted API key, a changed password. The answer of a guest is also
stopped when it has had no reader for `WONDERCAM_LIMIT_GUEST_UNREAD_SECONDS`, in any process: so guests who have left
do not use up the site's places.
"""

import logging
from collections.abc import Collection, Iterable, Iterator
from datetime import timedelta
from functools import partial
from itertools import islice
from uuid import UUID

from django.conf import settings
from django.utils import timezone

from chat import limits
from chat.accounts import tokens
from chat.accounts.claims import Claims
from chat.log import Log
from chat.log.sql import in_thread
from chat.models import Stream, User
from chat.protocol import events

log = logging.getLogger(__name__)

AT_A_TIME = 100
"""Sign-ins that one call in a thread checks: a long call would hold the interpreter, and with it the event loop."""


class Unwanted:
    """The turns of one process, checked every few seconds."""

    def __init__(self, event_log: Log) -> None:
        self._log = event_log
        self._claims: dict[UUID, Claims] = {}
        self._guests: set[UUID] = set()

    def watch(self, stream_id: UUID, asker: User) -> None:
        """Begin to watch a turn that this user started."""
        if asker.claims is not None:
            self._claims[stream_id] = asker.claims
        if asker.is_guest:
            self._guests.add(stream_id)

    def forget(self, stream_id: UUID) -> None:
        """Stop watching a turn that has ended."""
        self._claims.pop(stream_id, None)
        self._guests.discard(stream_id)

    async def look(self) -> list[UUID]:
        """The turns to be stopped now. Also stores, for other processes, which of their streams have readers here."""
        if read_here := self._log.read_elsewhere():
            await self._log.write(partial(note_readers, read_here))
        ended = await self._of_ended_sign_ins()
        unread = await self._unread()
        for reason, streams in (("whoever asked has signed out", ended), ("nobody reads a guest's answer", unread)):
            for stream_id in streams:
                log.info("stream %s is stopped: %s", stream_id, reason)
        return [*ended, *unread]

    async def _of_ended_sign_ins(self) -> list[UUID]:
        watched, ended = dict(self._claims), set[Claims]()
        for some in batched(watched.values(), AT_A_TIME):
            ended |= await in_thread(partial(tokens.ended, set(some)))
        return [stream_id for stream_id, claims in watched.items() if claims in ended]

    async def _unread(self) -> list[UUID]:
        if settings.LIMITS_OFF:
            return []
        seconds = limits.of("GUEST_UNREAD_SECONDS")
        unread = [stream_id for stream_id in self._guests if self._log.unread_seconds(stream_id) > seconds]
        if not unread:
            return []
        elsewhere = await in_thread(partial(read_lately, unread, seconds))
        return [stream_id for stream_id in unread if stream_id not in elsewhere]


def batched(items: Iterable[Claims], size: int) -> Iterator[list[Claims]]:
    """In lists of `size` at most (itertools has it from Python 3.12)."""
    rest = iter(items)
    while some := list(islice(rest, size)):
        yield some


def note_readers(streams: Collection[UUID]) -> None:
    """Store that these streams, which other processes write, have readers in this process."""
    running = Stream.objects.filter(pk__in=streams, status=events.RUNNING)
    running.update(read_elsewhere_at=timezone.now())


def read_lately(streams: Collection[UUID], seconds: int) -> set[UUID]:
    """The streams that have had readers in other processes within `seconds`."""
    since = timezone.now() - timedelta(seconds=seconds)
    return set(Stream.objects.filter(pk__in=streams, read_elsewhere_at__gt=since).values_list("pk", flat=True))
