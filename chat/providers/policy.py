"""How patient we are with an upstream: one place for deadlines, retries, bounds and what is an end.

Its settings, and what they are unless set:

    WONDERCAM_LIMIT_FIRST_TOKEN_SECONDS  60   from the request to the first content; waiting for one of our slots apart
    WONDERCAM_LIMIT_IDLE_SECONDS         60   between two responses; comments are no sign of life
    WONDERCAM_LIMIT_STREAM_SECONDS      300   all of it, retries and fallback included
    WONDERCAM_UPSTREAM_ATTEMPTS           3   the first one included; only before the first content
    WONDERCAM_UPSTREAM_RETRY_SECONDS     10   a longer Retry-After is given to the reader instead of waited for

An answer ends where the upstream ends it (the body, `[DONE]`), or with the idle limit once it has given a reason.
"""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from chat.protocol import errors, events
from chat.protocol.events import Chunk, Give
from chat.protocol.prompt import Prompt
from chat.providers import validation
from chat.providers.breaker import BROKEN, Breaker
from chat.providers.deadline import Deadline
from chat.providers.ending import Ending
from chat.providers.settings import Settings, number, whole

RETRIED = (errors.Unavailable, errors.ResourceExhausted, errors.Internal, errors.BadUpstream, errors.Truncated)
ELSEWHERE = (*BROKEN, errors.BadUpstream, errors.ResourceExhausted, errors.PermissionDenied, errors.NotFound)
"""What is tried again; what another model might do better."""

