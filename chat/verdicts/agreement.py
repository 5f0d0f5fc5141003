"""How far several reviewers agree: Krippendorff's alpha for numbers at equal distances, plain arithmetic.

K. Krippendorff, "Computing Krippendorff's Alpha-Reliability" (2011): 1 less the disagreement that was seen over the one
that chance would make of the same scores. 1 is full agreement, 0 is chance; below 0.667 no conclusions hold.
"""

from collections.abc import Collection, Iterable
from itertools import chain


def alpha(units: Iterable[Collection[float]]) -> float | None:
    """Alpha of the scores that each unit was given; None where nothing can be said.

    A unit with fewer than two scores says nothing of agreement. Where all scores are the same there is no chance to
    compare them with.
    """
    paired = [tuple(scores) for scores in units if len(scores) > 1]
    values = list(chain.from_iterable(paired))
    expected = _differences(values) / (len(values) - 1) if len(values) > 1 else 0.0
    if not expected:
        return None
    return 1 - sum(_differences(scores) / (len(scores) - 1) for scores in paired) / expected


def _differences(scores: Collection[float]) -> float:
    """The squared differences of all ordered pairs: n times the sum of squares, less the square of the sum, twice."""
    return 2 * (len(scores) * sum(score * score for score in scores) - sum(scores) ** 2)
