"""The breaker: a model whose upstream fails turn after turn rests for a while, and its readers learn it at once.

What may rest a model for everybody is what several people have met. One person's prompts can make any upstream fail
as often as they like; that rests the model for this person alone.
"""

import time
from collections.abc import Callable
from typing import Any

from chat.protocol import errors
from chat.providers.validation import NoAnswer

BROKEN = (errors.Unavailable, errors.DeadlineExceeded, errors.Internal, errors.BadUpstream, errors.Truncated)
"""What speaks against the upstream; but for `NoAnswer`, which a living one gives."""

PEOPLE = 2
"""How many people must have met failures before the model rests for everybody."""

MOST_REMEMBERED = 1000


class Breaker:
    """After `most` turns in a row that failed, a model is left alone for `rest` seconds; then one turn tries it again.

    `asker` is whoever asks, as any hashable value.
    """

    def __init__(self, most: int = 5, rest: float = 15.0, clock: Callable[[], float] = time.monotonic) -> None:
        self._most, self._rest, self._clock = most, rest, clock
        self._failures: dict[Any, int] = {}
        self._closed_until: dict[Any, float] = {}

    @property
    def is_open(self) -> bool:
        """Whether the model rests for everybody just now."""
        return self._rests_for_all() and max(self._closed_until.values(), default=0.0) > self._clock()

    def admit(self, who: str, asker: Any = None) -> None:
        """Pass, or raise Unavailable at once with `who` in its sentence."""
        if not self._failures or not self._resting(asker):
            return
        left = self._closed_until.get(asker, 0.0) - self._clock()
        if self._rests_for_all():
            left = max(self._closed_until.values()) - self._clock()
        if left > 0:
            raise errors.Unavailable(f"{who} has failed several times in a row and rests.", retry_after=int(left) + 1)
        self._closed_until[asker] = self._clock() + self._rest  # this turn tries; the others go on resting

    def _resting(self, asker: Any) -> bool:
        return self._rests_for_all() or self._failures.get(asker, 0) >= self._most

    def _rests_for_all(self) -> bool:
        return len(self._failures) >= PEOPLE and sum(self._failures.values()) >= self._most

    def succeeded(self) -> None:
        """All is well again."""
        self._failures.clear()
        self._closed_until.clear()

    def note(self, error: errors.ApiError, asker: Any, begun: bool) -> None:
        """Count a turn that failed before its first content; whoever refuses with a reason is alive."""
        if begun:
            return
        if not isinstance(error, BROKEN) or isinstance(error, NoAnswer):
            return self.succeeded()
        if len(self._failures) >= MOST_REMEMBERED:
            self.succeeded()
        self._failures[asker] = self._failures.get(asker, 0) + 1
        self._closed_until[asker] = self._clock() + self._rest
