"""What is started once for the tests of a file is started in one process of a parallel run."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.schedule import TOGETHER, shared

ROOT = Path(__file__).resolve().parent.parent.parent
TESTS = """
import os
import pytest

@pytest.mark.parametrize("each", range(6))
def test_where(each):
    print("here", os.environ["PYTEST_XDIST_WORKER"])
"""


def test_every_file_that_is_named_is_there() -> None:
    assert [file for file in TOGETHER if not (ROOT / file).is_file()] == []


@pytest.mark.slow
@pytest.mark.parametrize(("file", "processes"), [("tests/unit/test_wheel.py", 1), ("tests/unit/test_other.py", 2)])
def test_they_run_in_one_process(tmp_path: Path, file: str, processes: int) -> None:
    (tmp_path / file).parent.mkdir(parents=True)
    (tmp_path / file).write_text(TESTS)
    options = ["-n", "2", "--dist", "loadgroup", "--rootdir", str(tmp_path), "-c", "/dev/null", "-rP"]
    plugins = ["-p", "tests.schedule", "-p", "no:django", "-p", "no:schemathesis", "-p", "no:cacheprovider"]
    command = [sys.executable, "-m", "pytest", *options, *plugins, str(tmp_path / file)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=250, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    said = {line for line in done.stdout.splitlines() if line.startswith("here ")}
    assert len(said) == processes
    assert (shared(f"{file}::test_where[1]") == shared(f"{file}::test_where[2]")) == (processes == 1)
