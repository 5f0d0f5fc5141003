"""`Log`: appends, commits, reads and follows streams. One object a process, made at its start and closed at its end.

turns ── Tail.append ──> GroupCommit ── commit ──> Tail.committed ──> its subscribers, and the Notifier
readers ── follow ──> the tail's committed events, or the table where no tail reaches that far back
"""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import AsyncGenerator, Callable
from functools import partial
from typing import Any, TypeVar
from uuid import UUID

from asgiref.sync import sync_to_async
from channels.layers import get_channel_layer

from chat import models
from chat.log.batch import Job
from chat.log.commit_times import CommitTimes
from chat.log.feeds import GOING_DOWN, Feeds
from chat.log.follow import follow
from chat.log.group_commit import RETRY_SECONDS, GroupCommit
from chat.log.notifier import Hears, Notifier
from chat.log.own_connection import OwnConnection
from chat.log.pages import Page, read_page
from chat.log.sql import DJANGO, Database
from chat.log.state import LogState
from chat.log.subscriber import Deliver, Subscriber
from chat.log.tail import Tail
from chat.log.threads import THREADS, Threads
from chat.protocol.errors import GoesOnElsewhere
from chat.protocol.events import Event

ENDED_TAILS = 64
"""Finished streams whose tail is kept, for the readers that are about to read its end."""

POLL_ALONE = 0.25
"""Seconds after which a reader of another process's stream looks by itself, where nobody can notify this one."""

POLL_NOTIFIED = 1.0
"""The same where notifications should come, by Redis."""

T = TypeVar("T")


logger = logging.getLogger(__name__)


