"""Deadlines, retries and the circuit breaker around every provider, and the decision which chunk ends an answer.

Settings with their defaults:

    WONDERCAM_LIMIT_FIRST_TOKEN_SECONDS  60   from the request to the first content, without the wait for a local slot
    WONDERCAM_LIMIT_LOADING_SECONDS     300   the same for a model on this machine, which may have to be loaded first;
                                              by default FIRST_TOKEN_SECONDS if that is set
    WONDERCAM_LIMIT_IDLE_SECONDS         60   between two responses; comments do not count
    WONDERCAM_LIMIT_STREAM_SECONDS      300   the whole answer, retries and fallback included, without loading
    WONDERCAM_UPSTREAM_ATTEMPTS           3   including the first; retries are made only before the first content
    WONDERCAM_UPSTREAM_RETRY_SECONDS     10   a longer Retry-After is passed to the reader instead of being waited for

An answer ends when the upstream ends it (the end of the body, `[DONE]`), or at the idle limit after a reason was sent.
"""

import asyncio
import logging
import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field

from chat.protocol import errors, events
from chat.protocol.events import Chunk, Give
from chat.protocol.prompt import Prompt
from chat.providers import validation
from chat.providers.breaker import BROKEN, Breaker
from chat.providers.deadline import Deadline
from chat.providers.ending import AttemptEnd
from chat.providers.http.error_mapping import ModelLoading
from chat.providers.settings import Settings, number, whole

log = logging.getLogger(__name__)

RETRIED = (errors.Unavailable, errors.ResourceExhausted, errors.Internal, errors.BadUpstream, errors.Truncated)
ELSEWHERE = (*BROKEN, errors.BadUpstream, errors.ResourceExhausted, errors.PermissionDenied, errors.NotFound)
"""Errors after which the request is retried, and errors after which a fallback model may be asked."""

UNREADABLE = (errors.BadUpstream, errors.Truncated)
"""An answer that is not in a known format, or not whole."""

