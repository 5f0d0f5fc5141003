"""The circuit breaker: after several failures in a row a model is not asked for a while, and users are told at once.

It opens for everybody only after failures of several users. The prompts of a single user could make any upstream fail,
so after those it opens for that user alone.
"""

import time
from collections.abc import Callable
from typing import Any

from chat.protocol import errors
from chat.providers.validation import NoAnswer

BROKEN = (errors.Unavailable, errors.DeadlineExceeded, errors.Internal, errors.BadUpstream, errors.Truncated)
"""Errors that count as failures of the upstream, except `NoAnswer`, which shows that it works."""

PEOPLE = 2
"""The breaker opens for everybody only after failures of this many users."""

MOST_REMEMBERED = 1000


class Breaker:
    """Opens after `most` failed turns in a row, for `rest` seconds; then one turn tries the model again.

    `asker` identifies the user, by any hashable value.
    """

    def __init__(self, most: int = 5, rest: float = 15.0, clock: Callable[[], float] = time.monotonic) -> None:
        self._most, self._rest, self._clock = most, rest, clock
        self._failures: dict[Any, int] = {}
        self._closed_until: dict[Any, float] = {}

    @property
    def is_open(self) -> bool:
        """Whether the breaker is open for everybody."""
        return self._rests_for_all() and max(self._closed_until.values(), default=0.0) > self._clock()

    def admit(self, who: str, asker: Any = None) -> None:
        """Return, or raise Unavailable, whose sentence names `who`, if the breaker is open for this user."""
        if not self._failures or not self._resting(asker):
            return
        left = self._closed_until.get(asker, 0.0) - self._clock()
        if self._rests_for_all():
            left = max(self._closed_until.values()) - self._clock()
        if left > 0:
            raise errors.Unavailable(f"{who} has failed several times in a row and rests.", retry_after=int(left) + 1)
        self._closed_until[asker] = self._clock() + self._rest  # this turn tries; it stays open for others

    def _resting(self, asker: Any) -> bool:
        return self._rests_for_all() or self._failures.get(asker, 0) >= self._most

    def _rests_for_all(self) -> bool:
        return len(self._failures) >= PEOPLE and sum(self._failures.values()) >= self._most

    def succeeded(self) -> None:
        """Close the breaker."""
        self._failures.clear()
        self._closed_until.clear()

    def note(self, error: errors.ApiError, asker: Any, begun: bool) -> None:
        """Count a turn that failed before its first content. An upstream that refuses with a reason works."""
        if begun:
            return
        if not isinstance(error, BROKEN) or isinstance(error, NoAnswer):
            return self.succeeded()
        if len(self._failures) >= MOST_REMEMBERED:
            self.succeeded()
        self._failures[asker] = self._failures.get(asker, 0) + 1
        self._closed_until[asker] = self._clock() + self._rest
