"""Results for people: one server's in a terminal, several beside each other in Markdown; and as JSON."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict

from tests.conformance.run import Result, Verdict

MARKS = {
    Verdict.KEPT: "**kept**",
    Verdict.BROKEN: "**broken**",
    Verdict.EXTRA: "passes",
    Verdict.MISSING: "no",
    Verdict.ABSENT: "–",
}
"""How Markdown says a verdict."""


def for_terminal(results: Sequence[Result]) -> str:
    """A line a check, with what was found, and a line of sums."""
    width = max(len(result.name) for result in results)
    marks = max(len(result.verdict) for result in results)
    lines = []
    for result in results:
        lines.append(f"{result.verdict:<{marks}}  {result.name:<{width}}  {result.sentence}")
        if result.detail:
            lines.append(f"{'':<{marks}}  {'':<{width}}  └ {result.detail}")
    counts = {verdict: sum(result.verdict is verdict for result in results) for verdict in Verdict}
    lines.append(", ".join(f"{count} {verdict}" for verdict, count in counts.items() if count))
    return "\n".join(lines)


def as_json(results: Sequence[Result]) -> str:
    """A list of objects with `name`, `sentence`, `verdict`, `promised` and `detail`."""
    return json.dumps([asdict(result) for result in results], indent=2, ensure_ascii=False)


def beside(found: Mapping[str, Sequence[Result]]) -> str:
    """A Markdown table with a row a check and a column a server, by the servers' names."""
    rows = [f"| check | {' | '.join(found)} |", "| --- |" + " --- |" * len(found)]
    for row in zip(*found.values(), strict=True):
        rows.append(f"| {row[0].sentence} | {' | '.join(MARKS[result.verdict] for result in row)} |")
    return "\n".join(rows)
