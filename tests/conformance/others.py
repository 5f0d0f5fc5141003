"""`python -m tests.conformance.others`: the same checks for this project and others, beside each other.

Each server is started here on a free port of loopback and may be killed: the ones of `others/` by Node.js with the
versions of its lock file (`npm ci` there first), resumable-stream before a Redis, this project's before the scripted
model of the tests. With `--write` the table goes into docs/conformance.md.
"""

import argparse
import asyncio
import json
import os
import re
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Protocol

import httpx

from tests.conformance.__main__ import adapter_of
from tests.conformance.run import Result, chosen, results
from tests.conformance.table import beside
from tests.conformance.trial import WAIT, Trial
from tests.faults.arena import environment
from tests.faults.upstream import upstream
from tests.servers.process import Process, free_port, program
from tests.servers.redis import Redis
from tests.servers.wondercam import ROOT, WonderCam, manage

OTHERS = ROOT / "tests" / "conformance" / "others"
PAGE = ROOT / "docs" / "conformance.md"
BEGIN, END = "<!-- the table begins -->", "<!-- the table ends -->"


class Started(Protocol):
    """A server of this run's own; `url` stays the same over a restart."""

    url: str

    def kill9(self) -> None: ...

    def restart(self) -> None: ...


class NodeServer:
    """One of `others/`, with what its command line and environment say besides the port."""

    def __init__(self, script: str, *words: str, env: Mapping[str, str] | None = None) -> None:
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        self._command = [program(["node"], "nodejs"), script, str(port), *words]
        self._env = {**os.environ, **(env or {})}
        self.process = self._start()

    def _start(self) -> Process:
        process = Process(self._command, env=self._env, cwd=OTHERS)
        process.wait_for_line("Listening")
        return process

    def kill9(self) -> None:
        """SIGKILL."""
        self.process.kill9()

    def restart(self) -> None:
        """Start it again."""
        self.process = self._start()


@asynccontextmanager
async def wondercam(folder: Path) -> AsyncIterator[tuple[Started, dict[str, str]]]:
    """This project's server, before the scripted model."""
    async with upstream() as model:
        quiet = {"DEBUG": "1", "PYTHON_DOTENV_DISABLED": "1", "WONDERCAM_LIMITS": "off", "WONDERCAM_DISCOVER": "0"}
        env = {**os.environ, **quiet, "WONDERCAM_DATA_DIR": str(folder), **environment(model.url)}
        await asyncio.to_thread(manage, "migrate", "--noinput", "--verbosity", "0", env=env)
        server = await asyncio.to_thread(WonderCam, env, 1, ())
        try:
            yield server, {"question": "seed=5 words={pieces} gap={pause}"}
        finally:
            server.kill9()


@asynccontextmanager
async def durable_streams(folder: Path) -> AsyncIterator[tuple[Started, dict[str, str]]]:
    """The reference server, with files."""
    server = await asyncio.to_thread(NodeServer, "durable_streams.mjs", str(folder))
    try:
        yield server, {}
    finally:
        server.kill9()


@asynccontextmanager
async def resumable_stream(folder: Path) -> AsyncIterator[tuple[Started, dict[str, str]]]:
    """The library, before a Redis of its own."""
    redis = await asyncio.to_thread(Redis, folder)
    server = await asyncio.to_thread(lambda: NodeServer("resumable_stream.mjs", env={"REDIS_URL": redis.url}))
    try:
        yield server, {}
    finally:
        server.kill9()
        redis.stop()


@asynccontextmanager
async def tanstack_ai(folder: Path) -> AsyncIterator[tuple[Started, dict[str, str]]]:
    """The library, with its log in memory."""
    server = await asyncio.to_thread(NodeServer, "tanstack_ai.mjs")
    try:
        yield server, {}
    finally:
        server.kill9()


SERVERS = {
    "wondercam": wondercam,
    "tanstack_ai": tanstack_ai,
    "durable_streams": durable_streams,
    "resumable_stream": resumable_stream,
}
PACKAGES = {
    "tanstack_ai": "@tanstack/ai",
    "durable_streams": "@durable-streams/server",
    "resumable_stream": "resumable-stream",
}


def versions() -> dict[str, str]:
    """What was tried, by the names of the adapters."""
    locked = json.loads((OTHERS / "package-lock.json").read_text())["packages"]
    ours = re.search(r'^version = "(.+)"', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    assert ours is not None
    return {"wondercam": ours[1]} | {name: locked[f"node_modules/{each}"]["version"] for name, each in PACKAGES.items()}


async def tried(name: str, slow: bool) -> list[Result]:
    """Start the server of a name, and run all checks against it."""
    with tempfile.TemporaryDirectory() as folder:
        async with (
            SERVERS[name](Path(folder)) as (server, options),
            httpx.AsyncClient(base_url=server.url, timeout=WAIT) as client,
        ):
            adapter = adapter_of(name)(client, options)
            await adapter.prepare()
            return await results(Trial(adapter, restarting(server)), chosen(slow=slow))


def restarting(server: Started) -> Callable[[], "asyncio.Future[None]"]:
    """Kill it and start it again, off the event loop."""

    def both() -> None:
        server.kill9()
        server.restart()

    return lambda: asyncio.get_running_loop().run_in_executor(None, both)


async def compared(names: Sequence[str], slow: bool) -> dict[str, list[Result]]:
    """One server after the other, by name and version."""
    numbers = versions()
    return {f"{adapter_of(name).name} {numbers[name]}": await tried(name, slow) for name in names}


def main(words: Sequence[str]) -> int:
    """Print the table, and what stands behind each of its marks."""
    parser = argparse.ArgumentParser(prog="python -m tests.conformance.others", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(SERVERS)} (default: all)")
    parser.add_argument("--quick", action="store_true", help="without the checks that wait for most of a minute")
    parser.add_argument("--write", action="store_true", help="write the table into docs/conformance.md")
    given = parser.parse_args(words)
    found = asyncio.run(compared(given.names or list(SERVERS), not given.quick))
    print(beside(found))
    for name, listed in found.items():
        print(f"\n{name}")
        print("\n".join(f"  {each.verdict}: {each.name}: {each.detail}" for each in listed if each.detail))
    if given.write:
        before, rest = PAGE.read_text().split(BEGIN)
        PAGE.write_text(f"{before}{BEGIN}\n\n{beside(found)}\n\n{END}{rest.split(END)[1]}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
