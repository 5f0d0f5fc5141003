"""How patient we are with an upstream: one place for deadlines, retries, bounds and what is an end.

Its settings, and what they are unless set:

    WONDERCAM_LIMIT_FIRST_TOKEN_SECONDS  60   from the request to the first content; waiting for one of our slots apart
    WONDERCAM_LIMIT_LOADING_SECONDS     300   the same for a model on this machine, which may have to be loaded first;
                                              unset, a FIRST_TOKEN_SECONDS that is set counts for those, too
    WONDERCAM_LIMIT_IDLE_SECONDS         60   between two responses; comments are no sign of life
    WONDERCAM_LIMIT_STREAM_SECONDS      300   all of it, retries and fallback included; loading apart
    WONDERCAM_UPSTREAM_ATTEMPTS           3   the first one included; only before the first content
    WONDERCAM_UPSTREAM_RETRY_SECONDS     10   a longer Retry-After is given to the reader instead of waited for

An answer ends where the upstream ends it (the body, `[DONE]`), or with the idle limit once it has given a reason.
"""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass

from chat.protocol import errors, events
from chat.protocol.events import Chunk, Give
from chat.protocol.prompt import Prompt
from chat.providers import validation
from chat.providers.breaker import BROKEN, Breaker
from chat.providers.deadline import Deadline
from chat.providers.ending import AttemptEnd
from chat.providers.http.error_mapping import ModelLoading
from chat.providers.settings import Settings, number, whole

RETRIED = (errors.Unavailable, errors.ResourceExhausted, errors.Internal, errors.BadUpstream, errors.Truncated)
ELSEWHERE = (*BROKEN, errors.BadUpstream, errors.ResourceExhausted, errors.PermissionDenied, errors.NotFound)
"""What is tried again; what another model might do better."""

