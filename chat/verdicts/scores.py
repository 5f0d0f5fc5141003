"""Verdicts as other programs read them: Langfuse's scores, one JSON object a line, and a table.

A score is the body of `POST /api/public/scores` (Langfuse's `CreateScoreRequest`): the verdict's own is NUMERIC, each
criterion BOOLEAN (1 or 0), each tag CATEGORICAL. Its `traceId` is the stream's id, and its `id` stays the same, so that
whoever sends it again changes nothing.
"""

import csv
import io
import json
from collections.abc import Iterable, Iterator
from typing import Any

from chat.models import Verdict

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""What a spreadsheet takes for the beginning of a formula (OWASP, CSV injection), full-width forms among them."""

COLUMNS = ("stream", "reviewer", "score", "correct", "helpful", "clear", "safe", "tags", "note", "flagged", "filed")


def as_scores(verdict: Verdict) -> Iterator[dict[str, Any]]:
    """The verdict as Langfuse's scores; the note goes with the first, or by itself."""
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


def json_lines(verdicts: Iterable[Verdict]) -> Iterator[str]:
    """All of them, a line each."""
    for verdict in verdicts:
        for score in as_scores(verdict):
            yield json.dumps(score, ensure_ascii=False) + "\n"


def table(verdicts: Iterable[Verdict]) -> Iterator[str]:
    """All of them as CSV (RFC 4180), a row each, with a header. No cell is a formula to a spreadsheet."""
    yield _row(COLUMNS)
    for verdict in verdicts:
        rubric = [verdict.rubric.get(name, "") for name in COLUMNS[3:7]]
        said = [verdict.stream_id, verdict.reviewer.get_username(), verdict.score or "", *rubric]
        yield _row([*said, ", ".join(verdict.tags), verdict.note, verdict.flagged, verdict.updated_at.isoformat()])


def _row(cells: Iterable[Any]) -> str:
    out = io.StringIO()
    csv.writer(out).writerow([_harmless(str(cell)) for cell in cells])
    return out.getvalue()


def _harmless(cell: str) -> str:
    return f"'{cell}" if cell.lstrip(" ").startswith(FORMULA) else cell
