"""`kill -9` at random points, again and again: what was shown is stored, and everything ends (G1 to G5, G7).

Rounds run side by side on SQLite and PostgreSQL, with and without Redis; once the answers of killed workers end as
interrupted, once other workers go on with them (`WONDERCAM_CONTINUE`). WONDERCAM_TEST_SOAK=1 makes it a thousand each,
WONDERCAM_TEST_SEED=<n> runs one round alone.
"""

import asyncio
import os
import secrets
from collections import Counter
from pathlib import Path

import pytest

from chat.protocol import events
from tests.faults.server_under_test import ServerUnderTest, summary
from tests.faults.upstream import upstream
from tests.servers.postgres import Postgres
from tests.servers.redis import Redis
from tests.soak import SOAK, keep_figures

SEED = os.environ.get("WONDERCAM_TEST_SEED")
ROUNDS = 1000 if SOAK else 8
COMPLETE_SHARE = 0.95
"""Of the turns that other workers go on with, at least so many end complete."""
KINDS = ("sqlite", "postgres", "sqlite+redis", "postgres+redis")


def seeds_of(kind: int, first: int) -> list[int]:
    """The rounds on one server: a round's seed says by itself on which kind it runs."""
    if SEED:
        return [int(SEED)] if int(SEED) % len(KINDS) == kind else []
    return [seed for seed in range(first, first + ROUNDS) if seed % len(KINDS) == kind]


@pytest.mark.slow
@pytest.mark.timeout(7200 if SOAK else 600)
@pytest.mark.parametrize("goes_on", [False, True], ids=["interrupted", "continued"])
async def test_kill_9_at_random_points_loses_nothing(
    tmp_path_factory: pytest.TempPathFactory,
    migrated_database: Path,
    postgres: Postgres,
    redis: Redis,
    capsys: pytest.CaptureFixture[str],
    goes_on: bool,
):
    first = secrets.randbelow(10**6) * len(KINDS) if SOAK else 0
    servers: list[ServerUnderTest] = []

    async def drive(number: int, name: str, model: str) -> None:
        if not (seeds := seeds_of(number, first)):
            return
        more = {"DATABASE_URL": postgres.new_database()} if "postgres" in name else {}
        more |= {"REDIS_URL": redis.url} if "redis" in name else {}
        more |= {"WONDERCAM_CONTINUE": "all"} if goes_on else {}
        folder = tmp_path_factory.mktemp("data")
        servers.append(server := await ServerUnderTest.open(name, folder, migrated_database, model, more))
        await server.run(seeds)

    try:
        async with upstream() as model:
            await asyncio.gather(*(drive(number, name, model.url) for number, name in enumerate(KINDS)))
    finally:
        for each in servers:
            each.server.kill9()
        said = f"{summary(servers)} (seeds from {SEED or first})"
        with capsys.disabled():
            print(f"\n{said}")
        keep_figures(f"{'continued' if goes_on else 'interrupted'}: {said}")
    total = sum((each.counts for each in servers), Counter[str]())
    if goes_on and SOAK:
        turns = total[events.COMPLETE] + total[events.INTERRUPTED]
        assert total[events.COMPLETE] >= COMPLETE_SHARE * turns, "too many turns were not gone on with"
    if not SEED:
        assert total["picked up" if goes_on else events.INTERRUPTED], "the kills met nothing"
