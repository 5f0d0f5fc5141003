"""How patient we are with an upstream: one place for deadlines, retries, the breaker, bounds and what is an end.

Its settings, and what they are unless set:

    WONDERCAM_LIMIT_FIRST_TOKEN_SECONDS  60   from the request to the first content; waiting in our own line apart
    WONDERCAM_LIMIT_IDLE_SECONDS         60   between two responses; comments are no sign of life
    WONDERCAM_LIMIT_STREAM_SECONDS      300   all of it, retries and fallback included
    WONDERCAM_UPSTREAM_ATTEMPTS           3   the first one included; only before the first content
    WONDERCAM_UPSTREAM_RETRY_SECONDS     10   a longer Retry-After is given to the reader instead of waited for
"""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from chat.protocol import errors, events
from chat.protocol.events import Chunk, Give
from chat.protocol.prompt import Prompt
from chat.providers import configuration, validation
from chat.providers.deadline import Deadline

RETRIED = (errors.Unavailable, errors.ResourceExhausted, errors.Internal, errors.BadUpstream, errors.Truncated)
BROKEN = (errors.Unavailable, errors.DeadlineExceeded, errors.Internal, errors.BadUpstream, errors.Truncated)
ELSEWHERE = (*BROKEN, errors.ResourceExhausted, errors.PermissionDenied, errors.NotFound)
"""What is tried again; what speaks against the upstream; what another model might do better."""


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
    def from_settings(cls, settings: configuration.Settings) -> "Patience":
        """Raises ValueError with a sentence that names the variable."""
        default = cls()
        return cls(
            first=configuration.number(settings, "WONDERCAM_LIMIT_FIRST_TOKEN_SECONDS", default.first, 0.01),
            idle=configuration.number(settings, "WONDERCAM_LIMIT_IDLE_SECONDS", default.idle, 0.01),
            total=configuration.number(settings, "WONDERCAM_LIMIT_STREAM_SECONDS", default.total, 0.01),
            attempts=configuration.whole(settings, "WONDERCAM_UPSTREAM_ATTEMPTS", default.attempts, 1),
            retry_after=configuration.number(settings, "WONDERCAM_UPSTREAM_RETRY_SECONDS", default.retry_after),
        )


class Breaker:
    """After `most` failures in a row an upstream is left alone for `rest` seconds; then one turn tries it again."""

    def __init__(self, most: int = 5, rest: float = 15.0, clock: Callable[[], float] = time.monotonic) -> None:
        self._most, self._rest, self._clock = most, rest, clock
        self._failures = 0
        self._closed_until = 0.0

    def admit(self, who: str) -> None:
        """Pass, or raise Unavailable at once."""
        if self._failures < self._most:
            return
        left = self._closed_until - self._clock()
        if left > 0:
            raise errors.Unavailable(f"{who} has failed several times in a row and rests.", retry_after=int(left) + 1)
        self._closed_until = self._clock() + self._rest  # this turn tries; the others go on resting

    def succeeded(self) -> None:
        """All is well again."""
        self._failures = 0

    def note(self, error: errors.ApiError, begun: bool) -> None:
        """Count a failure before the first content; whoever refuses with a reason is alive."""
        if begun:
            return
        if isinstance(error, BROKEN):
            self._failures += 1
            self._closed_until = self._clock() + self._rest
        else:
            self._failures = 0


