"""`Tail`: the writing end of one stream in this process, with its newest events and its subscribers.

    turn ── append ──> GroupCommit (a batch) ── commit ──> committed ──> publish ──> subscribers, notifier

After an append has failed, nothing more of the stream is stored, not even what is already queued: `error` tells why.
"""

import asyncio
from array import array
from collections.abc import Callable
from functools import partial
from time import monotonic
from uuid import UUID

from chat.log.batch import Append
from chat.log.commit_times import CommitTimes
from chat.log.fence import Ending
from chat.log.notifier import Notifier
from chat.log.sql import key_of
from chat.log.subscriber import Subscriber
from chat.protocol.events import Event
from chat.protocol.write_times import MOST_EVENTS

TAIL_BYTES = 256 * 1024
"""Characters of its newest events that a tail keeps in memory; older ones are read from the table."""

MAX_PENDING = 64 * 1024
"""Characters of one stream that may be uncommitted before its turn has to wait."""

_event = partial(tuple.__new__, Event)
"""Makes an `Event` from a tuple. Calling `Event` would be one more Python call for every token."""


class Tail:
    """A stream that this process writes under `epoch`, after its event `first`, which is stored.

    `submit` queues an append for the next commit; `on_end` is called on the event loop after the last event's commit.
    `began` is when the stream began, on the monotonic clock. `followed_elsewhere` says whether other processes are
    notified of commits; it starts as True for a stream taken over, because its readers elsewhere are not known.
    """

    __slots__ = (
        "_notifier",
        "_on_end",
        "_settled",
        "_submit",
        "began",
        "commit_times",
        "ended",
        "epoch",
        "error",
        "events",
        "followed_elsewhere",
        "gone",
        "key",
        "left_at",
        "loop",
        "next_seq",
        "opened",
        "pending",
        "size",
        "stream_id",
        "subscribers",
    )

    def __init__(
        self,
        stream_id: UUID,
        epoch: int,
        first: Event,
        submit: Callable[[Append], None],
        on_end: Callable[["Tail"], None],
        notifier: Notifier | None,
        began: float | None = None,
    ) -> None:
        self.stream_id = stream_id
        self.key = key_of(stream_id)
        self.epoch = epoch
        self.loop = asyncio.get_running_loop()
        self.began = monotonic() if began is None else began
        self.opened = monotonic() if first.seq == 0 else None
        self.commit_times: CommitTimes | None = None
        self.next_seq = first.seq + 1
        self.events = [first]  # a list: a deque takes 600 bytes for its first element
        self.size = len(first.data)
        self.pending = 0
        self.ended = False
        self.gone = False
        self.error: Exception | None = None
        self.subscribers: list[Subscriber] = []
        self.left_at = self.loop.time()
        self.followed_elsewhere = first.seq > 0
        self._submit = submit
        self._on_end = on_end
        self._notifier = notifier
        self._settled: asyncio.Future[None] | None = None

    def append(self, at: int, data: str, ending: Ending | None = None) -> None:
        """Queue the next event, `at` µs after the stream began. Raises the error of an earlier append."""
        if self.error is not None:
            raise self.error
        seq = self.next_seq
        self.next_seq = seq + 1
        self.pending += len(data)
        row = (self.key, seq, at, data, self.epoch)
        self._submit(Append(self, _event((seq, at, data)), row, ending, self.loop))

    def backpressure(self) -> "asyncio.Future[None] | None":
        """None while more of this stream may be appended, else a future that is done after its next commit."""
        return self._next_commit() if self.pending >= MAX_PENDING else None

    async def settled(self) -> None:
        """Wait until everything appended is committed. Raises the error of a commit that failed."""
        while self.pending and self.error is None:
            await asyncio.shield(self._next_commit())
        if self.error is not None:
            raise self.error

    def _next_commit(self) -> "asyncio.Future[None]":
        if self._settled is None:
            self._settled = self.loop.create_future()
        return self._settled

    def committed(self, event: Event, ending: Ending | None, error: Exception | None) -> None:
        """On the event loop: the event is stored; with `error`, or after an earlier one, it is not.

        After a failure readers continue from the table, which has all that was stored before.
        """
        if error is not None or self.error is not None:
            self.error = self.error or error
            return self._wake()
        self.events.append(event)
        if self.commit_times is not None and len(self.commit_times.times) < MOST_EVENTS:
            self.commit_times.times.append(monotonic())
        size = len(event.data)
        self.pending -= size
        self.size += size
        while self.size > TAIL_BYTES and len(self.events) > 1:
            self.size -= len(self.events.pop(0).data)
        if ending is not None:
            self.ended = True
            self._on_end(self)
        if self._settled is not None:
            self._wake()

    def _wake(self) -> None:
        if self._settled is not None and not self._settled.done():
            self._settled.set_result(None)
        self._settled = None

    def time_commits(self) -> CommitTimes:
        """Record from now on when events are committed: only for readers that ask for it."""
        if self.commit_times is None:
            self.commit_times = CommitTimes(self.began, self.opened, self.events[-1].seq + 1, array("d"))
        return self.commit_times

    def unsubscribe(self, subscriber: Subscriber) -> None:
        """Remove a reader; `left_at` is when the last one left, on the loop's clock."""
        self.subscribers.remove(subscriber)
        self.left_at = self.loop.time()

    def publish(self, seq: int) -> None:
        """Give the events up to `seq` to the subscribers, in the order they came, then notify other processes.

        The batch that ends the stream is not delivered: subscribers are woken, and read it together with the end.
        """
        for subscriber in self.subscribers:
            if self.ended or not subscriber.deliver(self.since(subscriber.after) or []):
                subscriber.wake()
        if self.followed_elsewhere and self._notifier is not None:
            self._notifier.reached(self.stream_id, seq)

    def abandon(self) -> list[Subscriber]:
        """Stop writing the stream in this process. Returns its readers, which continue from the table."""
        self.gone = True
        readers, self.subscribers = self.subscribers, []
        for subscriber in readers:
            subscriber.wake()
        return readers

    def since(self, after: int) -> list[Event] | None:
        """The committed events after `after`; None if the tail does not reach back that far or is abandoned."""
        held = self.events
        if after + 1 < held[0].seq or self.gone:
            return None
        missed = held[-1].seq - after
        if missed <= 0:
            return []
        return held[-missed:]
