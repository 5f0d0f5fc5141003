"""A folder like a fresh clone, with the sources of this one, for what looks at the files beside `wondercam/`."""

import shutil
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def cloned(folder: Path) -> Path:
    """The folder `clone` in that one: `wondercam/` and `manage.py` are copies, by which it knows where it is."""
    clone = folder / "clone"
    (clone / ".venv").mkdir(parents=True)
    for name in ("chat", "templates", "static", "tests", "deploy", "node_modules", "Makefile"):
        (clone / name).symlink_to(ROOT / name)
    shutil.copytree(ROOT / "wondercam", clone / "wondercam", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "manage.py", clone)
    return clone
