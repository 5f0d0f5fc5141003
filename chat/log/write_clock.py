"""Records when the events of one reader were committed and written to its socket, and stores the times when it leaves.

`WriteClock` takes the place of the log for a reader that will send a receipt (`X-WonderCam-Receipt: 1`); other readers
pay nothing for it.
"""

from array import array
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from time import monotonic, time
from typing import Protocol
from uuid import UUID

from chat.log.commit_times import CommitTimes
from chat.log.follow import Followed
from chat.log.pages import Page
from chat.log.sql import Database, key_of
from chat.log.subscriber import Deliver
from chat.models import Stream
from chat.protocol.events import Event
from chat.protocol.write_times import MOST_EVENTS, merged, pack, pack_columns, unpack

FIND = """
SELECT kept.packed FROM chat_stream s LEFT JOIN chat_writetimes kept ON kept.stream_id = s.id WHERE s.id = %s
"""

KEEP = """
INSERT INTO chat_writetimes (stream_id, packed) VALUES (%s, %s)
ON CONFLICT (stream_id) DO UPDATE SET packed = excluded.packed
"""


class Keeper(Followed[UUID], Protocol):
    """What `WriteClock` needs of the log."""

    def commit_times_of(self, stream_id: UUID) -> CommitTimes | None:
        """The commit times of the stream's events, recorded from now on; None if another process writes the stream."""
        ...

    def write_soon(self, job: Callable[[Database], bool]) -> None:
        """Run a job in a transaction without waiting for it."""
        ...


class WriteClock:
    """The log as read by one reader: `follow` records which events were written to its socket, and when."""

    def __init__(self, log: Keeper, stream: Stream) -> None:
        self._log = log
        self._stream_id = stream.pk
        self._commits = log.commit_times_of(stream.pk)
        # For another process's stream only the wall clock is known: the monotonic clock may be another machine's.
        self._began = (
            monotonic() - time() + stream.created_at.timestamp() if self._commits is None else self._commits.began
        )
        self._seqs = array("i")
        self._times = array("d")

    async def follow(
        self, stream_id: UUID, after: int = -1, deliver: Deliver | None = None, live: bool = True
    ) -> AsyncGenerator[Page, None]:
        """The log's pages. A page counts as written when the next one is requested.

        The time recorded is the moment before it was handed over: after the system call, this process may not run again
        until the reader has read it.
        """

        def timed(batch: list[Event]) -> bool:
            now = monotonic()
            if deliver is None or not deliver(batch):
                return False
            self._note(batch, now)
            return True

        try:
            async with aclosing(self._log.follow(stream_id, after, deliver and timed, live)) as pages:
                async for page in pages:
                    now = monotonic()
                    yield page
                    self._note(page.events, now)
        finally:
            if self._seqs:
                self._log.write_soon(self._keep)

    def _note(self, written: Sequence[Event], now: float) -> None:
        if len(self._seqs) < MOST_EVENTS:
            for event in written:
                self._seqs.append(event.seq)
                self._times.append(now)

    def _keep(self, database: Database) -> bool:
        """Merge the recorded times with those of earlier responses to this reader; nothing if the stream is deleted."""
        key, began = key_of(self._stream_id), self._began
        stored = [None] * len(self._seqs) if self._commits is None else self._commits.of(self._seqs)
        written = [max((now - began) * 1e3, 0.0) for now in self._times]
        packed = pack_columns(self._seqs, stored, written)
        for (before,) in database.query(FIND, [key]):
            if before is not None:
                packed = pack(merged(unpack(bytes(before)), unpack(packed)))
            database.execute(KEEP, [key, packed])
        return True
