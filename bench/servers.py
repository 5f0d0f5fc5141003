"""The servers that are compared, each started fresh, warmed, measured and ended by SIGTERM.

    reference   FastAPI + uvicorn (uvloop, httptools) + httpx: passes on, stores nothing
    stock       plain `daphne wondercam.asgi:application`: the same Django app, SQLite, no tuned server
    sqlite      `manage.py serve`, SQLite, one worker
    cluster     `manage.py serve --workers 2`, PostgreSQL + Redis
    floor       a C program that reads, stores in SQLite and sends, and does nothing else (floor.c)

Every WonderCam is as in production (DEBUG off, default durability) with the limits on rate lifted.
"""

import contextlib
import json
import os
import secrets
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Generator
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import jwt

from bench import floor
from bench.process import Usage, family, usage
from bench.stores import await_port, free_port, postgresql, redis

ROOT = Path(__file__).resolve().parent.parent
KEY = secrets.token_urlsafe(48)
TITLES = {
    "reference": "FastAPI + uvicorn + httpx, nothing stored",
    "stock": "stock Daphne, SQLite",
    "sqlite": "WonderCam, SQLite, 1 worker",
    "cluster": "WonderCam, PostgreSQL + Redis, 2 workers",
    "floor": "the floor: C, SQLite",
}


@dataclass
class Server:
    """A running server. `stores` PIDs are its database and Redis: counted apart, never hidden."""

    key: str
    port: int
    pid: int
    stores: list[int] = field(default_factory=list)
    folder: str = ""
    token: str = ""

    @property
    def is_ours(self) -> bool:
        """Whether it is a WonderCam: it stores, numbers and resumes."""
        return self.key not in ("reference", "floor")

    def usage(self) -> Usage:
        """Of the server's processes."""
        return usage(family(self.pid))

    def stores_usage(self) -> Usage:
        """Of its database and Redis."""
        return usage([pid for root in self.stores for pid in family(root)])

    def sign_in(self) -> None:
        """Get a token that lasts for one load."""
        if self.is_ours:
            asking = urllib.request.Request(f"http://127.0.0.1:{self.port}/v2/auth/guest", method="POST")
            try:
                with urllib.request.urlopen(asking, timeout=10) as response:
                    self.token = json.load(response)["access"]
            except urllib.error.HTTPError as refused:
                raise RuntimeError(f"{self.key} gives no token: {refused} {refused.read()[:500]!r}") from None
        elif self.key == "reference":
            self.token = jwt.encode({"user_id": "1", "exp": int(time.time()) + 600}, KEY, "HS256")


@contextlib.contextmanager
def upstream() -> Generator[tuple[str, int]]:
    """Yields the fake upstream's `(address, pid)`."""
    argv = [sys.executable, "-m", "bench.upstream"]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT) as process:
        assert process.stdin
        assert process.stdout
        yield f"http://127.0.0.1:{int(process.stdout.readline())}", process.pid
        process.stdin.close()


def environment(address: str, folder: str, **more: str) -> dict[str, str]:
    """What every server gets: nothing of ours but the path and where the upstream is."""
    keep = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "LD_LIBRARY_PATH") if name in os.environ}
    return {
        **keep,
        "PYTHONUNBUFFERED": "1",
        "GEMINI_BASE_URL": address,
        "GEMINI_API_KEY": "x",
        "OPENAI_BASE_URL": f"{address}/v1",
        "OPENAI_API_KEY": "x",
        "JWT_SIGNING_KEY": KEY,
        "SECRET_KEY": KEY[::-1],
        "DJANGO_SETTINGS_MODULE": "wondercam.settings",
        "WONDERCAM_MODELS": f"{os.environ.get('BENCH_PROVIDER', 'gemini')}/bench",
        "WONDERCAM_GUESTS": "1",
        "WONDERCAM_HTTPS": "0",
        "WONDERCAM_LIMIT_OUTPUT_BYTES": str(64 * 2**20),
        "WONDERCAM_LIMITS": "off",
        "WONDERCAM_LIMITS_OFF_IS_INTENDED": "1",
        "WONDERCAM_DATA_DIR": folder,
        **more,
    }


def command(key: str, port: int, address: str, folder: str) -> list[str]:
    """What starts the server `key`."""
    if key == "floor":
        return [str(floor.program()), str(port), address.rpartition(":")[2], f"{folder}/floor.sqlite3"]
    if key == "reference":
        argv = ["-m", "uvicorn", "bench.reference:app", "--loop", "uvloop", "--http", "httptools", "--port", str(port)]
        return [sys.executable, *argv, "--no-access-log", "--log-level", "warning", "--backlog", "4096"]
    if key == "stock":
        argv = ["-m", "daphne", "-b", "127.0.0.1", "-p", str(port), "-v", "0", "wondercam.asgi:application"]
        return [sys.executable, *argv]
    workers = "2" if key == "cluster" else "1"
    return [sys.executable, "manage.py", "serve", "--host", "127.0.0.1", "--port", str(port), "--workers", workers]


@contextlib.contextmanager
def running(
    key: str, address: str, log: Path, folder: str = "", prefix: tuple[str, ...] = (), root: Path = ROOT
) -> Generator[Server]:
    """Yields the server `key` of the checkout `root`, ready and signed in.

    `folder` is its data, kept; by default new and thrown away.
    """
    with contextlib.ExitStack() as stack:
        folder = folder or stack.enter_context(TemporaryDirectory(prefix="bench-", ignore_cleanup_errors=True))
        stores: dict[str, tuple[str, int]] = {}
        if key == "cluster":
            stores = {"DATABASE_URL": stack.enter_context(postgresql()), "REDIS_URL": stack.enter_context(redis())}
        env = environment(address, folder, **{name: url for name, (url, _) in stores.items()})
        output = stack.enter_context(log.open("a"))
        if key not in ("reference", "floor"):
            for name in ("migrate", "collectstatic"):
                argv = [sys.executable, "manage.py", name, "--noinput", "-v", "0"]
                subprocess.run(argv, env=env, cwd=root, stdout=output, stderr=output, check=True)
        port = free_port()
        argv = [*prefix, *command(key, port, address, folder)]
        process = subprocess.Popen(argv, env=env, cwd=root, stdout=output, stderr=output)
        try:
            await_port(port, process)
            await_health(port)
            server = Server(key, port, process.pid, [pid for _, pid in stores.values()], folder)
            server.sign_in()
            yield server
        finally:
            end(process)


def await_health(port: int, seconds: float = 30) -> None:
    """Wait until /healthz says 200."""
    until = time.monotonic() + seconds
    while True:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5):
                return
        except OSError as wrong:
            if time.monotonic() > until:
                raise RuntimeError(f"/healthz on port {port}: {wrong}") from wrong
            time.sleep(0.1)


def end(process: subprocess.Popen[bytes]) -> None:
    """SIGTERM, and SIGKILL to the family where that is not enough."""
    pids = family(process.pid)
    process.terminate()
    try:
        process.wait(15)
    except subprocess.TimeoutExpired:
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, 9)
        process.wait(5)
