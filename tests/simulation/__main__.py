"""`python -m tests.simulation`: histories one after the other, until so many ticks are done or an invariant fails."""

import argparse
import os
import shutil
import sys
import tempfile
from pathlib import Path

SETTINGS = {
    "DJANGO_SETTINGS_MODULE": "wondercam.settings",
    "PYTHON_DOTENV_DISABLED": "1",
    "DEBUG": "1",
    "WONDERCAM_DISCOVER": "0",
    "WONDERCAM_LIMITS": "off",
    "SECRET_KEY": "a-key-for-tests-only-and-nothing-else-in-the-world",
    "JWT_SIGNING_KEY": "another-key-for-tests-only-to-sign-tokens-that-live-briefly",
}


def arguments() -> argparse.Namespace:
    """What is asked for."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--ticks", type=int, default=1_000_000, help="of all histories together")
    parser.add_argument("--ticks-each", type=int, default=8_000, help="of one history, before its faults are over")
    parser.add_argument("--seed", type=int, help="replay this history alone")
    parser.add_argument("--first", type=int, default=1, help="the seed of the first history")
    parser.add_argument("--trace", type=Path, help="where to write the trace of the last history")
    parser.add_argument("--digests", action="store_true", help="print the digest of each history's trace")
    parser.add_argument(
        "--mutations", nargs="?", const="", help="show that the simulation finds those of mutations.py with this name"
    )
    return parser.parse_args()


def main() -> int:
    """0 where every invariant held."""
    asked = arguments()
    if asked.mutations is not None:
        from tests.simulation import mutations

        return mutations.main(asked.ticks, asked.ticks_each, asked.mutations)
    if os.environ.get("PYTHONHASHSEED") != "0":  # the order of sets is part of a history
        os.execve(
            sys.executable,
            [sys.executable, "-m", "tests.simulation", *sys.argv[1:]],
            {**os.environ, "PYTHONHASHSEED": "0"},
        )
    memory = Path("/dev/shm")
    folder = Path(tempfile.mkdtemp(prefix="wondercam-simulation-", dir=memory if memory.is_dir() else None))
    for name in [name for name in os.environ if name.startswith("WONDERCAM_") or name in ("DATABASE_URL", "REDIS_URL")]:
        del os.environ[name]
    os.environ.update(SETTINGS, WONDERCAM_DATA_DIR=str(folder))
    try:
        from tests.simulation.machine import Machine

        machine = Machine()
        machine.install()
        from tests.simulation.histories import Histories

        return Histories(machine, folder).run(asked)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
