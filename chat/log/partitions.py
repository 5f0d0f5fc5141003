"""Which partitions the table of events has on PostgreSQL: days, and the ids of the streams that were made on them.

A stream's id begins with the moment of its making (`protocol/ids.py`), so a range of ids is a time, and all events of
a stream lie in one partition. Days are UTC's, as numbers since 1970. What is made and dropped by it:
`postgres_partitions.py`.
"""

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import NamedTuple, Self
from uuid import UUID

from chat.protocol import ids

DAY = 86_400
"""Seconds."""

SHARE = 30
"""A partition lasts so large a part of the time for which recordings are kept, and a day at least."""

FOR_EVER = 30
"""Days of a partition where they are kept for ever."""

AHEAD = 2
"""For so many partitions' time there are some already."""

BOUND = re.compile(r"FOR VALUES FROM \((?:MINVALUE|'([0-9a-f-]{36})')\) TO \((?:MAXVALUE|'([0-9a-f-]{36})')\)")
"""As PostgreSQL writes it (`pg_get_expr` of `relpartbound`)."""


class Partition(NamedTuple):
    """The events of the streams with ids from `start` to below `end`; without a `start` or an `end`, of all there."""

    name: str
    start: UUID | None
    end: UUID | None

    @classmethod
    def of(cls, name: str, bound: str) -> Self | None:
        """By what the catalogue says of it; None of the one that takes what belongs nowhere else."""
        found = BOUND.fullmatch(bound)
        return found and cls(name, *(UUID(each) if each else None for each in found.groups()))

    @classmethod
    def between(cls, first: int, behind: int) -> Self:
        """The one of the days from `first` to the one before `behind`."""
        day = datetime.fromtimestamp(first * DAY, UTC)
        return cls(f"chat_event_{day:%Y%m%d}", ids.first_of(first * DAY), ids.first_of(behind * DAY))

    @property
    def days(self) -> float:
        """How long it lasts."""
        return _day_of(self.end) - _day_of(self.start) if self.start and self.end else float("inf")


def span(keep_days: int) -> int:
    """The days of a partition where recordings are kept for so many (0: for ever). What goes by partitions goes up to
    so much later than each by itself would."""
    return max(1, keep_days // SHARE) if keep_days else FOR_EVER


def wanted(found: Iterable[Partition], now: datetime, keep_days: int) -> list[Partition]:
    """What is to be made, in its order: behind the last there is, until `AHEAD` are ahead of `now`. One covers the time
    in which nobody has made any."""
    ends = [each.end for each in found]
    if not ends or None in ends:
        return []
    today, days, made = int(now.timestamp()) // DAY, span(keep_days), list[Partition]()
    end = max(_day_of(each) for each in ends)
    while end < today + days * AHEAD + 1:
        made.append(Partition.between(end, max(end, today) + days))
        end = max(end, today) + days
    return made


def over(found: Iterable[Partition], before: datetime) -> list[Partition]:
    """Those whose streams were all made before that moment, the oldest first."""
    first = ids.first_of(int(before.timestamp()))
    return sorted((each for each in found if each.end and each.end <= first), key=lambda each: each.end or first)


def awaited(found: Sequence[Partition], before: datetime, keep_days: int) -> Partition | None:
    """The one of which only a part is that old, if the rest follows soon enough for its streams to go together."""
    first = ids.first_of(int(before.timestamp()))
    inside = (each for each in found if each.start and each.end and each.start < first < each.end)
    return next((each for each in inside if each.days <= span(keep_days)), None)


def _day_of(bound: UUID | None) -> int:
    return ids.seconds_of(bound) // DAY if bound else 0
