"""`postgres`: a throwaway PostgreSQL, one a test process; `postgres_url` is an empty database in it, one a test."""

import os
import pwd
import re
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from tests.servers.process import Process, accepts, free_port, program, wait_until

MIGRATED = "migrated"
"""The database that others are copies of."""


def _binaries() -> Path:
    """The folder of PostgreSQL's programs, newest version first; skips where there is none."""
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=_version, reverse=True)
    return Path(program(["initdb"], "postgresql", [folder / "initdb" for folder in folders])).resolve().parent


def _version(folder: Path) -> int:
    digits = re.search(r"\d+", folder.parent.name)
    return int(digits.group()) if digits else 0


def _as_somebody_else() -> list[str]:
    """PostgreSQL refuses to run as root: the words that run a command as its own user, or as `nobody`."""
    if os.geteuid() != 0:
        return []
    names = {user.pw_name for user in pwd.getpwall()}
    return [program(["runuser"], "util-linux"), "-u", "postgres" if "postgres" in names else "nobody", "--"]


class Postgres:
    """A PostgreSQL server that keeps nothing: no fsync, its files in a folder that goes away."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port, self._migrated = folder, free_port(), False
        self._user, self.programs = _as_somebody_else(), _binaries()
        folder.chmod(0o777)
        make = [str(self.programs / "initdb"), "-D", f"{folder}/cluster", "-U", "wondercam", "-A", "trust", "-N"]
        made = subprocess.run([*self._user, *make], cwd="/", capture_output=True, text=True, timeout=180, check=False)
        if made.returncode:
            raise RuntimeError(f"initdb ended with {made.returncode}:\n{made.stdout}{made.stderr}")
        self.start()

    def start(self) -> None:
        """Start it (again), on the same port and files."""
        options = {"fsync": "off", "listen_addresses": "127.0.0.1", "unix_socket_directories": str(self.folder)}
        command = [str(self.programs / "postgres"), "-D", f"{self.folder}/cluster", "-p", str(self.port)]
        command += [word for name, value in options.items() for word in ("-c", f"{name}={value}")]
        self.process = Process([*self._user, *command], cwd=Path("/"))
        self.process.wait_for_line("ready to accept connections")
        wait_until(lambda: accepts(self.port), "PostgreSQL accepts connections")

    def stop(self) -> None:
        """Stop it at once, breaking its connections, as an outage would."""
        postmaster = Path(self.folder, "cluster", "postmaster.pid")
        if postmaster.exists():
            pid = int(postmaster.read_text().split()[0])
            subprocess.run([*self._user, "/bin/kill", "-INT", str(pid)], cwd="/", check=False)
        self.process.wait()

    def url(self, database: str = "postgres") -> str:
        """The DATABASE_URL of one of its databases."""
        return f"postgres://wondercam@127.0.0.1:{self.port}/{database}"

    def new_database(self) -> str:
        """The DATABASE_URL of a new, empty database."""
        name = f"test_{secrets.token_hex(4)}"
        self._run(f"CREATE DATABASE {name}")
        return self.url(name)

    def migrate(self, address: str, migrate: Callable[[], object]) -> None:
        """Fill an empty database: the first one by `migrate`, which takes seconds, any other as a copy of that one."""
        name = address.rpartition("/")[2]
        if self._migrated:
            self._run(f"DROP DATABASE {name}", f"CREATE DATABASE {name} TEMPLATE {MIGRATED}")
        else:
            migrate()
            self._run(f"CREATE DATABASE {MIGRATED} TEMPLATE {name}")
            self._migrated = True

    def _run(self, *statements: str) -> None:
        with psycopg.connect(self.url(), autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement.encode())


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """The server itself, for tests that stop and start it (they start it again before they end)."""
    folder = Path(tempfile.mkdtemp(prefix="wondercam-pg-", dir="/tmp"))
    server = None
    try:
        server = Postgres(folder)
        yield server
    finally:
        if server is not None:
            server.stop()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def postgres_url(postgres: Postgres) -> str:
    """The DATABASE_URL of a new, empty database."""
    return postgres.new_database()
