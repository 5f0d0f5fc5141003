"""Installs lock files with pip into this Python's environment, and says how far it is.

    .venv/bin/python deploy/setup/packages.py requirements.txt requirements-model.txt

Every file is checked by its hash. On a terminal one line is kept up to date; elsewhere (a log) there is a line for
each large download. What pip printed is shown when it fails, and its exit status passed on.
"""

import os
import re
import subprocess
import sys
from collections import deque
from collections.abc import Iterable, Iterator
from pathlib import Path

PIP = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--require-hashes", "--no-deps"]
PIP += ["--progress-bar", "off", "--root-user-action", "ignore"]
LARGE = 5_000_000
"""Bytes of a download that is told of on its own."""
UNITS = {"bytes": 1, "kB": 1_000, "MB": 1_000_000, "GB": 1_000_000_000}

COLLECTING = re.compile(r"(?:Collecting|Requirement already satisfied:) ([\w.-]+)")
DOWNLOADING = re.compile(r"Downloading \S+ \(([\d.]+) (bytes|kB|MB|GB)\)")


def count(locks: Iterable[str]) -> int:
    """How many packages the lock files name."""
    return sum(len(re.findall(r"^[\w.-]+==", Path(lock).read_text(), re.MULTILINE)) for lock in locks)


def progress(lines: Iterable[str], total: int) -> Iterator[tuple[str, bool]]:
    """What to say after each of pip's lines, and whether it is worth a line of its own in a log."""
    number, fetched, name = 0, 0.0, ""
    for line in lines:
        if found := COLLECTING.match(line):
            number, name = min(number + 1, total), found[1]
            yield f"{number} of {total}, {fetched / 1e6:.0f} MB: {name}", False
        elif found := DOWNLOADING.search(line):
            size = float(found[1]) * UNITS[found[2]]
            yield (
                f"{number} of {total}, {fetched / 1e6:.0f} MB: downloading {name} ({found[1]} {found[2]})",
                size > LARGE,
            )
            fetched += size
        elif line.startswith("Installing collected packages"):
            yield f"{fetched / 1e6:.0f} MB are here: installing", True
        elif "Retrying" in line:
            yield line.strip(), True


def say(text: str, lasting: bool) -> None:
    """Update the line on a terminal; elsewhere write what is worth a line."""
    if sys.stdout.isatty():
        print(f"\r\033[K  {text[:100]}", end="", flush=True)
    elif lasting:
        print(f"  {text}", flush=True)


def kept(lines: Iterable[str], last: deque[str]) -> Iterator[str]:
    """The lines, of which the last ones are remembered."""
    for line in lines:
        last.append(line)
        yield line


def main(locks: list[str]) -> int:
    """Run pip; its exit status."""
    command = [*PIP, *(word for lock in locks for word in ("-r", lock))]
    last: deque[str] = deque(maxlen=30)
    unbuffered = {**os.environ, "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=unbuffered) as pip:
        for text, lasting in progress(kept(pip.stdout or (), last), count(locks)):
            say(text, lasting)
    if sys.stdout.isatty():
        print("\r\033[K", end="")
    if pip.returncode:
        print("".join(last), file=sys.stderr, end="")
    return pip.returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
