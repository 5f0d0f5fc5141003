"""`serve`: the real `manage.py serve` on a free port, with a data folder and a migrated database of its own.

`share` gives one such server for each environment to all tests that only talk to it, `shared_server` the usual one.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import httpx
import pytest

from tests.servers.process import Process, free_port

ROOT = Path(__file__).resolve().parent.parent.parent
LISTENING = "Listening on http://"


def manage(*args: str, env: Mapping[str, str]) -> str:
    """What a `manage.py` command prints; CalledProcessError when it fails."""
    command = [sys.executable, str(ROOT / "manage.py"), *args]
    done = subprocess.run(command, env=dict(env), cwd=ROOT, capture_output=True, text=True, timeout=180, check=False)
    if done.returncode:
        raise RuntimeError(f"manage.py {' '.join(args)} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stdout


class WonderCam:
    """One running server. `url` stays the same over `restart()`, and so does the data folder."""

    def __init__(self, env: Mapping[str, str], workers: int, args: Sequence[str]) -> None:
        self.env = dict(env)
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.data_dir = Path(env["WONDERCAM_DATA_DIR"])
        self._options = ["--host", "127.0.0.1", "--port", str(self.port), "--workers", str(workers), *args]
        self.reviewer = ""  # the cookie of a superuser, once somebody needs it
        self.process = self._start()

    def _command(self) -> list[str]:
        """What starts it, after the interpreter."""
        return [str(ROOT / "manage.py"), "serve", *self._options]

    def _start(self) -> Process:
        process = Process([sys.executable, "-u", *self._command()], env=self.env, cwd=ROOT)
        try:
            process.wait_for_line(LISTENING)
        except BaseException:
            process.kill9()
            raise
        return process

    @property
    def pid(self) -> int:
        """The id of the process that was started; with several workers, of their parent."""
        return self.process.pid

    @property
    def log(self) -> str:
        """What the server has printed since it was (re)started."""
        return self.process.log

    def kill9(self) -> None:
        """The power goes: SIGKILL to the server and its workers."""
        self.process.kill9()

    def terminate(self) -> int:
        """SIGTERM; the exit code."""
        return self.process.terminate()

    def restart(self) -> None:
        """Start it again on the same port and data, after ending it politely if it still runs."""
        if self.process.running:
            self.process.terminate()
        self.process = self._start()

    def manage(self, *args: str) -> str:
        """What a `manage.py` command prints, run beside the server with the same settings."""
        return manage(*args, env=self.env)

    def guest(self) -> str:
        """The access token of a new guest."""
        answer = httpx.post(f"{self.url}/v2/auth/guest", timeout=60).raise_for_status()
        return str(answer.json()["access"])

    def client(self, token: str | None = None, **options: Any) -> httpx.Client:
        """An HTTP client of this server, as a new guest or with the token given. The caller closes it."""
        headers = {"Authorization": f"Bearer {token or self.guest()}"}
        return httpx.Client(base_url=self.url, headers=headers, timeout=options.pop("timeout", 90), **options)


class Serve(Protocol):
    """What the fixture `serve` is called with."""

    def __call__(
        self, env: Mapping[str, str] | None = None, workers: int = 1, args: Sequence[str] = ()
    ) -> WonderCam: ...


def settings(data_dir: Path, env: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment of one server: that of the tests, its own data folder, then the caller's changes."""
    return {**os.environ, "WONDERCAM_DATA_DIR": str(data_dir), **(env or {})}


@pytest.fixture(scope="session")
def migrated_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file to copy: migrating takes seconds, copying none."""
    folder = tmp_path_factory.mktemp("migrated")
    manage("migrate", "--noinput", "--verbosity", "0", env=settings(folder))
    return folder / "wondercam.sqlite3"


@contextmanager
def servers(folders: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[Serve]:
    """What starts servers, each with a data folder of its own, and stops them all in the end."""
    started: list[WonderCam] = []

    def start(env: Mapping[str, str] | None = None, workers: int = 1, args: Sequence[str] = ()) -> WonderCam:
        environment = settings(folders.mktemp("data"), env)
        if address := environment.get("DATABASE_URL"):
            postgres = request.getfixturevalue("postgres")
            postgres.migrate(address, partial(manage, "migrate", "--noinput", "--verbosity", "0", env=environment))
        else:
            template = request.getfixturevalue("migrated_database")
            shutil.copy(template, Path(environment["WONDERCAM_DATA_DIR"]) / "wondercam.sqlite3")
        started.append(WonderCam(environment, workers, args))
        return started[-1]

    try:
        yield start
    finally:
        for server in started:
            server.kill9()


@pytest.fixture
def serve(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[Serve]:
    """Start as many servers as a test needs; each is stopped when the test ends.

    `env` changes settings (with DATABASE_URL that database is migrated first), `workers` and `args` go to `serve`.
    """
    with servers(tmp_path_factory, request) as start:
        yield start


Share = Callable[[Mapping[str, str]], WonderCam]


@pytest.fixture(scope="session")
def share(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[Share]:
    """The one server with this environment, for all tests that only talk to it: each as guests of its own.

    Such a test neither stops it nor reads its log, and counts nothing that another guest could add to.
    """
    running: dict[frozenset[tuple[str, str]], WonderCam] = {}

    def shared(env: Mapping[str, str]) -> WonderCam:
        name = frozenset(env.items())
        if name not in running:
            running[name] = start(env)
        return running[name]

    with servers(tmp_path_factory, request) as start:
        yield shared


@pytest.fixture(scope="session")
def shared_server(share: Share) -> WonderCam:
    """A server with the embedded model, shared."""
    return share({})