Ask = Callable[[Prompt, Give], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds and counts, as the module's docstring says."""

    first: float = 60.0
    idle: float = 60.0
    total: float = 300.0
    attempts: int = 3
    retry_after: float = 10.0
    backoff: float = 0.5

    @classmethod
    def from_settings(cls, settings: Settings) -> "Patience":
        """Raises ValueError with a sentence that names the variable."""
        default = cls()
        return cls(
            first=number(settings, "WONDERCAM_LIMIT_FIRST_TOKEN_SECONDS", default.first, 0.01),
            idle=number(settings, "WONDERCAM_LIMIT_IDLE_SECONDS", default.idle, 0.01),
            total=number(settings, "WONDERCAM_LIMIT_STREAM_SECONDS", default.total, 0.01),
            attempts=whole(settings, "WONDERCAM_UPSTREAM_ATTEMPTS", default.attempts, 1),
            retry_after=number(settings, "WONDERCAM_UPSTREAM_RETRY_SECONDS", default.retry_after),
        )


@dataclass(slots=True)
class Attempts:
    """All attempts at one turn's answer: when they must be over, and whether any content has reached the reader."""

    patience: Patience
    ends: float
    begun: bool = False


class Attempt:
    """One try at a provider: its deadlines and its end."""

    def __init__(self, attempts: Attempts, who: str, give: Give) -> None:
        self._attempts, self._who, self._give = attempts, who, give
        self._patience = attempts.patience
        self._time = asyncio.get_running_loop().time
        now = self._time()
        self._ends = now + attempts.ends - time.monotonic()
        self._first = now + self._patience.first
        self._deadline = Deadline(min(self._first, self._ends))
        self._ending = Ending()
        self._spoke = False

    async def run(self, ask: Ask, prompt: Prompt) -> None:
        """Have `ask` give its chunks until it returns, then give the one that ends the answer; raises an ApiError."""
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
        last = self._ending.last()
        if last is None:
            raise errors.Truncated(f"{self._who} ended the answer in the middle.")
        if not (self._spoke or prompt.goes_on):  # what was to be gone on with may have been all of it
            validation.check_empty_end(last.reason or "", self._who)
        self._give(last)

    def _giving(self) -> Give:
        """`give`, with every chunk looked at on its way and the deadline moved; a reader that is behind is not late."""
        give, ending, deadline = self._give, self._ending, self._deadline
        loop, time, idle, ends = asyncio.get_running_loop(), self._time, self._patience.idle, self._ends

        def on_chunk(chunk: Chunk) -> "asyncio.Future[None] | None":
            if self._spoke and chunk.parts and chunk.reason is None and not ending.seen:
                deadline.until = min(time() + idle, ends)
                ending.usage = chunk.usage or ending.usage
                paused = give(chunk)
            else:
                self._look(chunk)
                deadline.move(self._next_deadline(chunk))
                paused = None
                for each in ending.take(chunk):
                    paused = give(each) or paused
                if ending.holds:  # the end of what has arrived is known in the loop's next iteration
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
        self._spoke = self._spoke or validation.has_answer(chunk)
        self._attempts.begun = self._attempts.begun or self._spoke or validation.has_content(chunk)

    def _next_deadline(self, chunk: Chunk) -> float:
        """Until when the next chunk must come, on the loop's clock; waiting for one of our slots is nobody's fault."""
        if self._attempts.begun or chunk.reason:
            return min(self._time() + self._patience.idle, self._ends)
        if chunk.notice == events.WAITING:
            self._first = 0.0
            return self._ends
        self._first = self._first or self._time() + self._patience.first
        return min(self._first, self._ends)

    def _ended_in_silence(self) -> bool:
        """Whether the deadline that was missed is the answer's end: it had a reason, and nothing has followed it."""
        return self._ending.certain or (self._ending.seen and self._deadline.until < self._ends)

    def _late(self) -> errors.DeadlineExceeded:
        """The sentence for the deadline that was missed."""
        if self._deadline.until >= self._ends:
            seconds = f"{self._patience.total:g}"
            return errors.DeadlineExceeded(f"The answer took longer than {seconds} seconds: it ends here.")
        if self._attempts.begun:
            return errors.DeadlineExceeded(f"{self._who} fell silent in the middle of the answer.")
        return errors.DeadlineExceeded(f"{self._who} did not begin to answer within {self._patience.first:g} seconds.")


async def answer(ask: Ask, prompt: Prompt, breaker: Breaker, attempts: Attempts, give: Give) -> None:
    """Give one model's answer within its deadlines, tried again where that can help; ends after a finishReason or
    raises. However often it is tried, the breaker counts it once."""
    who = prompt.model.title or prompt.model.id
    breaker.admit(who, prompt.asker)
    try:
        await _tried(ask, prompt, who, attempts, give)
    except errors.ApiError as error:
        breaker.note(error, prompt.asker, attempts.begun)
        raise
    breaker.succeeded()


async def _tried(ask: Ask, prompt: Prompt, who: str, attempts: Attempts, give: Give) -> None:
    for count in range(1, attempts.patience.attempts + 1):
        try:
            return await Attempt(attempts, who, give).run(ask, prompt)
        except errors.ApiError as error:
            pause = delay(error, count, attempts.patience)
            if attempts.begun or pause is None or time.monotonic() + pause >= attempts.ends:
                raise
        await asyncio.sleep(pause)


def delay(error: errors.ApiError, count: int, patience: Patience) -> float | None:
    """Seconds until the next attempt: full jitter (Brooker, "Exponential backoff and jitter"), Retry-After at least."""
    if count >= patience.attempts or not isinstance(error, RETRIED):
        return None
    jitter = random.uniform(0, patience.backoff * 2 ** (count - 1))
    asked = error.retry_after or 0
    return None if asked > patience.retry_after else asked + jitter


def may_go_elsewhere(error: errors.ApiError, attempts: Attempts) -> bool:
    """Whether another model may answer instead: nothing has been read yet, there is time, and it may help."""
    return not attempts.begun and isinstance(error, ELSEWHERE) and time.monotonic() < attempts.ends


def final(error: errors.ApiError) -> errors.ApiError:
    """The error as its reader gets it: 429 and 503 always say when to try again."""
    if error.retry_after is None and isinstance(error, errors.Unavailable | errors.ResourceExhausted):
        error.retry_after = 5
    return error
