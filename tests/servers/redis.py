"""`redis`: a Redis that keeps nothing, one a test, to stop, start and flush as the test likes."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers.process import Process, accepts, free_port, program, wait_until


class Redis:
    """A Redis server on a free port; `url` stays the same over stop and start."""

    def __init__(self, folder: Path) -> None:
        self._folder, self.port = folder, free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.start()

    def start(self) -> None:
        """Start it (again), empty."""
        options = ["--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
        command = [program(["redis-server"], "redis-server"), *options, "--dir", str(self._folder)]
        self.process = Process(command, cwd=self._folder)
        self.process.wait_for_line("eady to accept connections")
        wait_until(lambda: accepts(self.port), "Redis accepts connections")

    def stop(self) -> None:
        """Stop it as an outage would: SIGKILL."""
        self.process.kill9()

    def restart(self) -> None:
        """An outage and its end; everything it knew is gone."""
        self.stop()
        self.start()

    def command(self, *words: str) -> str:
        """What `redis-cli` prints for a command, such as FLUSHALL."""
        client = [program(["redis-cli"], "redis-tools"), "-p", str(self.port), *words]
        return subprocess.run(client, capture_output=True, text=True, timeout=90, check=True).stdout


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[Redis]:
    """A Redis of this test's own."""
    server = Redis(tmp_path)
    yield server
    server.stop()
