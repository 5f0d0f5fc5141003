"""`Turn`: one turn, from its prompt through the provider to the log.

A turn ends as exactly one of complete, stopped, failed and interrupted. The end is an event of the log, stored in one
transaction with the stream's status and the answer's parts. If the log refuses the turn's events or cannot be written,
the turn ends as interrupted after what is stored, as soon as that can be committed; if it cannot, the stream's lease
lapses, and another worker ends it.
"""

import asyncio
import contextvars
import logging
import re
from collections.abc import Awaitable, Callable
from functools import partial
from time import monotonic
from typing import Any
from uuid import UUID

from django.utils import timezone

from chat import limits, log_lines
from chat.log import MAX_PENDING, LeaseLost, Log
from chat.log.batch import AWAY
from chat.log.fence import Ending
from chat.log.interruption import interrupt
from chat.log.takeover import hand_over
from chat.metrics import Metrics
from chat.protocol import events, log_context, prompt, timing
from chat.protocol.errors import ApiError, DeadlineExceeded, Internal, Interrupted, TooLarge
from chat.protocol.events import Chunk, Event, Give, Response
from chat.telemetry import TurnFacts
from chat.turns import media
from chat.turns.start import StartingPoint

log = logging.getLogger(__name__)

NUL = re.compile(r"(?<!\\)((?:\\\\)*)\\u0000")
"""An escaped NUL in JSON: one that an even number of backslashes precedes."""

LOST = "The server could not store this answer to its end; what came so far is kept. Try again."
GOING_DOWN = "The server is shutting down and could not finish this answer. Try again."

GIVE_UP_SECONDS = 60.0
"""How long a turn whose log failed tries to store its end; after that its lease lapses, and a `Reaper` ends it."""

HANDED_OVER = "handed over"
"""Passed to `cut_short` in place of a status, for a turn that another process is to take over."""

AnswerPrompt = Callable[[prompt.Prompt, Give], Awaitable[None]]
"""Passes the chunks of an answer to `Give` as they arrive: `Catalogue.answer`."""