Ask = Callable[[Prompt, Give], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class AttemptLimits:
    """The settings of the module's docstring, in seconds and counts."""

    first: float = 60.0
    loading: float = 300.0
    idle: float = 60.0
    total: float = 300.0
    attempts: int = 3
    retry_after: float = 10.0
    backoff: float = 0.5
    silence: float = 5.0
    """How long a model on this machine may be silent before the reader is told that it may be loading."""
    again: float = 1.0
    """The pause between requests to a server that refuses them while it loads its model."""

    @classmethod
    def from_settings(cls, settings: Settings) -> "AttemptLimits":
        """Raises ValueError, whose sentence names the variable."""
        default = cls()
        first = number(settings, "WONDERCAM_LIMIT_FIRST_TOKEN_SECONDS", default.first, 0.01)
        is_set = bool(settings.get("WONDERCAM_LIMIT_FIRST_TOKEN_SECONDS", "").strip())
        return cls(
            first=first,
            loading=number(settings, "WONDERCAM_LIMIT_LOADING_SECONDS", first if is_set else default.loading, 0.01),
            idle=number(settings, "WONDERCAM_LIMIT_IDLE_SECONDS", default.idle, 0.01),
            total=number(settings, "WONDERCAM_LIMIT_STREAM_SECONDS", default.total, 0.01),
            attempts=whole(settings, "WONDERCAM_UPSTREAM_ATTEMPTS", default.attempts, 1),
            retry_after=number(settings, "WONDERCAM_UPSTREAM_RETRY_SECONDS", default.retry_after),
        )


@dataclass(slots=True)
class Attempts:
    """State shared by all attempts at one answer: when it must be over, whether any content has reached the reader, and
    since when a model has been loading, all on the monotonic clock. `unreadable` counts, by model, the attempts whose
    answer could not be read to its end."""

    limits: AttemptLimits
    ends: float
    begun: bool = False
    loading_since: float | None = None
    unreadable: Counter[str] = field(default_factory=Counter)

    def tell_loading(self, sentence: str, give: Give) -> None:
        """Send the notice once. An error of `give` is ignored here: the next chunk raises it again."""
        if self.loading_since is None and not self.begun:
            self.loading_since = time.monotonic()
            with suppress(Exception):
                give(events.chunk(events.notice(events.LOADING, sentence)))

    def begin(self) -> None:
        """Take note of the first content, and extend the deadline by the time that loading took."""
        self.begun = True
        if self.loading_since is not None:
            self.ends += time.monotonic() - self.loading_since


class Attempt:
    """One attempt at a provider: its deadlines and its end. With `is_local` the model may have to be loaded first."""

    def __init__(self, attempts: Attempts, who: str, give: Give, is_local: bool = False) -> None:
        self._attempts, self._who, self._give = attempts, who, give
        self._limits = attempts.limits
        self._until_first = self._limits.loading if is_local else self._limits.first
        loop = asyncio.get_running_loop()
        self._time = loop.time
        now = self._time()
        self._ends = now + attempts.ends - time.monotonic()
        self._first = now + self._until_first
        self._deadline = Deadline(min(self._first, self._ends))
        self._ending = AttemptEnd()
        self._spoke = False
        self._silence = loop.call_later(self._limits.silence, self._tell_silence) if is_local else None

    def _tell_silence(self) -> None:
        sentence = f"{self._who} is being loaded or still reads the question: on this machine that can take minutes."
        self._attempts.tell_loading(sentence, self._give)

    async def run(self, ask: Ask, prompt: Prompt) -> None:
        """Pass on the chunks of `ask` until it returns, then the chunk that ends the answer. Raises an ApiError."""
        try:
            await self._asked(ask, prompt)
        finally:
            self._hear()
        last = self._ending.last()
        if last is None and not self._attempts.begun:
            raise errors.BadUpstream(f"{self._who} ended without an answer.")
        if last is None:
            raise errors.Truncated(f"{self._who} ended the answer in the middle.")
        if not (self._spoke or prompt.is_continuation):  # a continued answer may have been complete already
            validation.check_empty_end(last.reason or "", self._who)
        self._give(last)

    async def _asked(self, ask: Ask, prompt: Prompt) -> None:
        try:
            with self._deadline:
                await ask(prompt, self._giving())
        except TimeoutError:
            if not self._ended_in_silence():
                raise self._late() from None
        except errors.Truncated:
            if not self._ending.certain:
                self._release()
                raise
        except BaseException:
            self._release()
            raise

    def _giving(self) -> Give:
        """`give`, wrapped to inspect every chunk and to move the deadline, which is suspended during backpressure."""
        give, ending, deadline = self._give, self._ending, self._deadline
        loop, time, idle, ends = asyncio.get_running_loop(), self._time, self._limits.idle, self._ends

        def on_chunk(chunk: Chunk) -> "asyncio.Future[None] | None":
            nonlocal ends
            if self._spoke and chunk.parts and chunk.reason is None and not ending.seen:
                deadline.until = min(time() + idle, ends)
                ending.usage = chunk.usage or ending.usage
                paused = give(chunk)
            else:
                self._look(chunk)
                ends = self._ends
                deadline.move(self._next_deadline(chunk))
                paused = None
                for each in ending.take(chunk):
                    paused = give(each) or paused
                if ending.holds:  # the end of the body, if it has arrived too, is processed in the next iteration
                    loop.call_soon(loop.call_soon, self._release)
            if paused is not None and not deadline.paused:
                deadline.paused = True
                paused.add_done_callback(resume)
            return paused

        def resume(_: object) -> None:
            deadline.paused, deadline.until = False, min(time() + idle, ends)

        return on_chunk

    def _release(self) -> None:
        for each in self._ending.release():
            self._give(each)

    def _look(self, chunk: Chunk) -> None:
        self._hear()
        self._spoke = self._spoke or validation.has_answer(chunk)
        if not self._attempts.begun and (self._spoke or validation.has_content(chunk)):
            self._attempts.begin()
            self._ends = self._time() + self._attempts.ends - time.monotonic()
        elif chunk.notice == events.LOADING and self._attempts.loading_since is None:
            self._attempts.loading_since = time.monotonic()

    def _hear(self) -> None:
        """Cancel the notice about silence."""
        if self._silence is not None:
            self._silence.cancel()

    def _next_deadline(self, chunk: Chunk) -> float:
        """The deadline of the next chunk, on the loop's clock. Waiting for a local slot has no deadline of its own."""
        if self._attempts.begun or chunk.reason:
            return min(self._time() + self._limits.idle, self._ends)
        if chunk.notice == events.WAITING:
            self._first = 0.0
            return self._ends
        self._first = self._first or self._time() + self._until_first
        return min(self._first, self._ends)

    def _ended_in_silence(self) -> bool:
        """Whether the missed deadline is the end of the answer: there was a reason, and nothing followed it."""
        return self._ending.certain or (self._ending.seen and self._deadline.until < self._ends)

    def _late(self) -> errors.DeadlineExceeded:
        """The error for the missed deadline."""
        begun, loading = self._attempts.begun, self._silence is not None and self._attempts.loading_since is not None
        if loading and not begun:
            seconds = f"{min(self._until_first, self._limits.total):g}"
            sentence = f"{self._who} did not begin to answer within {seconds} seconds: it may still be loading."
            return errors.DeadlineExceeded(sentence)
        if self._deadline.until >= self._ends:
            seconds = f"{self._limits.total:g}"
            return errors.DeadlineExceeded(f"The answer took longer than {seconds} seconds: it ends here.")
        if begun:
            return errors.DeadlineExceeded(f"{self._who} stopped responding in the middle of the answer.")
        return errors.DeadlineExceeded(f"{self._who} did not begin to answer within {self._until_first:g} seconds.")


async def answer(
    ask: Ask, prompt: Prompt, breaker: Breaker, attempts: Attempts, give: Give, is_local: bool = False
) -> None:
    """Pass on one model's answer within its deadlines, with retries; returns after a finishReason or raises. For the
    breaker all attempts count as one. `is_local`: the model runs on this machine."""
    who = prompt.model.title or prompt.model.id
    breaker.admit(who, prompt.asker)
    try:
        await _tried(ask, prompt, who, attempts, give, is_local)
    except errors.ApiError as error:
        breaker.note(error, prompt.asker, attempts.begun)
        raise
    breaker.succeeded()


async def _tried(ask: Ask, prompt: Prompt, who: str, attempts: Attempts, give: Give, is_local: bool) -> None:
    limits, count = attempts.limits, 1
    limit = limits.loading if is_local else limits.first
    while True:
        try:
            return await Attempt(attempts, who, give, is_local).run(ask, prompt)
        except ModelLoading:
            attempts.tell_loading(f"{who} is being loaded: this can take minutes.", give)
            if time.monotonic() + limits.again >= min(attempts.ends, (attempts.loading_since or 0.0) + limit):
                raise
            await asyncio.sleep(limits.again)
        except errors.ApiError as error:
            if isinstance(error, UNREADABLE):
                attempts.unreadable[prompt.model.id] += 1
                log.warning("attempt %d at an answer failed: %s", count, error.message)
            pause = delay(error, count, limits)
            if attempts.begun or pause is None or time.monotonic() + pause >= attempts.ends:
                raise
            count += 1
            await asyncio.sleep(pause)


def delay(error: errors.ApiError, count: int, limits: AttemptLimits) -> float | None:
    """Seconds until the next attempt, None for no retry: full jitter (Brooker, "Exponential backoff and jitter"), added
    to Retry-After."""
    if count >= limits.attempts or not isinstance(error, RETRIED):
        return None
    jitter = random.uniform(0, limits.backoff * 2 ** (count - 1))  # noqa: S311 (no secret)
    asked = error.retry_after or 0
    return None if asked > limits.retry_after else asked + jitter


def may_go_elsewhere(error: errors.ApiError, attempts: Attempts) -> bool:
    """Whether a fallback may answer: the reader has no content yet, there is time, and the error may not affect it."""
    return not attempts.begun and isinstance(error, ELSEWHERE) and time.monotonic() < attempts.ends


def final(error: errors.ApiError) -> errors.ApiError:
    """The error for the reader: 429 and 503 always have `retry_after`."""
    if error.retry_after is None and isinstance(error, errors.Unavailable | errors.ResourceExhausted):
        error.retry_after = 5
    return error
