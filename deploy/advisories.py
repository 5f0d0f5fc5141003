"""Asks the public databases of advisories about every package of the lock files, Python's and the page's, for
`make audit` (`audit.py`).

pip-audit asks OSV, `npm audit` the registry that npm is set to. Both can answer "nothing is known" without having
looked (a mirror has no advisories, a package is passed over), so each is first asked about a release with published
advisories: one that does not know those is not believed.

Exit status: 0 where nothing is known, 1 where something is, 2 where a database could not be asked.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent

Run = Callable[[list[str]], "subprocess.CompletedProcess[str]"]
"""Runs a program; returns its exit status and its output."""

PIP_AUDIT = [sys.executable, "-m", "pip_audit", "--strict", "--disable-pip", "--require-hashes"]
PIP_AUDIT += ["--vulnerability-service", "osv", "--format", "json", "--progress-spinner", "off"]
NPM_AUDIT = ["npm", "audit", "--package-lock-only", "--json", "--prefix"]

KNOWN_IN_PYTHON = f"daphne==4.2.1 --hash=sha256:{'0' * 64}\n"
"""CVE-2026-44545 and CVE-2026-44546. Only the name and the version are asked about."""
KNOWN_IN_PAGE = {"minimist": {"version": "0.0.8"}}
"""CVE-2020-7598 and CVE-2021-44906."""


class NotAsked(Exception):
    """The database has not answered; the message says why."""


def of_python(run: Run, lock: Path) -> set[str]:
    """The advisories for the packages of a lock file, one a line. Raises NotAsked if OSV does not answer."""
    said = answer(run([*PIP_AUDIT, "-r", str(lock)]), "dependencies")
    return {
        f"{package['name']} {package['version']}: {' = '.join([found['id'], *found.get('aliases', [])])}, "
        f"fixed in {', '.join(found['fix_versions']) or 'no release yet'}"
        for package in said["dependencies"]
        for found in package.get("vulns", [])
    }


def of_page(run: Run, folder: Path) -> set[str]:
    """The same for the package-lock.json in that folder."""
    said = answer(run([*NPM_AUDIT, str(folder)]), "auditReportVersion")
    return {
        f"{name} {found['range']}: {cause['title']} ({cause['severity']}), {cause['url']}"
        for name, found in said["vulnerabilities"].items()
        for cause in found["via"]
        if isinstance(cause, dict)
    }


def answer(done: subprocess.CompletedProcess[str], field: str) -> dict[str, Any]:
    """The JSON that a program has printed, with that field. Otherwise raises NotAsked with its last lines."""
    try:
        said = json.loads(done.stdout)
    except ValueError:
        said = {}
    if field in said:
        return dict(said)
    last = (str(said.get("message", "")) or done.stderr.strip()).splitlines()[-1:]
    raise NotAsked(last[0] if last else f"the program ended with status {done.returncode} and said nothing")


def asked_of_python(run: Run) -> set[str]:
    """Check every lock file, after a test that OSV answers. One by one, since two may pin different versions."""
    with tempfile.TemporaryDirectory() as folder:
        lock = Path(folder) / "requirements.txt"
        lock.write_text(KNOWN_IN_PYTHON)
        believe(of_python(run, lock), "daphne 4.2.1")
    return set().union(*(of_python(run, lock) for lock in sorted(ROOT.glob("requirements*.txt"))))


def asked_of_page(run: Run) -> set[str]:
    """Check package-lock.json, after a test that npm's registry answers."""
    with tempfile.TemporaryDirectory() as folder:
        top = {"name": "known", "version": "1.0.0", "dependencies": {"minimist": "0.0.8"}}
        lock = {"lockfileVersion": 3, "requires": True, **top}
        lock["packages"] = {"": top, **{f"node_modules/{name}": entry for name, entry in KNOWN_IN_PAGE.items()}}
        Path(folder, "package.json").write_text(json.dumps(top))
        Path(folder, "package-lock.json").write_text(json.dumps(lock))
        believe(of_page(run, Path(folder)), "minimist 0.0.8")
    return of_page(run, ROOT)


def believe(found: set[str], release: str) -> None:
    """Raise NotAsked if nothing was found for a release that has published advisories."""
    if not found:
        raise NotAsked(f"it knows of no advisory for {release}, and there are some: it has none at all")


def run_program(command: list[str]) -> subprocess.CompletedProcess[str]:
    """Without a timeout, because both programs have their own."""
    return subprocess.run(command, capture_output=True, text=True, check=False)


def main(run: Run = run_program) -> int:
    """Ask both, print the advisories, and return the exit status."""
    statuses = []
    for packages, ask in (("Python packages", asked_of_python), ("page's packages", asked_of_page)):
        try:
            found = ask(run)
        except (NotAsked, OSError) as why:
            print(f"The {packages} were not looked up: {why}.", file=sys.stderr)
            statuses.append(2)
            continue
        print(f"The {packages}: {len(found) or 'no'} known {'advisory' if len(found) == 1 else 'advisories'}.")
        print("".join(f"  {line}\n" for line in sorted(found)), end="")
        statuses.append(1 if found else 0)
    return 1 if 1 in statuses else max(statuses)