class Turn:
    """The generation of one answer, from its prompt to its last event."""

    def __init__(
        self,
        event_log: Log,
        ask_provider: AnswerPrompt,
        metrics: Metrics,
        place: StartingPoint,
        asked: prompt.Prompt,
        began: float,
    ) -> None:
        self.stream_id: UUID = place.stream_id
        self.prompt = asked
        self.began = began
        self.answer = place.answer
        self.first_token_us = place.first_token_us
        self.first_thought_us: int | None = None
        self.task: asyncio.Task[None] | None = None
        self._log = event_log
        self._ask_provider = ask_provider
        self._metrics = metrics
        self.tail = event_log.open_tail(self.stream_id, place.epoch, place.last, began)
        self._most = limits.of("OUTPUT_BYTES")
        self._held: Chunk | None = None
        self._finish_reason: str | None = None
        self._cut_short: str | None = None
        self._begun = self._ending = self._late = False
        self._limit: asyncio.TimerHandle | None = None
        self.ended: TurnFacts | None = None
        """Set once the end is stored."""

    def spawn(self) -> asyncio.Task[None]:
        """Run it in a task with a context of its own: asgiref ends what belongs to the context of a request."""
        loop, context = asyncio.get_running_loop(), contextvars.Context()
        name = str(self.stream_id)
        context.run(log_context.stream_id.set, name)
        self.task = loop.create_task(self.run(), name=f"turn {name}", context=context)
        return self.task

    def cut_short(self, status: str) -> None:
        """Cancel the provider and end as `status`, or hand the stream over; no effect once the end is being stored."""
        if self._ending or self._cut_short or self.task is None:
            return
        self._cut_short = status
        if self._begun:  # a task cancelled before its first step never runs, and would store no end
            self.task.cancel()

    def so_far(self) -> tuple[Event, list[dict[str, Any]]] | None:
        """The newest event and the answer up to it; None while anything is uncommitted, and after a commit failed."""
        if self.tail.pending or self.tail.error is not None or self._held is not None or self._ending:
            return None
        return self.tail.events[-1], self.answer.so_far()

    async def run(self) -> None:
        """Generate the answer, then store the end. Raises nothing but a cancellation that did not come from
        `cut_short`."""
        self._begun = True
        try:
            error = None if self._cut_short else await self._generate()
            self._ending = True
            if self._cut_short == HANDED_OVER and self._held is None and error is None:
                await self._hand_over()
            else:
                await self._write_end(error)
        except asyncio.CancelledError:
            raise
        except Exception as error:
            await self._give_up(error)
        finally:
            self._log.abandon(self.tail)

    async def _generate(self) -> ApiError | None:
        """Write the provider's chunks to the log; returns the error that the answer ended with. Raises the log's
        errors."""
        self._expire_after(limits.of("STREAM_SECONDS") - self._at() / 1e6)
        try:
            await self._ask_provider(await media.in_full(self.prompt), self._take)
        except asyncio.CancelledError:
            if self._cut_short is None and not self._late:
                raise
            asyncio.current_task().uncancel()  # type: ignore[union-attr]
            if self._late:
                return DeadlineExceeded("The answer took longer than this server allows; what came so far is kept.")
        except ApiError as error:
            return error
        except Exception as error:
            if error is self.tail.error:
                raise
            log.exception("stream %s: the provider raised an unexpected error", self.stream_id)
            return Internal("The answer failed in a way that is this server's fault. Try again.")
        finally:
            if self._limit is not None:
                self._limit.cancel()
        return None

    async def _hand_over(self) -> None:
        """Hand the stream over to another process once everything is stored; end it if it has a stop request."""
        await self.tail.settled()
        if await self._log.write(partial(hand_over, self.stream_id, self.tail.epoch)):
            log.info("stream %s is handed over: this process goes down", self.stream_id)
        else:
            self._cut_short = events.STOPPED
            await self._write_end(None)

    def _expire_after(self, seconds: float) -> None:
        if self._limit is not None:
            self._limit.cancel()
        self._limit = self.tail.loop.call_later(seconds, self._expire)

    async def _give_up(self, error: Exception) -> None:
        """End a turn whose events the log refused or could not store: nothing but its end may still be stored."""
        self._ending = True
        if isinstance(error, LeaseLost):
            log.warning("stream %s was ended by another worker", self.stream_id)
        else:
            log.error("stream %s could not be written to its end: %s", self.stream_id, type(error).__name__)
        deadline = monotonic() + GIVE_UP_SECONDS
        while monotonic() < deadline:
            try:
                job = partial(interrupt, self.stream_id, Interrupted(LOST), epoch=self.tail.epoch)
                seq = await self._log.write(job)
            except AWAY:
                continue  # without a pause: `write` has already retried for a while
            if seq is not None:
                lost = Interrupted(LOST).as_json()["error"]
                self.ended = self._facts(events.INTERRUPTED, {}, self.answer.finished(), lost)
                self._metrics.ended(self.prompt.model.id, events.INTERRUPTED, monotonic() - self.began)
                self._log.announce(self.stream_id, seq)
                self._log.feeds.changed(self.prompt.asker)
            return

    def _expire(self) -> None:
        self._late = True
        if self.task is not None:
            self.task.cancel()

    def _take(self, chunk: Chunk) -> "asyncio.Future[None] | None":
        """Append a chunk, but hold back one that may be the last: it is stored together with the end."""
        if "\\u0000" in chunk.data:
            chunk = events.chunk(events.decode(without_nul(chunk.data)))
        at = int((monotonic() - self.began) * 1e6)
        if self.first_token_us is None and chunk.parts:
            self._note_beginning(at, chunk.parts)
        if chunk.notice == events.LOADING:  # `providers/policy.py` limits loading, which does not count as answering
            self._expire_after(2 * limits.of("STREAM_SECONDS"))
        if self._held is not None:
            self.tail.append(at, self._held.data)
            self._held = None
        if chunk.reason:
            self._finish_reason = chunk.reason
        if self._finish_reason is None:
            self.tail.append(at, chunk.data)
        else:
            self._held = chunk
        # Only after it was queued: the answer must not get ahead of the log.
        self.answer.take(chunk.parts, chunk.usage)
        if self.answer.size > self._most:
            raise TooLarge("The answer grew longer than this server allows; what came so far is kept.")
        return None if self.tail.pending < MAX_PENDING else self.tail.backpressure()

    def _note_beginning(self, at: int, parts: list[dict[str, Any]]) -> None:
        if events.answers(parts):
            self.first_token_us = at
        elif self.first_thought_us is None and events.thinks(parts):
            self.first_thought_us = at

    def _at(self) -> int:
        return int((monotonic() - self.began) * 1e6)

    async def _write_end(self, error: ApiError | None) -> None:
        status, last, failure = self._last(error)
        ended, read = timezone.now(), bool(self.tail.subscribers)
        said = self.answer.finished()
        usage, first = self.answer.usage, self.first_token_us
        ending = Ending(self.prompt.asker, status, said, ended, failure, usage, first, read)
        self.tail.append(self._at(), events.encode(last), ending)
        await self.tail.settled()
        self._log.feeds.changed(self.prompt.asker)
        self._tell_end(status, failure)
        self.ended = self._facts(status, last, said, failure)

    def _facts(
        self, status: str, last: Response, said: list[dict[str, Any]], failure: dict[str, Any] | None
    ) -> TurnFacts:
        return TurnFacts(
            self.stream_id,
            self.prompt,
            status,
            monotonic() - self.began,
            self.first_token_us,
            self._finish_reason,
            self.answer.usage or {},
            last,
            said,
            failure,
        )

    def _tell_end(self, status: str, failure: dict[str, Any] | None) -> None:
        """Write the line in the server's log, and the metrics. Gaps are measured over the events still in the tail."""
        moments = [event.at for event in self.tail.events]
        measured = timing.measure(moments, self.first_token_us, self.answer.usage, self.first_thought_us)
        log_lines.stream_ended(
            self.stream_id,
            status,
            model=self.prompt.model.id,
            seconds=monotonic() - self.began,
            timing=measured,
            events=self.tail.next_seq,
            finish_reason=self._finish_reason,
            usage=self.answer.usage,
            error=failure,
        )
        self._metrics.ended(
            self.prompt.model.id,
            status,
            monotonic() - self.began,
            timing=measured,
            events=self.tail.next_seq,
            usage=self.answer.usage,
            error=failure,
        )

    def _last(self, error: ApiError | None) -> tuple[str, Response, dict[str, Any] | None]:
        """The status of the end, the last event, and the error to store with the stream."""
        if error is None and self._held is not None and self._cut_short in (None, HANDED_OVER):
            return events.COMPLETE, self._completed(events.decode(self._held.data)), None
        if self._held is not None:
            self.tail.append(self._at(), self._held.data)
        if self._cut_short == events.STOPPED:
            return events.STOPPED, events.stopped(self.answer.usage), None
        if self._cut_short == events.INTERRUPTED:
            error = Interrupted(GOING_DOWN)
            return events.INTERRUPTED, events.failure(error, events.INTERRUPTED), error.as_json()["error"]
        error = error or Internal("The answer broke off.")
        return events.FAILED, events.failure(error), error.as_json()["error"]

    def _completed(self, last: Response) -> Response:
        """The last event, with `finishReason` and `usageMetadata` wherever the provider sent them."""
        if events.finish_reason(last) is None:
            first = (last.get("candidates") or [{}])[0]
            last = {**last, "candidates": [{**first, "finishReason": self._finish_reason}]}
        return {**last, "usageMetadata": self.answer.usage or {}}


def without_nul(data: str) -> str:
    """A line of JSON with U+FFFD in place of every NUL, as browsers show it: PostgreSQL cannot store NUL."""
    return NUL.sub("\\1\ufffd", data)
