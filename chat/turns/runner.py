"""`Turns`: all turns of this process. Starts, stops and drains them.

    start ── Start.store (message + event 0, one transaction) ── the reader has its OK
      └─ Turn, a task of its own: the provider's answer → Tail.append → commit → the stream's subscribers
           └─ start_next: the message that was queued behind it, if any (`message_queue.py`)

A turn does not belong to a request: its reader may disconnect and resume. It is ended by `stop`, by the sign-out of its
user, and, if the user is a guest, by having had no reader for a while (`unwanted.py`).
"""

import asyncio
import contextvars
import logging
from collections.abc import Callable, Coroutine, Sequence
from datetime import datetime
from functools import partial
from time import monotonic
from typing import Any, TypeVar
from uuid import UUID

from django.db import IntegrityError
from django.utils import timezone

from chat.log import Log
from chat.log.feeds import GOING_DOWN
from chat.log.sql import in_thread
from chat.metrics import Metrics
from chat.models import Stream, Ticket, User
from chat.protocol import events, prompt
from chat.protocol.errors import Unavailable
from chat.protocol.request import Ask, check_generation, contents_of, gemini_contents_of, system_of
from chat.providers.catalogue import Catalogue
from chat.telemetry import TurnFacts
from chat.turns import leases, media
from chat.turns.continuation import Continuation
from chat.turns.drain import drain
from chat.turns.leases import Reaper, WorkerName
from chat.turns.next_message import MessageQueues
from chat.turns.start import Door, Start, Started
from chat.turns.titles import Titles
from chat.turns.turn import Turn
from chat.turns.unwanted import Unwanted

log = logging.getLogger(__name__)

STOP_POLL = 0.5
"""Seconds between checks for stop requests that another worker received, in case its notification was lost."""

QUEUE_POLL = 1.0
"""Seconds between checks for queued messages that are to be started, wherever they were queued."""

UNWANTED_POLL = 5.0
"""Seconds between checks for turns to be stopped without a stop request (`unwanted.py`)."""


T = TypeVar("T")


