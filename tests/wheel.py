"""The wheel, made from a copy of the tracked files, as `make wheel` makes it."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PARTS = ("chat", "wondercam", "templates", "static", "deploy")
FILES = ("pyproject.toml", "README.md", "LICENSE", "requirements-model.txt")
LEFT_OUT = shutil.ignore_patterns("__pycache__", "*.pyc")


def made(folder: Path, *options: str) -> Path:
    """The wheel's file, in a folder that is its own; `options` go to deploy/setup/bundle.py."""
    for part in PARTS:
        shutil.copytree(ROOT / part, folder / part, ignore=LEFT_OUT)
    for file in FILES:
        shutil.copy(ROOT / file, folder)
    (folder / "node_modules").symlink_to(ROOT / "node_modules")
    run(folder, "deploy/setup/bundle.py", *options)
    run(folder, "-m", "hatchling", "build", "--target", "wheel")
    (found,) = (folder / "dist").glob("*.whl")
    return found


def run(folder: Path, *arguments: str) -> None:
    """This Python, without the tests' settings."""
    bare = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG")}
    command = [sys.executable, *arguments]
    done = subprocess.run(command, cwd=folder, env=bare, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
