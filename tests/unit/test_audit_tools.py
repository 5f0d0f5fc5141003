"""`make audit` reports what each tool finds, and fails when one finds anything."""

import json
import subprocess
from typing import Any

import pytest

from deploy import advisories, audit

FOUND: dict[str, tuple[Any, str]] = {
    "bandit": (
        {"results": [{"filename": "a.py", "line_number": 3, "test_id": "B608", "issue_text": "SQL"}]},
        "a.py:3: B608 SQL",
    ),
    "detect-secrets": ({"results": {"b.py": [{"line_number": 7, "type": "AWS Access Key"}]}}, "b.py:7: AWS Access Key"),
    "gixy": ([{"plugin": "ssrf", "reason": "", "summary": "Any host."}], "deploy/nginx.conf: ssrf: Any host."),
}
NOTHING: dict[str, Any] = {"bandit": {"results": []}, "detect-secrets": {"results": {}}, "gixy": []}


def tools(*finding: str) -> audit.Run:
    """The tools, of which some find something."""

    def run(command: list[str]) -> subprocess.CompletedProcess[str]:
        name = command[0].rpartition("/")[2]
        said = FOUND[name][0] if name in finding else NOTHING[name]
        return subprocess.CompletedProcess(command, 0, json.dumps(said), "")

    return run


@pytest.fixture(autouse=True)
def databases(monkeypatch: pytest.MonkeyPatch) -> None:
    """They could not be asked."""
    monkeypatch.setattr(advisories, "main", lambda: 2)


@pytest.mark.parametrize("name", FOUND)
def test_what_a_tool_finds_is_printed_and_fails(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert audit.main(tools(name)) == 1
    assert f"1 found.\n  {FOUND[name][1]}\n" in capsys.readouterr().out


def test_where_nothing_is_found_the_advisories_decide(capsys: pytest.CaptureFixture[str]) -> None:
    assert audit.main(tools()) == 2
    assert capsys.readouterr().out.count("nothing found.") == len(FOUND)
