"""A PostgreSQL and a Redis of our own: default durability, a folder that is thrown away, a free port."""

import contextlib
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Generator
from pathlib import Path
from tempfile import TemporaryDirectory


def free_port() -> int:
    """A port nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def program(name: str) -> str | None:
    """Where `name` is, PostgreSQL's own folders included; None where it is not installed."""
    debian = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    return str(debian[-1]) if debian else shutil.which(name)


def missing() -> list[str]:
    """Which of the programs that the PostgreSQL + Redis rows need are not installed."""
    return [name for name in ("initdb", "postgres", "redis-server") if not program(name)]


@contextlib.contextmanager
def postgresql() -> Generator[tuple[str, int]]:
    """Yields `(DATABASE_URL, pid)`. PostgreSQL refuses to run as root: there it runs as its own user."""
    as_user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    with TemporaryDirectory(prefix="bench-pg-", ignore_cleanup_errors=True) as folder:
        os.chmod(folder, 0o700)
        if as_user:
            shutil.chown(folder, "postgres", "postgres")
        data, port = f"{folder}/data", free_port()
        initdb, postgres = program("initdb"), program("postgres")
        assert initdb
        assert postgres
        trust = ["-A", "trust", "-U", "bench", "-E", "UTF8", "--no-locale"]
        subprocess.run([*as_user, initdb, "-D", data, *trust], check=True, stdout=subprocess.DEVNULL, cwd=folder)
        options = ["-c", "listen_addresses=127.0.0.1", "-c", f"unix_socket_directories={folder}"]
        log = open(f"{folder}/log", "w")  # noqa: SIM115 - as long as the server
        server = subprocess.Popen([*as_user, postgres, "-D", data, "-p", str(port), *options], stderr=log, cwd=folder)
        try:
            await_port(port, server)
            yield f"postgres://bench@127.0.0.1:{port}/postgres", server.pid
        finally:
            server.terminate()
            server.wait(20)
            log.close()


@contextlib.contextmanager
def redis() -> Generator[tuple[str, int]]:
    """Yields `(REDIS_URL, pid)`; nothing is saved."""
    port, server_program = free_port(), program("redis-server")
    assert server_program
    with TemporaryDirectory(prefix="bench-redis-") as folder:
        argv = [server_program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", folder]
        server = subprocess.Popen(argv, stdout=subprocess.DEVNULL)
        try:
            await_port(port, server)
            yield f"redis://127.0.0.1:{port}/0", server.pid
        finally:
            server.terminate()
            server.wait(10)


def await_port(port: int, server: subprocess.Popen[bytes], seconds: float = 30) -> None:
    """Wait until `server` accepts connections; RuntimeError when it ends or takes too long."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if server.poll() is not None:
            raise RuntimeError(f"{server.args!r} ended with status {server.returncode}")
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.05)
    raise RuntimeError(f"{server.args!r} does not listen on port {port} after {seconds:.0f} s")