class Log:
    """The log of all streams, for one event loop at a time.

    Without `open` it writes and follows, but hears of no other process. While the database is away a commit is tried
    again for `retry_seconds`.
    """

    def __init__(self, retry_seconds: float = RETRY_SECONDS, threads: Threads = THREADS) -> None:
        self.retry_seconds = retry_seconds
        self._own = OwnConnection(threads.checkpoint)
        self._commits = GroupCommit(self._own.connect, retry_seconds, threads.commit)
        self._submit = self._commits.submit
        self._on_end = self._retire  # bound once, not for every tail
        self._notifier: Notifier | None = None
        self._tails: dict[UUID, Tail] = {}
        self._ended: OrderedDict[UUID, Tail] = OrderedDict()
        self._elsewhere: dict[UUID, list[Subscriber]] = {}
        self._read_elsewhere: set[UUID] = set()
        self._is_left = False
        self._cuts = 0
        self.fetch = self._own.fetch
        self.feeds = Feeds(self._own.fetch_briefly)

    async def open(self, redis: bool, on_stop: Callable[[UUID], None]) -> None:
        """Serve: exchange notifications with other processes where there is Redis, open the loop's own connections.

        `on_stop` gets the streams that a reader at another process asks to be stopped.
        """
        self._own.open()
        self._is_left = False
        if redis:
            hears = Hears(self._reached_elsewhere, on_stop, self._followed_elsewhere, self.feeds.wake)
            self._notifier = Notifier(get_channel_layer(), hears)
        self.feeds.open(self._notifier)

    def leave(self) -> None:
        """This process is going down and writes no stream any more: once they have what is stored, those who read one
        that runs elsewhere are let go, to go on there."""
        self._is_left = True
        for stream_id in self._elsewhere:
            self._reached_elsewhere(stream_id)

    async def close(self) -> None:
        """Write what is queued, then let go of threads and connections. The log may be opened again."""
        self.feeds.close()
        notifier, self._notifier = self._notifier, None
        if notifier is not None:
            await notifier.close()
        await self._own.leave()
        await asyncio.to_thread(self.end)

    def end(self) -> None:
        """The part of `close` that waits; not for the event loop."""
        self._commits.close()
        self._own.close()
        self._tails.clear()
        self._ended.clear()

    # Writing

    async def write(self, job: Callable[[], T]) -> T:
        """Run `job` in the commit thread's next transaction, in a savepoint; its result once that is committed.

        The job may run several times, since a failed transaction is tried again: it must not change anything but the
        database.
        """
        return await self._commits.run(job)

    def write_now(self, job: Callable[[Database], T]) -> T | None:
        """The result of a job that needs nothing of Django's, committed by the loop before this returns; else None.

        None where the database is no SQLite file, where the thread has work, and where the job raises or cannot be
        stored: then nothing is, and it is to be asked of `write`, which runs it again.
        """
        return self._commits.run_now(job)

    async def write_by_loop(self, job: Callable[[Database], T]) -> T | None:
        """The same where the answer takes a while: on PostgreSQL, and where what the job needs to know is a check
        (`Database.verify`). Raises what the job or a check raises."""
        return await self._own.run(job)

    def write_soon(self, job: Callable[[Database], bool]) -> None:
        """Run `job` in a transaction, for nobody who waits for it: what fails is logged. It returns True."""
        if self._commits.run_now(job) is None:
            work = Job(partial(job, DJANGO))
            work.future.add_done_callback(_log_failure)
            self._commits.submit(work)

    def open_tail(self, stream_id: UUID, epoch: int, first: Event, began: float | None = None) -> Tail:
        """Begin to write a stream, held under `epoch`, whose event `first` has just been committed by a job.

        `began`: when the stream did, by the monotonic clock; now where that is not told. Readers that followed it while
        another process wrote it are from now on told by its tail.
        """
        if (before := self._tails.get(stream_id)) is not None:
            self.abandon(before)
        tail = Tail(stream_id, epoch, first, self._submit, self._on_end, self._notifier, began)
        self._tails[stream_id] = tail
        for subscriber in self._elsewhere.pop(stream_id, ()):
            tail.subscribers.append(subscriber)
            subscriber.wake()
        return tail

    def _retire(self, tail: Tail) -> None:
        self._tails.pop(tail.stream_id, None)
        self._ended[tail.stream_id] = tail
        while len(self._ended) > ENDED_TAILS:
            self._ended.popitem(last=False)

    def abandon(self, tail: Tail) -> None:
        """Forget a stream that this process can write no more; its readers go on from the table, and follow whoever
        writes it next, which may be this process again. One whose end is written stays as it is."""
        if tail.ended:
            return
        if self._tails.get(tail.stream_id) is tail:  # else another turn of this process has taken it up already
            del self._tails[tail.stream_id]
        if readers := tail.abandon():
            self._elsewhere.setdefault(tail.stream_id, []).extend(readers)
            self._read_elsewhere.add(tail.stream_id)

    def forget(self, stream_id: UUID) -> None:
        """Drop a finished stream's tail from memory, when its rows are deleted."""
        self._ended.pop(stream_id, None)

    # Telling

    def _reached_elsewhere(self, stream_id: UUID) -> None:
        for subscriber in self._elsewhere.get(stream_id, ()):
            subscriber.wake()

    def _followed_elsewhere(self, stream_id: UUID) -> None:
        """Tell other processes of this stream's commits from now on, and at once of those until now."""
        tail = self.tail_of(stream_id)
        if tail is not None and not tail.followed_elsewhere:
            tail.followed_elsewhere = True
            self.announce(stream_id, tail.events[-1].seq)

    def announce(self, stream_id: UUID, seq: int) -> None:
        """Tell all readers that the stream has reached `seq`, where it was not its tail that wrote it."""
        self._reached_elsewhere(stream_id)
        if self._notifier is not None:
            self._notifier.reached(stream_id, seq)

    def ask_to_stop(self, stream_id: UUID) -> None:
        """Tell the other processes that a reader asks for this stream to be stopped."""
        if self._notifier is not None:
            self._notifier.stop(stream_id)

    # Reading

    def follow(
        self, stream_id: UUID, after: int = -1, deliver: Deliver | None = None, live: bool = True
    ) -> AsyncGenerator[Page, None]:
        """Pages of the stream's events above `after` until it ends; see `chat.log.follow`."""
        return follow(self, stream_id, after, deliver, live)

    def subscribe(self, stream_id: UUID, subscriber: Subscriber) -> Callable[[], None]:
        """Have the subscriber told of the stream's commits; returns what ends that."""
        tail = self.tail_of(stream_id)
        if tail is not None:
            tail.subscribers.append(subscriber)
            return lambda: self._leave(tail, subscriber)
        self._elsewhere.setdefault(stream_id, []).append(subscriber)
        self._read_elsewhere.add(stream_id)
        return lambda: self._unsubscribe(stream_id, subscriber)

    def _unsubscribe(self, stream_id: UUID, subscriber: Subscriber) -> None:
        """End a subscription to another process's stream, which may be this one's by now."""
        others = self._elsewhere.get(stream_id, [])
        if subscriber in others:
            others.remove(subscriber)
            if not others:
                del self._elsewhere[stream_id]
                if self._notifier is not None:
                    self._notifier.left(stream_id)
        elif (tail := self.tail_of(stream_id)) is not None and subscriber in tail.subscribers:
            tail.unsubscribe(subscriber)

    def _leave(self, tail: Tail, subscriber: Subscriber) -> None:
        self._cuts += not tail.ended
        if tail.gone:
            self._unsubscribe(tail.stream_id, subscriber)
        else:
            tail.unsubscribe(subscriber)

    def state(self) -> LogState:
        """How busy it is."""
        here = sum(len(tail.subscribers) for tail in (*self._tails.values(), *self._ended.values()))
        readers = here + sum(map(len, self._elsewhere.values()))
        commits = self._commits
        return LogState(readers, commits.queued, commits.commits, commits.commit_seconds, self._cuts)

    def commit_times_of(self, stream_id: UUID) -> CommitTimes | None:
        """When this process stores the stream's events, noted from now on; None where another process does."""
        tail = self.tail_of(stream_id)
        return None if tail is None else tail.time_commits()

    def readers_of(self, stream_id: UUID) -> int:
        """How many readers of this process follow the stream."""
        tail = self.tail_of(stream_id)
        return len(self._elsewhere.get(stream_id, ()) if tail is None else tail.subscribers)

    def unread_seconds(self, stream_id: UUID) -> float:
        """For how long no reader of this process has followed a stream that it writes; 0 while one does."""
        tail = self._tails.get(stream_id)
        return 0.0 if tail is None or tail.subscribers else tail.loop.time() - tail.left_at

    def read_elsewhere(self) -> list[UUID]:
        """The streams of other processes that were read here since this was asked before."""
        found = self._read_elsewhere.union(self._elsewhere)
        self._read_elsewhere.clear()
        return list(found)

    def poll_seconds(self, tail: Tail | None) -> float:
        """After how long a reader looks by itself although nobody told it: never, where it reads a tail."""
        if tail is not None:
            return float("inf")
        return POLL_ALONE if self._notifier is None else POLL_NOTIFIED

    def tail_of(self, stream_id: UUID) -> Tail | None:
        """The stream's tail, where this process writes it or has just written its end: its commits are told here."""
        return self._tails.get(stream_id) or self._ended.get(stream_id)

    async def read(self, stream_id: UUID, after: int) -> Page:
        """A page of committed events with a seq above `after`, from the tail or from the table. GoesOnElsewhere where
        there is none, and this process was left."""
        tail = self.tail_of(stream_id)
        if tail is not None and (found := tail.since(after)) is not None:
            return Page(found, tail.ended)
        page = await sync_to_async(read_page)(stream_id, after)
        if self._is_left and not (page.events or page.ended or page.deleted):
            raise GoesOnElsewhere(GOING_DOWN, retry_after=1)
        if self._notifier is not None and page.events and not page.ended and stream_id in self._elsewhere:
            self._notifier.follows(stream_id)  # who writes it may not have heard of it, or may be another by now
        return page

    async def last_seq(self, stream_id: UUID) -> int:
        """The newest committed event's seq; -1 where there is none."""
        tail = self.tail_of(stream_id)
        if tail is not None:
            return tail.events[-1].seq
        newest = models.Event.objects.filter(stream_id=stream_id).order_by("-seq").values_list("seq", flat=True)
        found = await newest.afirst()
        return -1 if found is None else found


def _log_failure(done: "asyncio.Future[Any]") -> None:
    if not done.cancelled() and (error := done.exception()):
        logger.warning("something beside the log was not stored: %s", type(error).__name__)
