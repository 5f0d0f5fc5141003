"""The table as Markdown, everything behind it as JSON."""

import importlib.metadata
import json
import platform
import sqlite3
import subprocess
from datetime import UTC, datetime
from pathlib import Path

from bench.process import machine
from bench.rows import ROWS, Rounds, Row, mean, verdict
from bench.servers import ROOT, TITLES

PACKAGES = ("Django", "daphne", "Twisted", "uvloop", "aiohttp", "msgspec", "fastapi", "uvicorn", "httptools", "httpx")
BEGIN, END = "<!-- the table: written by `make bench` -->", "<!-- end of the table -->"


def circumstances() -> dict[str, str]:
    """Where, when and what was measured."""
    commit = subprocess.run(["git", "describe", "--always", "--dirty"], cwd=ROOT, capture_output=True, text=True)
    return {
        "machine": machine(),
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "commit": commit.stdout.strip() or "unknown",
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        **{name: importlib.metadata.version(name) for name in PACKAGES},
    }


def shown(value: float | None) -> str:
    """Three figures, no more."""
    if value is None:
        return "–"
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}".removesuffix(".00")


def line(row: Row, rounds: Rounds, servers: list[str]) -> str:
    """One row of the table."""
    values = [mean(row, rounds[server]) for server in servers]
    ours, other = mean(row, rounds.get(row.ours, [])), mean(row, rounds.get(row.beside, []))
    ratio = f"{ours / other:.2f}" if ours is not None and other else "–"
    met = {True: "yes", False: "**no**", None: "–"}[verdict(row, rounds)]
    title = f"{row.title} ({row.unit})" if row.unit else row.title
    return f"| {title} | {' | '.join(map(shown, values))} | {ratio} | {row.target} | {met} |"


def table(rounds: Rounds, facts: dict[str, str]) -> str:
    """The whole table, its circumstances above, its cautions below."""
    servers = [key for key in TITLES if rounds.get(key)]
    versions = ", ".join(f"{name} {facts[name]}" for name in PACKAGES)
    head = (
        f"{facts['machine']}; {facts['date']}; commit {facts['commit']}; Python {facts['python']}, "
        f"SQLite {facts['sqlite']}, {versions}. Means of {max(map(len, rounds.values()))} rounds."
    )
    lines = [
        head,
        "",
        f"| | {' | '.join(TITLES[key] for key in servers)} | ratio | target | met |",
        f"| --- |{' ---: |' * len(servers)} ---: | --- | --- |",
        *(line(row, rounds, servers) for row in ROWS),
        "",
        *cautions(rounds),
    ]
    return "\n".join(lines).rstrip() + "\n"


def cautions(rounds: Rounds) -> list[str]:
    """What a reader of the table must know about this run."""
    found = []
    results = [result for each in rounds.values() for one in each for result in one.values()]
    disturbed = [r for r in results if (r.others_cores or 0) + (r.stolen_cores or 0) > 0.15]
    if disturbed:
        most = max((r.others_cores or 0) + (r.stolen_cores or 0) for r in disturbed)
        found.append(
            f"Disturbed: in {len(disturbed)} of {len(results)} loads other programs or the host took over "
            f"0.15 cores, at most {most:.2f}. Times, and to a lesser degree CPU, are worse for it."
        )
    found += sorted({f"Failed at {r.server}, {r.load}: {r.sample[0]}" for r in results if r.sample})
    return [f"- {text}" for text in found]


def as_json(rounds: Rounds, facts: dict[str, str]) -> str:
    """Every result of every round, and the rows."""
    rows = [
        {
            "title": row.title,
            "unit": row.unit,
            "target": row.target,
            "met": verdict(row, rounds),
            "values": {key: [row.value(one) for one in each] for key, each in rounds.items()},
        }
        for row in ROWS
    ]
    results = {key: [{load: r.as_json() for load, r in one.items()} for one in each] for key, each in rounds.items()}
    return json.dumps({"circumstances": facts, "rows": rows, "rounds": results}, indent=1, ensure_ascii=False) + "\n"


def into(document: Path, text: str, begin: str = BEGIN, end: str = END) -> None:
    """Put `text` between the two marks of `document`; ValueError where it has not got them."""
    before, found, rest = document.read_text().partition(begin)
    _, found_end, after = rest.partition(end)
    if not (found and found_end):
        raise ValueError(f"{document} has no place for it: {begin} … {end}")
    document.write_text(f"{before}{begin}\n{text}{end}{after}")
