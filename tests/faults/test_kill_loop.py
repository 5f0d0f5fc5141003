"""`kill -9` at random points, again and again: what was shown is stored, and everything ends (G1 to G5, G7).

Rounds run side by side on SQLite and PostgreSQL, with and without Redis. WONDERCAM_TEST_SOAK=1 makes it a thousand,
WONDERCAM_TEST_SEED=<n> runs one round alone.
"""

import asyncio
import os
import secrets
from pathlib import Path

import pytest

from tests.faults.lane import Lane, summary
from tests.faults.upstream import upstream
from tests.servers.postgres import Postgres
from tests.servers.redis import Redis

SOAK = bool(os.environ.get("WONDERCAM_TEST_SOAK"))
SEED = os.environ.get("WONDERCAM_TEST_SEED")
ROUNDS = 1000 if SOAK else 64
LANES = ("sqlite", "postgres", "sqlite+redis", "postgres+redis")


def seeds_of(lane: int, first: int) -> list[int]:
    """The rounds of one lane: a round's seed says by itself which lane it belongs to."""
    if SEED:
        return [int(SEED)] if int(SEED) % len(LANES) == lane else []
    return [seed for seed in range(first, first + ROUNDS) if seed % len(LANES) == lane]


@pytest.mark.slow
@pytest.mark.timeout(7200 if SOAK else 300)
async def test_kill_9_at_random_points_loses_nothing(
    tmp_path_factory: pytest.TempPathFactory,
    migrated_database: Path,
    postgres: Postgres,
    redis: Redis,
    capsys: pytest.CaptureFixture[str],
):
    first = secrets.randbelow(10**6) * len(LANES) if SOAK else 0
    lanes: list[Lane] = []

    async def drive(number: int, name: str, model: str) -> None:
        if not (seeds := seeds_of(number, first)):
            return
        more = {"DATABASE_URL": postgres.new_database()} if "postgres" in name else {}
        more |= {"REDIS_URL": redis.url} if "redis" in name else {}
        lane = await Lane.open(name, tmp_path_factory.mktemp("lane"), migrated_database, model, more)
        lanes.append(lane)
        await lane.run(seeds)

    try:
        async with upstream() as model:
            await asyncio.gather(*(drive(number, name, model.url) for number, name in enumerate(LANES)))
    finally:
        for lane in lanes:
            lane.server.kill9()
        with capsys.disabled():
            print(f"\n{summary(lanes)} (seeds from {SEED or first})")
    if not SEED:
        total = sum(lane.counts["interrupted"] for lane in lanes)
        assert total > ROUNDS / 4, "the kills met nothing"
