"""The wheel, made from a copy of the tracked files, as `make wheel` makes it, and an installation of it.

Whatever asks for an `installation` stands in `tests/schedule.py`, so that one process of the run makes one for all.
"""

import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import httpx
import pytest

from tests.servers.process import Process

START_SECONDS = 300.0
OF_THE_MACHINE = ("PATH", "LANG", "PIP_", "UV_", "SSL_", "HTTP", "http", "NO_PROXY", "no_proxy")
"""Where a machine says how packages are reached."""
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


@pytest.fixture(scope="session")
def wheel_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, but for the networks: they are 35 MB."""
    return made(tmp_path_factory.mktemp("wheel"), "--without-networks")


@pytest.fixture(scope="session")
def unpacked_wheel(wheel_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what an installer would put among the packages."""
    folder = tmp_path_factory.mktemp("packages")
    with zipfile.ZipFile(wheel_file) as archive:
        archive.extractall(folder)
    return folder


PASSWORD = "correct horse battery"


@dataclass
class Installation:
    """`wondercam` from the wheel, started for the first time, without a command and in a home folder of its own."""

    packages: Path
    home: Path
    url: str = ""

    @property
    def environment(self) -> dict[str, str]:
        """That of a person who has set nothing but which recording answers."""
        kept = {name: value for name, value in os.environ.items() if name in ("PATH", "LANG", "VIRTUAL_ENV")}
        recordings = {"WONDERCAM_MODELS": "recording/hello", "WONDERCAM_RECORDINGS": str(ROOT / "tests" / "recordings")}
        return {**kept, **recordings, "PYTHONPATH": str(self.packages), "HOME": str(self.home), "PORT": "0"}

    def command(self, *arguments: str, **changes: str) -> str:
        """What `wondercam <command>` prints, in any folder."""
        command = [sys.executable, "-m", "wondercam", *arguments]
        env = {**self.environment, **changes}
        done = subprocess.run(command, cwd=self.home, env=env, capture_output=True, text=True, timeout=300, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    @cached_property
    def key(self) -> str:
        """An API key of an account that the command `createsuperuser` has made."""
        who = ("--noinput", "--username", "ada", "--email", "ada@example.com")
        self.command("createsuperuser", *who, DJANGO_SUPERUSER_PASSWORD=PASSWORD)
        with httpx.Client(base_url=self.url, timeout=90) as client:
            pair = client.post("/v2/auth/token", json={"username": "ada", "password": PASSWORD}).raise_for_status()
            client.headers["Authorization"] = f"Bearer {pair.json()['access']}"
            return str(client.post("/v2/keys", json={"name": "tests"}).raise_for_status().json()["key"])


@pytest.fixture(scope="session")
def installation(unpacked_wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """One that runs."""
    installed = Installation(unpacked_wheel, tmp_path_factory.mktemp("home"))
    process = Process([sys.executable, "-u", "-m", "wondercam"], installed.environment, cwd=installed.home)
    try:
        listening = process.wait_for_line("Listening on ", START_SECONDS)
        installed.url = listening.removeprefix("Listening on ").strip()
        yield installed
    finally:
        process.kill9()
