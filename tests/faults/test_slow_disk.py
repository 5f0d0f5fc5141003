"""A disk that takes a second to flush: the file is durable later, and no reader waits for it."""

import asyncio
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from time import monotonic

import httpx
import pytest

from tests.faults.arena import Arena
from tests.servers.process import program
from tests.servers.wondercam import WonderCam

STREAMS = 10
QUESTION = "words=300 gap=40"
"""12 s at 25 events a second: more than one checkpoint, and two renewals of all leases."""

SILENCE = 0.3
"""Seconds that the slow disk may add to the longest silence of any stream."""


@pytest.fixture(scope="module")
def slow_fsync(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The library that delays every flush."""
    source, built = Path(__file__).with_name("slow_fsync.c"), tmp_path_factory.mktemp("slow") / "slow_fsync.so"
    compiler = program(["cc", "gcc", "clang"], "gcc")
    subprocess.run([compiler, "-shared", "-fPIC", "-o", built, source, "-ldl"], check=True)
    return built


async def gaps(server: WonderCam, token: str, question: str = QUESTION) -> AsyncIterator[float]:
    """Seconds between the pieces of one answer, as a reader gets them."""
    headers = {"Authorization": f"Bearer {token}"}
    body = {"contents": [{"text": question}]}
    async with (
        httpx.AsyncClient(timeout=60) as client,
        client.stream("POST", f"{server.url}/v2/echat", json=body, headers=headers) as answer,
    ):
        assert answer.status_code == 200
        last = monotonic()
        async for _ in answer.aiter_bytes():
            now = monotonic()
            yield now - last
            last = now


async def longest_silence(server: WonderCam, token: str) -> float:
    """Of any of the streams."""

    async def longest() -> float:
        return max([gap async for gap in gaps(server, token)])

    return max(await asyncio.gather(*(longest() for _ in range(STREAMS))))


@pytest.mark.soak
async def test_no_stream_is_silent_while_the_disk_flushes(arena: Arena, slow_fsync: Path):
    usual = await arena.serve()
    before = await longest_silence(usual, arena.tokens[usual.url])
    server = await arena.serve({"LD_PRELOAD": str(slow_fsync), "SLOW_FSYNC_MS": "1000"})
    found = await longest_silence(server, arena.tokens[server.url])

    assert found < before + SILENCE, f"{found:.3f} s with a slow disk, {before:.3f} s without"
