"""One child process of a test: started, watched, stopped by its id.

The timeouts here end what hangs. They are far beyond what a busy machine needs, for no test is about speed.
"""

import os
import queue
import secrets
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import cycle
from pathlib import Path

import pytest

START_SECONDS = 120.0
STOP_SECONDS = 120.0


def _own_ports() -> Iterator[int]:
    """The ports that this process of the test run may use, again and again, from a place of its own.

    They lie below those that the kernel gives to whoever asks for any: between the choice of a port and its use nobody
    else can come by it.
    """
    number, count = (os.environ.get(f"PYTEST_XDIST_WORKER{name}", "") for name in ("", "_COUNT"))
    own = range(20_000 + int(number.removeprefix("gw") or 0), 32_000, int(count or 1))
    first = secrets.randbelow(len(own))
    return cycle([*own[first:], *own[:first]])


_PORTS = _own_ports()


def free_port() -> int:
    """A TCP port of the loopback address that nobody listens on, and that nobody is given by chance."""
    for port in _PORTS:
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise AssertionError("every port is taken")


def program(names: Sequence[str], package: str, places: Sequence[Path] = ()) -> str:
    """The path of the first program found; skips the test by name, with the command that installs it."""
    candidates = [*names, *(str(place) for place in places)]
    found = next((path for name in candidates if (path := shutil.which(name))), None)
    if found is None:
        pytest.skip(f"{names[0]} is not installed: apt-get install {package}")
    return found


def wait_until(true: Callable[[], bool], what: str, seconds: float = START_SECONDS) -> None:
    """Ask again every 20 ms until it is true; for conditions that nothing announces, such as an open port."""
    deadline = time.monotonic() + seconds
    while not true():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what}: not so after {seconds:.0f} s")
        time.sleep(0.02)


def accepts(port: int) -> bool:
    """Whether a server listens on this loopback port."""
    with socket.socket() as client:
        client.settimeout(1)
        return client.connect_ex(("127.0.0.1", port)) == 0


class Process:
    """A server process in a group of its own; `log` is what it has printed so far, both outputs in one."""

    def __init__(self, command: Sequence[str], env: Mapping[str, str] | None = None, cwd: Path | None = None) -> None:
        self.command, self.lines = list(command), queue.SimpleQueue[str]()
        self._log: list[str] = []
        self.popen = subprocess.Popen(
            self.command,
            env=None if env is None else dict(env),
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        )
        self.pid = self.popen.pid
        self._reader = threading.Thread(target=self._read, name=f"log of {self.pid}", daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.popen.stdout is not None
        with self.popen.stdout as output:
            for line in output:
                self._log.append(line)
                self.lines.put(line)
        self.lines.put("")

    @property
    def log(self) -> str:
        """Everything printed until now."""
        return "".join(self._log)

    @property
    def running(self) -> bool:
        """Whether the process has not ended."""
        return self.popen.poll() is None

    def wait_for_line(self, words: str, seconds: float = START_SECONDS) -> str:
        """The next printed line with these words; RuntimeError with the log if the process ends first."""
        deadline = time.monotonic() + seconds
        while True:
            try:
                line = self.lines.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                raise TimeoutError(f"no {words!r} within {seconds:.0f} s; it printed:\n{self.log}") from None
            if words in line:
                return line
            if not line:
                raise RuntimeError(f"{self.command[0]} ended with {self.popen.wait()}; it printed:\n{self.log}")

    def terminate(self, seconds: float = STOP_SECONDS) -> int:
        """SIGTERM, and the exit code; a process that does not obey is killed, and that is an error."""
        if self.running:
            self.popen.terminate()
        try:
            return self.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill9()
            raise TimeoutError(f"SIGTERM was not obeyed within {seconds:.0f} s; it printed:\n{self.log}") from None

    def wait(self, seconds: float = STOP_SECONDS) -> int:
        """The exit code, once it ends and its last line is read."""
        code = self.popen.wait(seconds)
        self._reader.join(5)
        return code

    def kill9(self) -> None:
        """SIGKILL to the process and to what it started (its workers): no handler runs, nothing is flushed."""
        if self.running:
            os.killpg(self.pid, signal.SIGKILL)
        self.wait()
