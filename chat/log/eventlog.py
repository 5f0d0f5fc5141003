"""`Log`: appends, commits, reads and follows streams. A process has one, opened at its start and closed at its end.

turns ── Tail.append ──> GroupCommit ── commit ──> Tail.committed ──> subscribers, Notifier
readers ── follow ──> committed events of the tail, or of the table where no tail reaches back far enough
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
from chat.log.notifier import NotificationHandlers, Notifier
from chat.log.own_connection import OwnConnection
from chat.log.pages import Page, read_page
from chat.log.sql import DJANGO, Database
from chat.log.state import LogState
from chat.log.subscriber import Deliver, Subscriber
from chat.log.tail import Tail
from chat.log.threads import THREADS, Threads
from chat.log.timeouts import Timeouts
from chat.protocol.errors import GoesOnElsewhere
from chat.protocol.events import Event

ENDED_TAILS = 64
"""Ended streams whose tail is kept in memory, for readers that have not read the end yet."""

POLL_ALONE = 0.25
"""Seconds between a reader's polls of a stream that another process writes, where there is no Redis to notify it."""

POLL_NOTIFIED = 1.0
"""The same with Redis: the poll only makes up for lost notifications."""

T = TypeVar("T")


logger = logging.getLogger(__name__)


class Log:
    """The log of all streams, for one event loop at a time.

    A log that was not opened writes and follows too, but exchanges no notifications with other processes. While the
    database is unavailable, a commit is retried for `retry_seconds`.
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
        self.fetch, self.fetch_briefly = self._own.fetch, self._own.fetch_briefly
        self._timeouts: Timeouts | None = None
        self.feeds = Feeds(self.fetch_briefly, self.timeouts)

    async def open(self, redis: bool, on_stop: Callable[[UUID], None]) -> None:
        """Open the event loop's database connections and, with Redis, exchange notifications with other processes.

        `on_stop` is called with each stream for which another process received a stop request.
        """
        self._own.open()
        self._is_left = False
        if redis:
            handlers = NotificationHandlers(self._reached_elsewhere, on_stop, self._followed_elsewhere, self.feeds.wake)
            self._notifier = Notifier(get_channel_layer(), handlers)
        self.feeds.open(self._notifier)

    def leave(self) -> None:
        """End the responses of readers of other processes' streams, once they have everything that is stored, because
        this process is going down: they resume at another one."""
        self._is_left = True
        for stream_id in self._elsewhere:
            self._reached_elsewhere(stream_id)

    async def close(self) -> None:
        """Commit what is queued, then close threads and connections. The log may be opened again."""
        self.feeds.close()
        notifier, self._notifier = self._notifier, None
        if notifier is not None:
            await notifier.close()
        await self._own.leave()
        await asyncio.to_thread(self.end)
        self._is_left = False

    def end(self) -> None:
        """The blocking part of `close`: call it in a thread."""
        self._commits.close()
        self._own.close()
        self._tails.clear()
        self._ended.clear()

    # Writing

    async def write(self, job: Callable[[], T]) -> T:
        """Run `job` in the commit thread's next transaction, in a savepoint; return its result after the commit.

        A job may run several times, because a failed transaction is retried: it must change nothing but the database.
        """
        return await self._commits.run(job)

    def write_now(self, job: Callable[[Database], T]) -> T | None:
        """Run and commit `job` on the event loop's own SQLite connection before returning; return its result.

        None if nothing was stored: the database is not SQLite, the commit thread has work, or the job raised or could
        not be committed. The caller then passes the same job to `write`.
        """
        return self._commits.run_now(job)

    async def write_by_loop(self, job: Callable[[Database], T], user_id: int) -> T | None:
        """The same on the event loop's PostgreSQL connection, for a job that changes rows of one user; None on SQLite.

        The job must not read results, only register checks of them (`Database.verify`). Raises what it or a check
        raises."""
        return await self._own.run(job, user_id)

    def write_soon(self, job: Callable[[Database], bool]) -> None:
        """Run `job`, which returns True, in a transaction without waiting for it; a failure is logged."""
        if self._commits.run_now(job) is None:
            work = Job(partial(job, DJANGO))
            work.future.add_done_callback(_log_failure)
            self._commits.submit(work)

    def open_tail(self, stream_id: UUID, epoch: int, first: Event, began: float | None = None) -> Tail:
        """Make the tail of a stream that this process writes under `epoch`; a job has just committed its event `first`.

        `began` is when the stream began, on the monotonic clock; now by default. Readers that already follow the stream
        here, while another process wrote it, become subscribers of the tail.
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
        """Drop the tail of a stream that this process no longer writes; nothing if its end is stored.

        Its readers continue from the table, and follow whichever process writes the stream next, this one included."""
        if tail.ended:
            return
        if self._tails.get(tail.stream_id) is tail:  # else this process has already taken the stream over again
            del self._tails[tail.stream_id]
        if readers := tail.abandon():
            self._elsewhere.setdefault(tail.stream_id, []).extend(readers)
            self._read_elsewhere.add(tail.stream_id)

    def forget(self, stream_id: UUID) -> None:
        """Drop the tail of an ended stream whose rows are deleted."""
        self._ended.pop(stream_id, None)

    # Notifying

    def _reached_elsewhere(self, stream_id: UUID) -> None:
        for subscriber in self._elsewhere.get(stream_id, ()):
            subscriber.wake()

    def _followed_elsewhere(self, stream_id: UUID) -> None:
        """Notify other processes of this stream's commits from now on, and of the newest one at once."""
        tail = self.tail_of(stream_id)
        if tail is not None and not tail.followed_elsewhere:
            tail.followed_elsewhere = True
            self.announce(stream_id, tail.events[-1].seq)

    def announce(self, stream_id: UUID, seq: int) -> None:
        """Notify all readers that the stream has reached `seq`, when the event was not written through a tail."""
        self._reached_elsewhere(stream_id)
        if self._notifier is not None:
            self._notifier.reached(stream_id, seq)

    def ask_to_stop(self, stream_id: UUID) -> None:
        """Pass a stop request for this stream on to the other processes."""
        if self._notifier is not None:
            self._notifier.stop(stream_id)

    # Reading

    def follow(
        self, stream_id: UUID, after: int = -1, deliver: Deliver | None = None, live: bool = True
    ) -> AsyncGenerator[Page, None]:
        """Pages of the stream's events above `after` until it ends; see `chat.log.follow`."""
        return follow(self, stream_id, after, deliver, live)

    def subscribe(self, stream_id: UUID, subscriber: Subscriber) -> None:
        """Notify the subscriber of the stream's commits."""
        tail = self.tail_of(stream_id)
        if tail is not None:
            tail.subscribers.append(subscriber)
            return
        self._elsewhere.setdefault(stream_id, []).append(subscriber)
        self._read_elsewhere.add(stream_id)

    def unsubscribe(self, stream_id: UUID, subscriber: Subscriber) -> None:
        """End a subscription. Meanwhile this process may have taken the stream over, or have lost or forgotten it."""
        tail, others = self.tail_of(stream_id), self._elsewhere.get(stream_id, [])
        if tail is not None and subscriber in tail.subscribers:
            self._cuts += not tail.ended
            tail.unsubscribe(subscriber)
        elif subscriber in others:
            others.remove(subscriber)
            if not others:
                del self._elsewhere[stream_id]
                if self._notifier is not None:
                    self._notifier.left(stream_id)

    def state(self) -> LogState:
        """The log's figures for metrics."""
        here = sum(len(tail.subscribers) for tail in (*self._tails.values(), *self._ended.values()))
        readers = here + sum(map(len, self._elsewhere.values()))
        commits = self._commits
        return LogState(readers, commits.queued, commits.commits, commits.commit_seconds, self._cuts)

    def commit_times_of(self, stream_id: UUID) -> CommitTimes | None:
        """The commit times of the stream's events, recorded from now on; None if another process writes the stream."""
        tail = self.tail_of(stream_id)
        return None if tail is None else tail.time_commits()

    def unread_seconds(self, stream_id: UUID) -> float:
        """Seconds since the last reader here left a stream that this process writes; 0 while there is a reader."""
        tail = self._tails.get(stream_id)
        return 0.0 if tail is None or tail.subscribers else tail.loop.time() - tail.left_at

    def read_elsewhere(self) -> list[UUID]:
        """The streams of other processes that were read here since the previous call."""
        found = self._read_elsewhere.union(self._elsewhere)
        self._read_elsewhere.clear()
        return list(found)

    def timeouts(self) -> Timeouts:
        """Those of the running event loop: they are made anew for another one."""
        loop = asyncio.get_running_loop()
        if self._timeouts is None or self._timeouts.loop is not loop:
            self._timeouts = Timeouts(loop)
        return self._timeouts

    def poll_seconds(self, tail: Tail | None) -> float:
        """Seconds after which a reader polls without having been notified; infinite if it subscribes to a tail."""
        if tail is not None:
            return float("inf")
        return POLL_ALONE if self._notifier is None else POLL_NOTIFIED

    def tail_of(self, stream_id: UUID) -> Tail | None:
        """The stream's tail if this process writes the stream or has just written its end, else None."""
        return self._tails.get(stream_id) or self._ended.get(stream_id)

    async def read(self, stream_id: UUID, after: int) -> Page:
        """A page of the events with a seq above `after`, from the table. GoesOnElsewhere if it would be empty and
        `leave` was called: the reader has to resume at another process."""
        page = await sync_to_async(read_page)(stream_id, after)
        if self._is_left and not (page.events or page.ended):
            raise GoesOnElsewhere(GOING_DOWN, retry_after=1)
        if self._notifier is not None and page.events and not page.ended and stream_id in self._elsewhere:
            self._notifier.follows(stream_id)  # repeated: the message may be lost, and the writer may be another by now
        return page

    async def last_seq(self, stream_id: UUID) -> int:
        """The seq of the newest committed event; -1 if there is none."""
        tail = self.tail_of(stream_id)
        if tail is not None:
            return tail.events[-1].seq
        newest = models.Event.objects.filter(stream_id=stream_id).order_by("-seq").values_list("seq", flat=True)
        found = await newest.afirst()
        return -1 if found is None else found


def _log_failure(done: "asyncio.Future[Any]") -> None:
    if not done.cancelled() and (error := done.exception()):
        logger.warning("a job that nobody waits for was not stored: %s", type(error).__name__)