class Turns:
    """The running turns of one process, which write to its log and ask its providers.

    Every `lease_seconds` its leases are renewed, and those of others checked. `on_ended` is called after each turn.
    """

    def __init__(
        self,
        event_log: Log,
        catalogue: Callable[[], Catalogue],
        metrics: Metrics,
        lease_seconds: float,
        on_ended: Callable[[TurnFacts], None] = lambda facts: None,
    ) -> None:
        self._lease_seconds = lease_seconds
        self.worker = WorkerName()
        self.renewed_at: datetime | None = None
        self._log = event_log
        self._catalogue = catalogue
        self._metrics = metrics
        self._on_ended = on_ended
        grace = leases.grace_of(event_log.retry_seconds, lease_seconds)
        self._reaper = Reaper(event_log, self.worker, self._take_over, grace)
        self._continuation = Continuation(event_log, catalogue, self.worker)
        self.queues = MessageQueues(event_log, catalogue, self.worker)
        self.titles = Titles(event_log, catalogue)
        self._unwanted = Unwanted(event_log)
        self._turns: dict[UUID, Turn] = {}
        self._starting: set[asyncio.Task[Any]] = set()
        self._periodic: list[asyncio.Task[None]] = []
        self._draining = False

    # Opening and closing

    async def open(self) -> None:
        """Take over or end the turns of dead workers of this machine, then accept turns and begin to renew leases."""
        self._draining = False
        self.tell_gone(await self._reaper.end_dead_neighbours())
        looks = [self._look_for_stops(), self._look_for_unwanted(), self._look_for_queued_messages()]
        looks += [self._reaper.look_at_leases(self._lease_seconds, self), self._reaper.look_for_dead_neighbours(self)]
        self._periodic = [asyncio.create_task(each) for each in (self._renew_leases(), *looks)]

    async def close(self, grace: float) -> None:
        """Drain, then stop renewing leases."""
        await self.drain(grace)
        await self.titles.close()
        for task in self._periodic:
            task.cancel()
        await asyncio.gather(*self._periodic, return_exceptions=True)

    async def drain(self, grace: float) -> None:
        """Accept no new turns, let the running ones finish for `grace` seconds, then hand over or end the rest."""
        self._draining = True
        await drain(self._turns, self._starting, grace, self._continuation.may_go_on_elsewhere)

    def is_draining(self) -> bool:
        """Whether this process accepts no new turns."""
        return self._draining

    def running(self) -> list[UUID]:
        """The streams that this process generates."""
        return list(self._turns)

    def turn_of(self, stream_id: UUID) -> Turn | None:
        """The turn of this process that generates this stream, if any."""
        return self._turns.get(stream_id)

    async def _renew_leases(self) -> None:
        """Renew the leases, in a task of its own so that nothing else can delay it."""
        while True:
            await asyncio.sleep(self._lease_seconds)
            try:
                await self._renew(self.running())
            except Exception as error:  # the database may be away: the next time tries again
                log.warning("leases could not be renewed: %s", type(error).__name__)

    async def _look_for_unwanted(self) -> None:
        """Stop the turns that `Unwanted` finds."""
        while True:
            await asyncio.sleep(UNWANTED_POLL)
            try:
                for stream_id in await self._unwanted.look():
                    self.stop_here(stream_id)
            except Exception as error:  # the database may be away: the next look tries again
                log.warning("unwanted turns could not be looked up: %s", type(error).__name__)

    async def _look_for_queued_messages(self) -> None:
        """Start queued messages whose answer has ended, whichever process queued them."""
        while True:
            try:
                for conversation_id in await self.queues.due():
                    await self.start_next(conversation_id)
            except Exception as error:  # the database may be away: the next look tries again
                log.warning("queued messages could not be looked up: %s", type(error).__name__)
            await asyncio.sleep(QUEUE_POLL)

    async def _renew(self, mine: Sequence[UUID]) -> None:
        if not mine:
            return
        renew = partial(leases.renew, mine, self.worker.name, at=(at := timezone.now()))
        if self._log.write_now(renew) is None:
            await self._log.write(renew)
        self.renewed_at = at

    def tell_gone(self, streams: Sequence[UUID]) -> None:
        """Report that these streams of dead workers were ended here."""
        self._metrics.lapsed(len(streams))
        for stream_id in streams:
            log.warning("stream %s was interrupted: its worker is gone", stream_id)

    async def _look_for_stops(self) -> None:
        """Stop turns for which another worker received a stop request, in case its notification was lost."""
        while True:
            await asyncio.sleep(STOP_POLL)
            if not (mine := self.running()):
                continue
            try:
                for stream_id in await in_thread(partial(leases.wanted_stops, mine, self.worker.name)):
                    self.stop_here(stream_id)
            except Exception as error:  # the database may be away: the next look tries again
                log.warning("stop requests could not be read: %s", type(error).__name__)

    # Start and stop

    async def start(
        self, user: User, ask: Ask, began: float, ticket: Ticket | None = None, door: Door | None = None
    ) -> Stream:
        """Store the message and event 0, and start to generate the answer in a task of its own; returns the stream.

        `began` is when the request arrived, in seconds of the monotonic clock. `door` is set for requests of the Gemini
        and OpenAI APIs: their parts of every kind are passed on unchanged. Raises an ApiError, and stores nothing, if
        the request is not valid. A `request_id` that the user has sent before returns the stream that it started.
        """
        _, model = self._catalogue().find(ask.model)
        check_generation(ask.generation, model)
        system = system_of(ask.system)
        read = contents_of if door is None else gemini_contents_of
        contents = None if ask.contents is None and ask.parent_id else read(ask.contents)
        if contents is not None:
            contents = await media.kept(user, contents, model, self._catalogue())
        if self._draining:  # no `await` between here and the task that `drain` waits for
            raise Unavailable(GOING_DOWN, retry_after=1)
        start = Start(user, ask, contents, model, began, self.worker.name, ticket, door)
        if start.is_plain and (started := self._log.write_now(start.store)) is not None:
            return self._begin(start, started, system)
        return await asyncio.shield(self._starting_by(self._store(start, system)))

    async def start_next(self, conversation_id: UUID) -> None:
        """Start the next message of the conversation's queue, if it is to be started now."""
        if not self._draining:  # left to the other processes
            await asyncio.shield(self._starting_by(self._take_next(conversation_id)))

    def _starting_by(self, storing: Coroutine[Any, Any, T]) -> "asyncio.Task[T]":
        """Store a start in a task of its own: once it may be committed, a disconnect must not cancel it."""
        task = asyncio.get_running_loop().create_task(storing, context=contextvars.Context())
        self._starting.add(task)
        task.add_done_callback(self._starting.discard)
        return task

    async def _take_next(self, conversation_id: UUID) -> None:
        try:
            taken = await self.queues.take(conversation_id)
        except Exception as error:  # the database may be away: the next check tries again
            return log.warning("a queued message could not be started: %s", type(error).__name__)
        if taken is not None:
            self._begin(taken.start, taken.started, taken.system)

    async def _store(self, start: Start, system: str) -> Stream:
        if start.is_plain and (started := await self._log.write_by_loop(start.store, start.user.pk)) is not None:
            return self._begin(start, started, system)
        try:
            started = await self._log.write(start.store)
        except IntegrityError:  # another worker stored the same request_id a moment before
            started = await self._log.write(start.store)
        return self._begin(start, started, system)

    def _begin(self, start: Start, started: Started, system: str) -> Stream:
        """Run the turn that was stored, unless an earlier request has started it."""
        if started.fresh:
            instruction = prompt.instruction(started.system, system, language=start.ask.language)
            generation, asker = start.ask.generation, start.user.pk
            language, extra = start.ask.language or "", start.door.extra if start.door else {}
            asked = prompt.Prompt(start.model, started.contents, instruction, generation, extra, asker, language)
            self._unwanted.watch(started.stream.pk, start.user)
            turn = Turn(self._log, self._catalogue().answer, self._metrics, started.place, asked, start.began)
            self._run(turn)
            self._log.feeds.changed(start.user.pk)
            self._metrics.started(start.model.id, started.ok.at)
        return started.stream

    async def _take_over(self, stream_id: UUID, lease: datetime | None) -> bool:
        """Take over the turn of a stream without a worker, if allowed; a draining process leaves it to others."""
        return self._draining or await asyncio.shield(self._starting_by(self._continue(stream_id, lease)))

    async def _continue(self, stream_id: UUID, lease: datetime | None) -> bool:
        taken = await self._continuation.take_over(stream_id, lease)
        if taken is None:
            return False
        if taken.handed_over:
            log.info("stream %s goes on here: its worker has handed it over", stream_id)
        else:
            log.warning("stream %s goes on here: its worker is gone", stream_id)
        self._unwanted.watch(stream_id, taken.user)
        began = monotonic() - taken.place.last.at / 1e6
        self._run(Turn(self._log, taken.ask_provider, self._metrics, taken.place, taken.prompt, began))
        self._metrics.taken_up(taken.prompt.model.id)
        return True

    def _run(self, turn: Turn) -> None:
        self._turns[turn.stream_id] = turn
        turn.spawn().add_done_callback(lambda _: self._ended(turn))

    def _ended(self, turn: Turn) -> None:
        stream_id = turn.stream_id
        self._turns.pop(stream_id, None)
        self._unwanted.forget(stream_id)
        if turn.ended is not None:
            self._on_ended(turn.ended)
        if self._draining:
            return
        if (behind := self.queues.conversation_behind(stream_id)) is not None:
            self._starting_by(self._take_next(behind))
        else:
            self.titles.ended(turn)

    async def stop(self, stream: Stream) -> str:
        """Stop the stream's generation, in whichever process it runs. Idempotent. Returns the status known so far."""
        if turn := self._turns.get(stream.pk):
            turn.cut_short(events.STOPPED)
            if turn.task is not None:
                await asyncio.wait([turn.task])
        elif stream.status == events.RUNNING:
            await self._log.write(stream.request_stop)
            self._log.ask_to_stop(stream.pk)
        await stream.arefresh_from_db(fields=("status",))
        return stream.status

    def stop_here(self, stream_id: UUID) -> None:
        """Stop the stream if it runs in this process."""
        if turn := self._turns.get(stream_id):
            turn.cut_short(events.STOPPED)
