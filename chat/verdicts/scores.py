"""Exports verdicts: as Langfuse's scores in JSON lines, and as CSV.

A score is the body of `POST /api/public/scores` (Langfuse's `CreateScoreRequest`): the verdict's own is NUMERIC, each
criterion BOOLEAN (1 or 0), each tag CATEGORICAL. Its `traceId` is the stream's id, and its `id` is stable, so that
sending it again is idempotent. A verdict on a pair is a CATEGORICAL score of both answers.
"""

import csv
import io
import json
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any

from chat.models import PairVerdict, Verdict
from chat.verdicts.pairs import turned

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""Characters that begin a formula in spreadsheets (OWASP, CSV injection), also in full-width form."""

COLUMNS = ("stream", "reviewer", "score", "correct", "helpful", "clear", "safe", "tags", "note", "flagged", "filed")

PAIR_COLUMNS = ("one", "one model", "other", "other model", "reviewer", "better", "left", "note", "filed")

COMPARED = {"one": "better", "other": "worse", "tie": "as good", "bad": "both bad"}
"""The value of a pair's outcome for its first answer."""


def as_scores(verdict: Verdict) -> Iterator[dict[str, Any]]:
    """Yield the verdict as Langfuse's scores, with the note in the first one."""
    common = {
        "traceId": str(verdict.stream_id),
        "metadata": {"reviewer": verdict.reviewer.get_username(), "filed": verdict.updated_at.isoformat()},
    }
    found: list[tuple[str, str, Any]] = []
    if verdict.score is not None:
        found.append(("score", "NUMERIC", verdict.score))
    found += [(name, "BOOLEAN", int(held)) for name, held in verdict.rubric.items()]
    found += [("tag", "CATEGORICAL", tag) for tag in verdict.tags]
    if verdict.flagged or not found:
        found.append(("flagged", "BOOLEAN", int(verdict.flagged)))
    for place, (name, data_type, value) in enumerate(found):
        last = f"-{value}" if data_type == "CATEGORICAL" else ""
        score = {"id": f"{verdict.pk}-{name}{last}", "name": name, "value": value, "dataType": data_type, **common}
        yield {**score, "comment": verdict.note} if verdict.note and place == 0 else score


def of_pair(verdict: PairVerdict) -> Iterator[dict[str, Any]]:
    """Yield the verdict on a pair as a score of each of its streams, with the note in the first one."""
    reviewer, filed = verdict.reviewer.get_username(), verdict.at.isoformat()
    sides = [(verdict.one, verdict.other, verdict.outcome, verdict.one_was_left)]
    sides.append((verdict.other, verdict.one, turned(verdict.outcome), not verdict.one_was_left))
    for place, (stream, against, outcome, was_left) in enumerate(sides):
        about = {"against": str(against.pk), "model": stream.model_id, "against_model": against.model_id}
        metadata = {"reviewer": reviewer, "filed": filed, **about, "shown": "left" if was_left else "right"}
        number = f"pair-{verdict.one_id}-{verdict.other_id}-{verdict.reviewer_id}-{place}"
        said = {"name": "compared", "value": COMPARED[outcome], "dataType": "CATEGORICAL"}
        score = {"id": number, "traceId": str(stream.pk), **said, "metadata": metadata}
        yield {**score, "comment": verdict.note} if verdict.note and place == 0 else score


def json_lines(verdicts: Iterable[Verdict], pairs: Iterable[PairVerdict] = ()) -> Iterator[str]:
    """Yield all scores, one JSON object per line."""
    found = chain(chain.from_iterable(map(as_scores, verdicts)), chain.from_iterable(map(of_pair, pairs)))
    return (json.dumps(score, ensure_ascii=False) + "\n" for score in found)


def table(verdicts: Iterable[Verdict]) -> Iterator[str]:
    """Yield all verdicts as CSV (RFC 4180) with a header. Cells are escaped, so that none is a formula."""
    yield _row(COLUMNS)
    for verdict in verdicts:
        rubric = [verdict.rubric.get(name, "") for name in COLUMNS[3:7]]
        said = [verdict.stream_id, verdict.reviewer.get_username(), verdict.score or "", *rubric]
        yield _row([*said, ", ".join(verdict.tags), verdict.note, verdict.flagged, verdict.updated_at.isoformat()])


def pair_table(verdicts: Iterable[PairVerdict]) -> Iterator[str]:
    """Yield the verdicts on pairs as CSV, likewise. `better` is one, other, tie or bad; `left` is one or other."""
    yield _row(PAIR_COLUMNS)
    for verdict in verdicts:
        streams = [verdict.one_id, verdict.one.model_id, verdict.other_id, verdict.other.model_id]
        left = "one" if verdict.one_was_left else "other"
        said = [verdict.reviewer.get_username(), verdict.outcome, left, verdict.note, verdict.at.isoformat()]
        yield _row([*streams, *said])


def _row(cells: Iterable[Any]) -> str:
    out = io.StringIO()
    csv.writer(out).writerow([_harmless(str(cell)) for cell in cells])
    return out.getvalue()


def _harmless(cell: str) -> str:
    return f"'{cell}" if cell.lstrip(" ").startswith(FORMULA) else cell
