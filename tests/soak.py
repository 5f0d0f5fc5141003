"""Whether `make soak` runs the tests: a quiet machine with time, on which bounds on seconds mean something."""

import os
from pathlib import Path

SOAK = bool(os.environ.get("WONDERCAM_TEST_SOAK"))
FIGURES = Path(__file__).parent.parent / "build" / "soak.txt"


def keep_figures(line: str) -> None:
    """Add a line to `build/soak.txt`, where it is found also when several processes ran the tests; only by the soak."""
    if SOAK:
        FIGURES.parent.mkdir(exist_ok=True)
        with FIGURES.open("a") as file:
            file.write(f"{line}\n")
