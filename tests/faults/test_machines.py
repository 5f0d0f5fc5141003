"""Several machines behind deploy/nginx.conf: each restarted, one killed, and their stores restarted; nothing is lost.

WONDERCAM_TEST_SOAK=1 has 200 streams at a time in place of 20, and the leases that operators have; and it measures for
how long answers are silent when their machine is killed.
"""

import asyncio
from collections.abc import Iterator
from functools import partial
from statistics import median

import pytest

from chat.protocol import events
from tests.faults.arena import environment, until
from tests.faults.machines import WAIT, Machine, Visitors
from tests.faults.upstream import upstream
from tests.servers.front import StartFront
from tests.servers.postgres import Postgres
from tests.servers.redis import Redis
from tests.servers.wondercam import manage, settings
from tests.soak import SOAK, keep_figures

MANY = 200 if SOAK else 20
WORDS, GAP = (100, 200) if SOAK else (15, 100)
LEASES = {} if SOAK else {"WONDERCAM_LEASE_SECONDS": "1"}

SILENT_SECONDS = 10.0
"""For how long an answer may be silent whose machine was killed, where another one goes on with it."""
RESCUED = 60
"""Streams at a time while that is measured: two cores, with the readers on them, are not busy with so many."""

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3600 if SOAK else 600)]


@pytest.fixture
def machines(
    tmp_path_factory: pytest.TempPathFactory, postgres: Postgres, redis: Redis, upstream_port: int
) -> Iterator[list[Machine]]:
    """Two of them, with one PostgreSQL and one Redis; not started."""
    stores = {"DATABASE_URL": postgres.new_database(), "REDIS_URL": redis.url}
    proxy = {"WONDERCAM_HTTPS": "1", "WONDERCAM_TRUSTED_PROXIES": "127.0.0.1"}
    model = environment(f"http://127.0.0.1:{upstream_port}", WONDERCAM_CONTINUE="all")
    env = settings(tmp_path_factory.mktemp("data"), {**stores, **proxy, **model, **LEASES})
    postgres.migrate(env["DATABASE_URL"], partial(manage, "migrate", "--noinput", "--verbosity", "0", env=env))
    started: list[Machine] = []
    try:
        for number in (2, 3):
            own = {**env, "WONDERCAM_DATA_DIR": str(tmp_path_factory.mktemp("data"))}
            started.append(Machine(f"machine-{number}", f"127.0.0.{number}", own))
        yield started
    finally:
        for machine in started:
            machine.kill9()


async def is_killed(machine: Machine) -> None:
    """SIGKILL to all of it, and wait until nothing that runs is its own any more."""
    await asyncio.to_thread(machine.kill9)
    await until(lambda: asyncio.to_thread(lambda: not machine.streams()), f"{machine.name} is stood in for", WAIT)


async def test_machines_and_stores_may_go_and_come_back_and_no_reader_loses_anything(
    machines: list[Machine], front: StartFront, postgres: Postgres, redis: Redis, upstream_port: int
):
    one, other = machines
    async with upstream(upstream_port):
        visitors = Visitors(front([one.server, other.server]), one, MANY, WORDS, GAP)
        async with visitors.come():
            await visitors.are_answered_by(one, other)
            for store in (redis, postgres):
                await asyncio.to_thread(store.stop)
                await asyncio.to_thread(store.start)
                await visitors.hear(3)
            for machine in machines:
                assert await asyncio.to_thread(machine.terminate) == 0
                await visitors.hear(3)
                await asyncio.to_thread(machine.restart)
                await visitors.are_answered_by(one, other)
            await is_killed(other)
    counts = visitors.counts
    keep_figures(f"machines: {dict(counts)}, longest silence of an asker {max(visitors.silences):.1f} s")

    assert counts[events.COMPLETE] > MANY
    assert counts["picked up"], "the killed machine's answers were not gone on with by the other"
    assert counts["resumed"], "nobody was cut off"


@pytest.mark.soak
async def test_an_answer_whose_machine_is_killed_goes_on_at_another_within_10_seconds(
    machines: list[Machine], front: StartFront, upstream_port: int
):
    one, other = machines
    async with upstream(upstream_port):
        visitors = Visitors(front([one.server, other.server]), one, RESCUED, 100, 200)
        async with visitors.come():
            for _ in range(6):
                await visitors.are_answered_by(one, other)
                await is_killed(other)
                await asyncio.to_thread(other.restart)
    silent = sorted(visitors.silences_of_picked_up)
    keep_figures(
        f"machines: {len(silent)} answers of killed machines went on elsewhere, silent for {silent[0]:.1f} to "
        f"{silent[-1]:.1f} s, median {median(silent):.1f} s"
    )

    assert silent[-1] <= SILENT_SECONDS
