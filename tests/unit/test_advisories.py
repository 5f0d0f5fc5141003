"""`make audit` reports known vulnerabilities of the locked packages; a database that cannot be asked is an error."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from deploy import advisories

DAPHNE = {"name": "daphne", "version": "4.2.1", "vulns": [{"id": "CVE-2026-44545", "fix_versions": ["4.2.2"]}]}
MINIMIST = {
    "range": "<0.2.4",
    "via": [{"title": "Prototype Pollution", "severity": "critical", "url": "https://example.org/1"}, "mkdirp"],
}


class Programs:
    """pip-audit and npm as their databases would have them answer: about what is known everywhere, and about ours."""

    def __init__(self, python: Any = (), page: Any = (), *, knows: bool = True, error: str = "") -> None:
        self.python, self.page, self.knows, self.error = list(python), dict(page), knows, error
        self.asked: list[list[str]] = []

    def __call__(self, command: list[str]) -> subprocess.CompletedProcess[str]:
        self.asked.append(command)
        if self.error:
            return subprocess.CompletedProcess(command, 1, "", f"Traceback\n{self.error}\n")
        said = self.of_npm(command) if command[0] == "npm" else self.of_pip_audit(command)
        return subprocess.CompletedProcess(command, 1, json.dumps(said), "")

    def of_npm(self, command: list[str]) -> dict[str, Any]:
        lock = json.loads((Path(command[-1]) / "package-lock.json").read_text())
        is_known = "node_modules/minimist" in lock["packages"]
        return {
            "auditReportVersion": 2,
            "vulnerabilities": ({"minimist": MINIMIST} if self.knows else {}) if is_known else self.page,
        }

    def of_pip_audit(self, command: list[str]) -> dict[str, Any]:
        locks = "".join(Path(word).read_text() for word in command if word.endswith(".txt"))
        is_known = "daphne==4.2.1" in locks
        return {"dependencies": ([DAPHNE] if self.knows else [{**DAPHNE, "vulns": []}]) if is_known else self.python}


def test_nothing_known_is_said_of_both_and_every_lock_was_asked_about(capsys: Any) -> None:
    programs = Programs([{"name": "django", "version": "5.2.19", "vulns": []}])
    assert advisories.main(programs) == 0
    assert (
        capsys.readouterr().out
        == "The Python packages: no known advisories.\nThe page's packages: no known advisories.\n"
    )
    asked = {Path(word).name for command in programs.asked for word in command if word.endswith(".txt")}
    assert asked == {lock.name for lock in advisories.ROOT.glob("requirements*.txt")}
    assert [command for command in programs.asked if command[-1] == str(advisories.ROOT)]


def test_what_is_known_is_named_with_the_release_that_has_it_no_more(capsys: Any) -> None:
    weakness = {"id": "GHSA-1", "aliases": ["CVE-1"], "fix_versions": []}
    programs = Programs([DAPHNE, {"name": "x", "version": "1", "vulns": [weakness]}], {"minimist": MINIMIST})
    assert advisories.main(programs) == 1
    said = capsys.readouterr().out
    assert "  daphne 4.2.1: CVE-2026-44545, fixed in 4.2.2\n" in said
    assert "  x 1: GHSA-1 = CVE-1, fixed in no release yet\n" in said
    assert "  minimist <0.2.4: Prototype Pollution (critical), https://example.org/1\n" in said
    assert "1 known advisory" in said


@pytest.mark.parametrize("found", [[], [DAPHNE]], ids=["nothing", "something"])
def test_a_database_that_knows_no_published_advisory_is_not_believed(found: Any, capsys: Any) -> None:
    assert advisories.main(Programs(found, knows=False)) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert "Python packages were not looked up: it knows of no advisory for daphne 4.2.1" in said.err
    assert "page's packages were not looked up: it knows of no advisory for minimist 0.0.8" in said.err


def test_without_a_network_the_reason_is_said_and_the_status_is_another_one(capsys: Any) -> None:
    assert advisories.main(Programs(error="no such host")) == 2
    assert "not looked up: no such host." in capsys.readouterr().err


def test_a_registry_without_advisories_is_told_from_one_that_knows_none(capsys: Any) -> None:
    def refused(command: list[str]) -> subprocess.CompletedProcess[str]:
        return subprocess.CompletedProcess(
            command, 1, '{"message": "405 Method Not Allowed"}', "npm error A log is at x\n"
        )

    assert advisories.main(refused) == 2
    assert "405 Method Not Allowed" in capsys.readouterr().err


def test_a_program_that_is_not_there_is_said(capsys: Any) -> None:
    def missing(command: list[str]) -> subprocess.CompletedProcess[str]:
        raise FileNotFoundError(2, "No such file or directory", command[0])

    assert advisories.main(missing) == 2
    assert "'npm'" in capsys.readouterr().err
