"""The partitions of the event table on PostgreSQL: which ones to create and which ones are old enough to drop.

A stream's id begins with the time of its creation (`protocol/ids.py`), so a range of ids is a period of time, and all
events of a stream are in one partition. Days are in UTC, numbered from 1970. `postgres_partitions.py` creates and drops
partitions in the database.
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
"""A partition lasts this fraction (1/30) of the time for which recordings are kept, at least a day."""

FOR_EVER = 30
"""Days of a partition if recordings are kept for ever."""

AHEAD = 2
"""Partitions exist for this many times the length of one ahead of now."""

BOUND = re.compile(r"FOR VALUES FROM \((?:MINVALUE|'([0-9a-f-]{36})')\) TO \((?:MAXVALUE|'([0-9a-f-]{36})')\)")
"""The bounds of a partition as PostgreSQL formats them (`pg_get_expr` of `relpartbound`)."""


class Partition(NamedTuple):
    """Holds the events of streams with ids from `start` (inclusive) to `end` (exclusive); None means unbounded."""

    name: str
    start: UUID | None
    end: UUID | None

    @classmethod
    def of(cls, name: str, bound: str) -> Self | None:
        """The partition with these bounds from the catalogue; None for the default partition."""
        found = BOUND.fullmatch(bound)
        return found and cls(name, *(UUID(each) if each else None for each in found.groups()))

    @classmethod
    def between(cls, first: int, behind: int) -> Self:
        """The partition of the days from `first` (inclusive) to `behind` (exclusive)."""
        day = datetime.fromtimestamp(first * DAY, UTC)
        return cls(f"chat_event_{day:%Y%m%d}", ids.first_of(first * DAY), ids.first_of(behind * DAY))

    @property
    def days(self) -> float:
        """Its length; infinite if it is unbounded."""
        return _day_of(self.end) - _day_of(self.start) if self.start and self.end else float("inf")


def span(keep_days: int) -> int:
    """Days that a new partition covers if recordings are kept for `keep_days` (0: for ever). A recording is deleted up
    to this much later than its age says."""
    return max(1, keep_days // SHARE) if keep_days else FOR_EVER


def wanted(found: Iterable[Partition], now: datetime, keep_days: int) -> list[Partition]:
    """The partitions to create, in order: after the last existing one, until `AHEAD` are ahead of `now`. If none was
    created for a while, one partition covers that time."""
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
    """The partitions whose streams were all created before this time, the oldest first."""
    first = ids.first_of(int(before.timestamp()))
    return sorted((each for each in found if each.end and each.end <= first), key=lambda each: each.end or first)


def awaited(found: Sequence[Partition], before: datetime, keep_days: int) -> Partition | None:
    """The partition that contains this time, if it is short enough for its streams to be deleted together later."""
    first = ids.first_of(int(before.timestamp()))
    inside = (each for each in found if each.start and each.end and each.start < first < each.end)
    return next((each for each in inside if each.days <= span(keep_days)), None)


def _day_of(bound: UUID | None) -> int:
    return ids.seconds_of(bound) // DAY if bound else 0
