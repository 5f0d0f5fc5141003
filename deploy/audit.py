"""`make audit`: what security tools find in the code and in nginx's configuration, and what is known of the packages.

The content security policies are judged by Google's CSP Evaluator in `make test` (`policies.mjs`).

    bandit ─────────── the code of the server, from medium severity on (ruff's S rules are in `make lint`)
    detect-secrets ─── credentials in any file but the tests', whose credentials are made up
    gixy ───────────── deploy/nginx.conf
    advisories.py ──── the databases of advisories, which need the network

    .venv-audit/bin/python -m deploy.audit

Exit status: 0 where nothing is found, 1 where something is, 2 where a database could not be asked.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from tempfile import NamedTemporaryFile

from deploy import advisories

ROOT = Path(__file__).resolve().parent.parent
PROGRAMS = Path(sys.executable).parent
PACKAGES = ["chat", "wondercam", "deploy", "manage.py"]

NO_SECRETS = {
    "files": r"^tests/|(^|/)(package-lock\.json|requirements[\w-]*\.txt)$|^chat/recognition/__main__\.py$",
    "secrets": r"(?i)^password$",
}
"""Made up for a test; digests of packages and of weights; the word in the pattern of an address."""

CONTEXT = "events {} http {\n%s\n}\n"
"""The configuration that includes our file: gixy checks nothing without it."""

ELSEWHERE = "hsts_header"
"""Set by the server itself, for every response (`SECURE_HSTS_SECONDS`)."""

Run = Callable[[list[str]], "subprocess.CompletedProcess[str]"]
"""Runs a program; returns its exit status and its output."""


def bandit(run: Run) -> list[str]:
    """The findings of bandit."""
    options = ["-q", "-r", "--severity-level", "medium", "--confidence-level", "medium", "-f", "json"]
    said = json.loads(run([str(PROGRAMS / "bandit"), *options, *PACKAGES]).stdout)
    return [
        f"{found['filename']}:{found['line_number']}: {found['test_id']} {found['issue_text']}"
        for found in said["results"]
    ]


def detect_secrets(run: Run) -> list[str]:
    """The findings of detect-secrets: what looks like a credential."""
    options = [word for what, pattern in NO_SECRETS.items() for word in (f"--exclude-{what}", pattern)]
    scan = [str(PROGRAMS / "detect-secrets"), "scan", "--disable-plugin", "KeywordDetector", *options]
    said = json.loads(run(scan).stdout)
    return [f"{name}:{found['line_number']}: {found['type']}" for name, all in said["results"].items() for found in all]


def gixy(run: Run) -> list[str]:
    """The findings of gixy in nginx's configuration."""
    with NamedTemporaryFile("w", suffix=".conf") as file:
        file.write(CONTEXT % (ROOT / "deploy/nginx.conf").read_text())
        file.flush()
        said = json.loads(run([str(PROGRAMS / "gixy"), "-f", "json", "--skips", ELSEWHERE, file.name]).stdout)
    return [f"deploy/nginx.conf: {found['plugin']}: {found['reason'] or found['summary']}" for found in said]


def run_program(command: list[str]) -> subprocess.CompletedProcess[str]:
    """Run it in the project's folder."""
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)


def main(run: Run = run_program) -> int:
    """Run each tool, print its findings, and return the exit status."""
    found_any = False
    for check in (bandit, detect_secrets, gixy):
        found = check(run)
        found_any |= bool(found)
        print(f"{check.__name__}: {len(found) or 'nothing'} found.")
        print("".join(f"  {line}\n" for line in found), end="")
    status = advisories.main()
    return 1 if found_any else status


if __name__ == "__main__":
    sys.exit(main())
