"""Blind comparisons of two answers to one request.

    rerun_stream, or an answer generated again ── pair ── a reviewer's verdict ── standings, scores, a table

A pair is ordered by its ids. Which of the two is on the left is random for each reviewer and pair, but stays the same:
so a reviewer's preference for one side does not favour a model, and `left_share` shows it.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.crypto import salted_hmac

from chat.models import PairVerdict, Stream, StreamRerun, User

Outcome = PairVerdict.Outcome

COMPARED = 5_000
"""The most verdicts on pairs, the newest, in standings and exports."""


class Pair(NamedTuple):
    """Two streams in the order of their ids."""

    one: Stream
    other: Stream

    @classmethod
    def of(cls, first: Stream, second: Stream) -> "Pair":
        """Return the pair of two streams given in any order."""
        return cls(*sorted((first, second), key=lambda stream: stream.pk))

    def one_is_left(self, reviewer: User) -> bool:
        """Whether this reviewer sees `one` on the left."""
        value = f"{reviewer.pk}:{self.one.pk}:{self.other.pk}"
        chance = salted_hmac("chat.verdicts.pairs", value, algorithm="sha1").digest()
        return chance[0] % 2 == 0

    def file(self, reviewer: User, said: str, note: str) -> PairVerdict:
        """Store the reviewer's verdict; `said` is left, right, tie or bad."""
        left = self.one_is_left(reviewer)
        sides = {"left": Outcome.ONE if left else Outcome.OTHER, "right": Outcome.OTHER if left else Outcome.ONE}
        return PairVerdict.objects.create(
            one=self.one,
            other=self.other,
            reviewer=reviewer,
            outcome=sides.get(said, said),
            one_was_left=left,
            note=note,
        )

    def verdicts(self) -> QuerySet[PairVerdict]:
        """Return all verdicts on the pair, with their reviewers."""
        return PairVerdict.objects.filter(one=self.one, other=self.other).select_related("reviewer")


def waiting(reviewer: User) -> QuerySet[StreamRerun]:
    """Return the reruns that this reviewer has not compared with their originals."""
    filed = PairVerdict.objects.filter(
        Q(one=OuterRef("stream"), other=OuterRef("original")) | Q(one=OuterRef("original"), other=OuterRef("stream")),
        reviewer=reviewer,
    )
    return StreamRerun.objects.exclude(Exists(filed)).select_related("stream__user", "original__user")


def latest() -> list[PairVerdict]:
    """Return the newest verdict of each reviewer on each pair, among the `COMPARED` newest."""
    rows = PairVerdict.objects.select_related("reviewer", "one", "other").order_by("-pk")[:COMPARED]
    found: dict[tuple[UUID, UUID, int], PairVerdict] = {}
    for row in rows:
        found.setdefault((row.one_id, row.other_id, row.reviewer_id), row)
    return list(found.values())


@dataclass(slots=True)
class Standings:
    """The results for two models: the count of each outcome. `models` is in the order of their ids; `Outcome.ONE` means
    that the first one was better."""

    models: tuple[str, str]
    found: Counter[str] = field(default_factory=Counter)

    @property
    def row(self) -> tuple[str | int, ...]:
        """The models and the counts: first better, second better, tie, both bad."""
        return (*self.models, *(self.found[each] for each in (Outcome.ONE, Outcome.OTHER, Outcome.TIE, Outcome.BAD)))


def standings(verdicts: Iterable[PairVerdict]) -> list[Standings]:
    """Return the standings of each pair of models, the most compared pairs first."""
    found: dict[tuple[str, str], Standings] = {}
    for verdict in verdicts:
        names, outcome = (verdict.one.model_id, verdict.other.model_id), verdict.outcome
        if names[0] > names[1]:
            names, outcome = (names[1], names[0]), turned(outcome)
        found.setdefault(names, Standings(names)).found[outcome] += 1
    return sorted(found.values(), key=lambda each: -each.found.total())


def turned(outcome: str) -> str:
    """Return the outcome for the pair in the other order."""
    return {Outcome.ONE: Outcome.OTHER, Outcome.OTHER: Outcome.ONE}.get(Outcome(outcome), outcome)


def left_share(verdicts: Iterable[PairVerdict]) -> float | None:
    """Return the share of the left answer among the verdicts for one of the two; None without any. A value far from 0.5
    shows a bias of the reviewers."""
    decided = [row for row in verdicts if row.outcome in (Outcome.ONE, Outcome.OTHER)]
    return sum((row.outcome == Outcome.ONE) == row.one_was_left for row in decided) / len(decided) if decided else None
