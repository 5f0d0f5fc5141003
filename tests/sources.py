"""The project's own files, for tests that read them: which there are, and their syntax trees, each parsed once."""

import ast
import subprocess
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


@cache
def tracked() -> list[Path]:
    """The files of the project: what git knows, or would add; else everything but what is made on the spot."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if listed.returncode == 0:
        return [ROOT / name for name in listed.stdout.splitlines() if (ROOT / name).is_file()]
    made = {".venv", "node_modules", "data", "staticfiles", "__pycache__"}
    return [path for path in ROOT.rglob("*") if path.is_file() and not made & set(path.relative_to(ROOT).parts)]


@cache
def ours(suffix: str) -> list[Path]:
    """The files with this ending, but for migrations."""
    return [path for path in tracked() if path.suffix == suffix and "migrations" not in path.parts]


@cache
def name_of(path: Path) -> str:
    """Its path from the project's folder."""
    return path.relative_to(ROOT).as_posix()


@cache
def tree_of(path: Path) -> ast.Module:
    """The syntax of a Python file."""
    return ast.parse(path.read_text())


@cache
def nodes_of(path: Path) -> tuple[ast.AST, ...]:
    """All nodes of a Python file's syntax, each before those inside it."""
    return tuple(ast.walk(tree_of(path)))


@cache
def docstring_of(path: Path) -> str:
    """The docstring of a Python file, indented as it stands there."""
    return ast.get_docstring(tree_of(path), clean=False) or ""


def is_a_test(path: Path) -> bool:
    return name_of(path).startswith(("tests/", "bench/"))


def of_the_site(path: Path) -> bool:
    return name_of(path).startswith(("chat/", "wondercam/"))
