"""The floor beside the servers: `floor.c`, built where a C compiler and SQLite's headers are."""

import shutil
import subprocess
from functools import cache
from pathlib import Path
from tempfile import gettempdir

SOURCE = Path(__file__).with_suffix(".c")


@cache
def program() -> Path:
    """The built program. RuntimeError, with what the compiler says, where it cannot be built."""
    compiler = shutil.which("cc")
    if compiler is None:
        raise RuntimeError("there is no C compiler here (gcc)")
    built = Path(gettempdir()) / f"wondercam-floor-{SOURCE.stat().st_mtime_ns}"
    argv = [compiler, "-O2", "-o", str(built), str(SOURCE), "-lsqlite3"]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"it cannot be built (gcc, libsqlite3-dev): {done.stderr.strip().splitlines()[0]}")
    return built


def missing() -> str:
    """Why there is no floor here; empty where there is."""
    try:
        program()
    except RuntimeError as why:
        return str(why)
    return ""
