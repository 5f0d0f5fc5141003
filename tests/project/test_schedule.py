"""What is started once for the tests of a file is started in one process of a parallel run."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.schedule import TOGETHER, mixed, shared

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


class Named:
    def __init__(self, nodeid: str) -> None:
        self.nodeid = nodeid


@pytest.mark.parametrize(("waiting", "computing"), [(3, 10), (10, 3), (0, 4), (4, 0), (7, 7)])
def test_tests_that_wait_are_evenly_among_those_that_compute(waiting: int, computing: int) -> None:
    slow, quick = [Named(f"s{each}") for each in range(waiting)], [Named(f"q{each}") for each in range(computing)]
    found = [each.nodeid for each in mixed(slow, quick)]  # type: ignore[arg-type]
    assert sorted(found) == sorted(each.nodeid for each in (*slow, *quick))
    assert [each for each in found if each[0] == "q"] == [each.nodeid for each in quick]
    half = "".join(found)[: len("".join(found)) // 2]
    assert abs(half.count("s") - waiting / 2) <= 1