@dataclass(slots=True)
class Turn:
    """What one turn has had so far, over all its attempts: `begun` once any content reached the reader."""

    patience: Patience
    ends: float
    begun: bool = False
    ended: bool = False
    _time: Callable[[], float] = time.monotonic
    _ends: float = 0.0
    _first: float = 0.0

    def deadline(self) -> Deadline:
        """Until when the first chunk of an attempt that begins now must come."""
        self._time = asyncio.get_running_loop().time
        now = self._time()
        self._ends = now + self.ends - time.monotonic()
        self._first = now + self.patience.first
        return Deadline(min(self._first, self._ends))

    def noting(self, give: Give, who: str, deadline: Deadline) -> Give:
        """`give`, with every chunk looked at on its way and the deadline moved; a reader without room is not late."""
        time, idle, ends = self._time, self.patience.idle, self._ends

        def noted(chunk: Chunk) -> "asyncio.Future[None] | None":
            if self.begun and chunk.reason is None:
                deadline.until = min(time() + idle, ends)
            else:
                self.note(chunk, who)
                deadline.move(self.next_deadline(chunk))
            if (full := give(chunk)) is not None and not deadline.paused:
                deadline.paused = True
                full.add_done_callback(go_on)
            return full

        def go_on(_: object) -> None:
            deadline.paused, deadline.until = False, min(time() + idle, ends)

        return noted

    def next_deadline(self, chunk: Chunk) -> float:
        """Until when the next chunk must come, on the loop's clock; waiting in our own line is nobody's fault."""
        if self.begun:
            return min(self._time() + self.patience.idle, self._ends)
        if chunk.notice == events.WAITING:
            self._first = 0.0
            return self._ends
        self._first = self._first or self._time() + self.patience.first
        return min(self._first, self._ends)

    def late(self, deadline: Deadline, who: str) -> errors.DeadlineExceeded:
        """The sentence for the deadline that was missed."""
        if deadline.until >= self._ends:
            seconds = f"{self.patience.total:g}"
            return errors.DeadlineExceeded(f"The answer took longer than {seconds} seconds: it ends here.")
        if self.begun:
            return errors.DeadlineExceeded(f"{who} fell silent in the middle of the answer.")
        return errors.DeadlineExceeded(f"{who} did not begin to answer within {self.patience.first:g} seconds.")

    def note(self, chunk: Chunk, who: str) -> None:
        """Look at a chunk; raises BadUpstream or Blocked where it ends without any content."""
        if not self.begun:
            self.begun = validation.has_content(chunk)
        if chunk.reason:
            self.ended = True
            if not self.begun:
                raise_empty(chunk.reason, who)


def raise_empty(reason: str, who: str) -> None:
    """Raise what an end without any content stands for; MAX_TOKENS says by itself what happened."""
    if reason in validation.REFUSALS:
        raise errors.Blocked(f"{who} refused to answer {validation.REFUSALS[reason]}.")
    if reason != "MAX_TOKENS":
        raise errors.BadUpstream(f"{who} ended without an answer.")


async def answer(
    ask: Callable[[Prompt, Give], Awaitable[None]], prompt: Prompt, breaker: Breaker, turn: Turn, give: Give
) -> None:
    """Give one model's answer within its deadlines, tried again where that can help; ends after a finishReason or
    raises."""
    who = prompt.model.title or prompt.model.id
    for attempt in range(1, turn.patience.attempts + 1):
        breaker.admit(who)
        try:
            deadline = turn.deadline()
            try:
                with deadline:
                    await ask(prompt, turn.noting(give, who, deadline))
            except TimeoutError:
                raise turn.late(deadline, who) from None
            if not turn.ended:
                raise errors.Truncated(f"{who} ended the answer in the middle.")
            breaker.succeeded()
            return
        except errors.ApiError as error:
            breaker.note(error, turn.begun)
            pause = delay(error, attempt, turn.patience)
            if turn.begun or pause is None or time.monotonic() + pause >= turn.ends:
                raise
            turn.ended = False
        await asyncio.sleep(pause)


def delay(error: errors.ApiError, attempt: int, patience: Patience) -> float | None:
    """Seconds until the next attempt: full jitter (Brooker, "Exponential backoff and jitter"), Retry-After at least."""
    if attempt >= patience.attempts or not isinstance(error, RETRIED):
        return None
    jitter = random.uniform(0, patience.backoff * 2 ** (attempt - 1))
    asked = error.retry_after or 0
    return None if asked > patience.retry_after else asked + jitter


def may_go_elsewhere(error: errors.ApiError, turn: Turn) -> bool:
    """Whether another model may answer instead: nothing has been read yet, there is time, and it may help."""
    return not turn.begun and isinstance(error, ELSEWHERE) and time.monotonic() < turn.ends


def final(error: errors.ApiError) -> errors.ApiError:
    """The error as its reader gets it: 429 and 503 always say when to try again."""
    if error.retry_after is None and isinstance(error, errors.Unavailable | errors.ResourceExhausted):
        error.retry_after = 5
    return error
