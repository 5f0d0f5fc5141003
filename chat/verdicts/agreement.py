"""The agreement of several reviewers: Krippendorff's alpha for interval data.

Alpha is 1 minus the observed disagreement over the one expected by chance (K. Krippendorff, "Computing Krippendorff's
Alpha-Reliability", 2011): 1 is full agreement, 0 is chance; below 0.667 the scores support no conclusions.
"""

from collections.abc import Collection, Iterable
from itertools import chain


def alpha(units: Iterable[Collection[float]]) -> float | None:
    """Return alpha for the scores of each unit; None if it is undefined.

    Units with fewer than two scores are ignored. If all scores are equal, chance would not produce a disagreement, so
    alpha is undefined.
    """
    paired = [tuple(scores) for scores in units if len(scores) > 1]
    values = list(chain.from_iterable(paired))
    expected = _differences(values) / (len(values) - 1) if len(values) > 1 else 0.0
    if not expected:
        return None
    return 1 - sum(_differences(scores) / (len(scores) - 1) for scores in paired) / expected


def _differences(scores: Collection[float]) -> float:
    """Return the sum of squared differences over all ordered pairs, as 2 (n Σx² − (Σx)²)."""
    return 2 * (len(scores) * sum(score * score for score in scores) - sum(scores) ** 2)
