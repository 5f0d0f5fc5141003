"""The simulation as part of the tests: some histories hold, and a seed is the same history every time.

Each run is a process of its own: it takes the standard library's clock away from everything in it.
"""

import hashlib
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.simulation.mutations import MUTATIONS, ROOT

TICKS, TICKS_EACH = 12_000, 3_000
SEED = 3


def simulate(*arguments: object) -> dict[int, str]:
    """Run histories of `TICKS_EACH` ticks, which must all hold; the digests of their traces by seed."""
    command = [sys.executable, "-m", "tests.simulation", "--digests", "--ticks-each", str(TICKS_EACH)]
    done = subprocess.run([*command, *map(str, arguments)], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return {int(seed): digest for seed, digest in re.findall(r"^seed (\d+): (\w{64})$", done.stdout, re.MULTILINE)}


@pytest.mark.timeout(1200)  # it computes all the time, beside whatever else does
def test_nothing_is_lost_doubled_or_reordered_and_a_seed_is_the_same_history_every_time(tmp_path: Path):
    trace = tmp_path / "trace.txt"
    all_of_them = simulate("--ticks", TICKS)
    alone = simulate("--seed", SEED, "--trace", trace)

    assert len(all_of_them) >= 3
    assert alone == {SEED: all_of_them[SEED]}
    assert hashlib.sha256(trace.read_bytes()).hexdigest() == all_of_them[SEED]
    assert len(trace.read_text().splitlines()) > TICKS_EACH


def test_every_mutation_still_has_its_text_in_the_code():
    edits = [edit for mutation in MUTATIONS for edit in mutation.edits()]
    missing = [(file, old) for file, old, _ in edits if (ROOT / "chat" / file).read_text().count(old) != 1]

    assert missing == []