Ask = Callable[[Prompt, Give], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds and counts, as the module's docstring says."""

    first: float = 60.0
    loading: float = 300.0
    idle: float = 60.0
    total: float = 300.0
    attempts: int = 3
    retry_after: float = 10.0
    backoff: float = 0.5
    silence: float = 5.0
    """Of a model on this machine, until the reader is told that it may be loading."""
    again: float = 1.0
    """Between two looks whether a server that refuses while it loads is done."""

    @classmethod
    def from_settings(cls, settings: Settings) -> "Patience":
        """Raises ValueError with a sentence that names the variable."""
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
    """All attempts at one turn's answer: when they must be over, whether any content has reached the reader, and since
    when, by the monotonic clock, a model is known to be loading."""

    patience: Patience
    ends: float
    begun: bool = False
    loading_since: float | None = None

    def tell_loading(self, sentence: str, give: Give) -> None:
        """Tell the reader once. What `give` raises, the next chunk will raise as well."""
        if self.loading_since is None and not self.begun:
            self.loading_since = time.monotonic()
            with suppress(Exception):
                give(events.chunk(events.notice(events.LOADING, sentence)))

    def begin(self) -> None:
        """The first content is there: the time that loading took is no part of the answer's."""
        self.begun = True
        if self.loading_since is not None:
            self.ends += time.monotonic() - self.loading_since


class Attempt:
    """One try at a provider: its deadlines and its end. With `is_local` the model may have to be loaded first."""

    def __init__(self, attempts: Attempts, who: str, give: Give, is_local: bool = False) -> None:
        self._attempts, self._who, self._give = attempts, who, give
        self._patience = attempts.patience
        self._until_first = self._patience.loading if is_local else self._patience.first
        loop = asyncio.get_running_loop()
        self._time = loop.time
        now = self._time()
        self._ends = now + attempts.ends - time.monotonic()
        self._first = now + self._until_first
        self._deadline = Deadline(min(self._first, self._ends))
        self._ending = AttemptEnd()
        self._spoke = False
        self._silence = loop.call_later(self._patience.silence, self._tell_silence) if is_local else None

    def _tell_silence(self) -> None:
        sentence = f"{self._who} is being loaded or still reads the question: on this machine that can take minutes."
        self._attempts.tell_loading(sentence, self._give)

    async def run(self, ask: Ask, prompt: Prompt) -> None:
        """Have `ask` give its chunks until it returns, then give the one that ends the answer; raises an ApiError."""
        try:
            await self._asked(ask, prompt)
        finally:
            self._hear()
        last = self._ending.last()
        if last is None and not self._attempts.begun:
            raise errors.BadUpstream(f"{self._who} ended without an answer.")
        if last is None:
            raise errors.Truncated(f"{self._who} ended the answer in the middle.")
        if not (self._spoke or prompt.goes_on):  # what was to be gone on with may have been all of it
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
        """`give`, with every chunk looked at on its way and the deadline moved; a reader that is behind is not late."""
        give, ending, deadline = self._give, self._ending, self._deadline
        loop, time, idle, ends = asyncio.get_running_loop(), self._time, self._patience.idle, self._ends

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
        self._hear()
        self._spoke = self._spoke or validation.has_answer(chunk)
        if not self._attempts.begun and (self._spoke or validation.has_content(chunk)):
            self._attempts.begin()
            self._ends = self._time() + self._attempts.ends - time.monotonic()
        elif chunk.notice == events.LOADING and self._attempts.loading_since is None:
            self._attempts.loading_since = time.monotonic()

    def _hear(self) -> None:
        """Something came, or nothing will: nobody needs to be told of a silence."""
        if self._silence is not None:
            self._silence.cancel()

    def _next_deadline(self, chunk: Chunk) -> float:
        """Until when the next chunk must come, on the loop's clock; waiting for one of our slots is nobody's fault."""
        if self._attempts.begun or chunk.reason:
            return min(self._time() + self._patience.idle, self._ends)
        if chunk.notice == events.WAITING:
            self._first = 0.0
            return self._ends
        self._first = self._first or self._time() + self._until_first
        return min(self._first, self._ends)

    def _ended_in_silence(self) -> bool:
        """Whether the deadline that was missed is the answer's end: it had a reason, and nothing has followed it."""
        return self._ending.certain or (self._ending.seen and self._deadline.until < self._ends)

    def _late(self) -> errors.DeadlineExceeded:
        """The sentence for the deadline that was missed."""
        begun, loading = self._attempts.begun, self._silence is not None and self._attempts.loading_since is not None
        if loading and not begun:
            seconds = f"{min(self._until_first, self._patience.total):g}"
            sentence = f"{self._who} did not begin to answer within {seconds} seconds: it may still be loading."
            return errors.DeadlineExceeded(sentence)
        if self._deadline.until >= self._ends:
            seconds = f"{self._patience.total:g}"
            return errors.DeadlineExceeded(f"The answer took longer than {seconds} seconds: it ends here.")
        if begun:
            return errors.DeadlineExceeded(f"{self._who} fell silent in the middle of the answer.")
        return errors.DeadlineExceeded(f"{self._who} did not begin to answer within {self._until_first:g} seconds.")


async def answer(
    ask: Ask, prompt: Prompt, breaker: Breaker, attempts: Attempts, give: Give, is_local: bool = False
) -> None:
    """Give one model's answer within its deadlines, tried again where that can help; ends after a finishReason or
    raises. However often it is tried, the breaker counts it once. `is_local`: it runs on this machine."""
    who = prompt.model.title or prompt.model.id
    breaker.admit(who, prompt.asker)
    try:
        await _tried(ask, prompt, who, attempts, give, is_local)
    except errors.ApiError as error:
        breaker.note(error, prompt.asker, attempts.begun)
        raise
    breaker.succeeded()


async def _tried(ask: Ask, prompt: Prompt, who: str, attempts: Attempts, give: Give, is_local: bool) -> None:
    patience, count = attempts.patience, 1
    limit = patience.loading if is_local else patience.first
    while True:
        try:
            return await Attempt(attempts, who, give, is_local).run(ask, prompt)
        except ModelLoading:
            attempts.tell_loading(f"{who} is being loaded: this can take minutes.", give)
            if time.monotonic() + patience.again >= min(attempts.ends, (attempts.loading_since or 0.0) + limit):
                raise
            await asyncio.sleep(patience.again)
        except errors.ApiError as error:
            pause = delay(error, count, patience)
            if attempts.begun or pause is None or time.monotonic() + pause >= attempts.ends:
                raise
            count += 1
            await asyncio.sleep(pause)


def delay(error: errors.ApiError, count: int, patience: Patience) -> float | None:
    """Seconds until the next attempt: full jitter (Brooker, "Exponential backoff and jitter"), Retry-After at least."""
    if count >= patience.attempts or not isinstance(error, RETRIED):
        return None
    jitter = random.uniform(0, patience.backoff * 2 ** (count - 1))  # noqa: S311 (no secret)
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
