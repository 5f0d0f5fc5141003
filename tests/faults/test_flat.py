"""An hour of questions, cuts, stops and deletions: memory, open files, threads and the data folder stay as they are.

Only `make soak` runs it, on SQLite, and on PostgreSQL with Redis and two workers. WONDERCAM_TEST_SOAK_SECONDS makes it
another time than an hour each.
"""

import asyncio
import os
import random
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from time import monotonic

import httpx
import pytest

from chat.log.checkpoint import LARGEST_LOG
from tests.faults.arena import Arena, asking, guest, stop, until, workers_of
from tests.servers.wondercam import WonderCam
from tests.soak import keep_figures

SECONDS = float(os.environ.get("WONDERCAM_TEST_SOAK_SECONDS", "3600"))
VISITORS = 8
SAMPLE_SECONDS = 5.0
MORE_MEMORY = 1.05
"""What a server may hold in the last quarter of the time, in medians, of what it held in the second."""
MORE_FILES = 8
WARM_SECONDS = 20.0
"""Of visits before the first look: threads and their connections are made when they are needed."""
WRITE_AHEAD_BYTES = 1.25 * LARGEST_LOG
NO_LIMITS = {"WONDERCAM_LIMITS": "off", "WONDERCAM_LIMITS_OFF_IS_INTENDED": "1"}
PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True)
class Held:
    """What a server holds at one moment: bytes of memory, open files and threads of all of its processes; the files of
    its data folder, and the bytes of the largest write-ahead log among them."""

    memory: int
    files: int
    threads: int
    stored: int
    write_ahead: int

    @classmethod
    def now(cls, server: WonderCam) -> "Held":
        """Ask the kernel."""
        memory = files = threads = 0
        for process in [Path(f"/proc/{pid}") for pid in (server.pid, *workers_of(server))]:
            memory += int((process / "statm").read_text().split()[1]) * PAGE
            files += len(list((process / "fd").iterdir()))
            threads += len(list((process / "task").iterdir()))
        stored = [path for path in server.data_dir.rglob("*") if path.is_file()]
        logs = [path.stat().st_size for path in stored if path.name.endswith("-wal")]
        return cls(memory, files, threads, len(stored), max(logs, default=0))


@dataclass
class Visit:
    """Questions of one guest after another, until `until`; `rounds` counts them."""

    arena: Arena
    server: WonderCam
    until: float
    dice: random.Random
    rounds: int = 0
    silences: list[float] = field(default_factory=list)

    async def go_on(self) -> None:
        """Ask, with a new guest now and then, who is deleted with all that was said."""
        while monotonic() < self.until:
            token = await guest(self.server.url)
            headers = {"Authorization": f"Bearer {token}"}
            async with httpx.AsyncClient(base_url=self.server.url, headers=headers, timeout=90) as client:
                for _ in range(self.dice.randint(1, 30)):
                    await self._one_chat(token, client)
                    if monotonic() > self.until:
                        break
                (await client.delete("/v2/me")).raise_for_status()

    async def _one_chat(self, token: str, client: httpx.AsyncClient) -> None:
        """One question, whose reader is cut, goes on, or stops it, beside a second one; then the chat is deleted."""
        self.arena.tokens[self.server.url] = token
        reader = self.arena.reader(self.server)
        question = f"seed={self.dice.randrange(10**6)} words={self.dice.randint(5, 80)} gap={self.dice.randint(5, 60)}"
        asked = await asking(reader, question)
        beside = asyncio.create_task(reader.joined().follow())
        match self.dice.randrange(4):
            case 0:
                asked.cancel()
                with suppress(asyncio.CancelledError):
                    await asked
                await reader.follow()
            case 1:
                with suppress(httpx.HTTPStatusError):  # it has ended meanwhile
                    await stop(reader)
        with suppress(asyncio.CancelledError):
            await asked
        await beside
        assert reader.faults == []
        (await client.delete(f"/v2/conversations/{reader.conversation_id}")).raise_for_status()
        self.rounds += 1
        self.silences.append(reader.silence)


async def visited(arena: Arena, server: WonderCam, seconds: float) -> tuple[list[Held], list[float]]:
    """Let all visitors ask for so long; what the server held meanwhile, and the longest silence in each answer (s).

    Returns when their connections are closed.
    """
    end = monotonic() + seconds
    visits = [Visit(arena, server, end, random.Random(number)) for number in range(VISITORS)]
    samples: list[Held] = []

    async def watch() -> None:
        while monotonic() < end:
            samples.append(Held.now(server))
            await asyncio.sleep(SAMPLE_SECONDS)

    async with asyncio.TaskGroup() as group:
        for visit in visits:
            group.create_task(visit.go_on())
        group.create_task(watch())
    await until(lambda: not connections(server.port), "the connections are closed")
    return samples, [silence for visit in visits for silence in visit.silences]


def connections(port: int) -> int:
    """How many TCP connections are established at a local port of ours (proc(5))."""
    lines = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return sum(line[1].endswith(f":{port:04X}") and line[3] == "01" for line in lines)


def quarter(samples: list[Held], number: int) -> list[Held]:
    """The samples of one quarter of the time, from 0."""
    size = len(samples) // 4
    return samples[number * size : (number + 1) * size]


def megabytes(samples: list[Held]) -> float:
    """The median memory."""
    return median(held.memory for held in samples) / 2**20


@pytest.mark.soak
@pytest.mark.timeout(SECONDS + 600)
@pytest.mark.parametrize("kind", ["sqlite", "postgres+redis"])
async def test_a_server_holds_no_more_after_an_hour_than_before_it(
    arena: Arena, request: pytest.FixtureRequest, kind: str
):
    stores = {}
    if kind != "sqlite":
        postgres, redis = request.getfixturevalue("postgres"), request.getfixturevalue("redis")
        stores = {"DATABASE_URL": postgres.new_database(), "REDIS_URL": redis.url}
    server = await arena.serve({**NO_LIMITS, **stores}, workers=2 if stores else 1)
    await visited(arena, server, WARM_SECONDS)
    before = Held.now(server)
    samples, silences = await visited(arena, server, SECONDS)
    second, last, after = quarter(samples, 1), quarter(samples, 3), Held.now(server)
    keep_figures(
        f"flat, {kind}: {len(silences)} questions in {SECONDS:.0f} s; memory {megabytes(second):.1f} MB in the second "
        f"quarter, {megabytes(last):.1f} in the last; files {before.files}, {after.files}; threads {before.threads}, "
        f"{after.threads}; stored files {before.stored}, {after.stored}; largest write-ahead log "
        f"{max(held.write_ahead for held in samples) / 2**20:.1f} MB; longest silence {max(silences):.1f} s"
    )
    assert megabytes(last) <= megabytes(second) * MORE_MEMORY
    assert max(held.threads for held in last) <= max(held.threads for held in second)
    assert max(held.write_ahead for held in samples) <= WRITE_AHEAD_BYTES
    assert after.files <= before.files + MORE_FILES
    assert after.stored <= before.stored + MORE_FILES
