"""A database that is locked, slow, gone, full or broken in one place (G1, G2, G3)."""

import asyncio
import resource
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest

from chat.protocol import events
from tests.equality import check_log, equal, stored
from tests.faults.arena import Arena, asking, until
from tests.faults.reader import CUT
from tests.faults.upstream import Script
from tests.servers.postgres import Postgres
from tests.servers.process import free_port
from tests.servers.wondercam import WonderCam, manage, settings


@contextmanager
def locked(server: WonderCam) -> Iterator[None]:
    """Another process's write transaction, for as long as the block."""
    database = sqlite3.connect(server.data_dir / "wondercam.sqlite3", isolation_level=None, timeout=60)
    try:
        database.execute("BEGIN IMMEDIATE")
        yield
        database.execute("ROLLBACK")
    finally:
        database.close()


async def test_sqlite_locked_for_five_seconds_delays_and_loses_nothing(arena: Arena):
    server = await arena.serve()
    first, second = arena.reader(server), arena.reader(server)
    asked = await asking(first, "seed=40 words=100 gap=20", seq=10)
    with locked(server):
        late = asyncio.create_task(second.ask("seed=41 words=5"))
        await until(lambda: first.last == stored(server, first.stream_id)[-1].seq, "what was stored has arrived")
        held = first.last
        await asyncio.sleep(5)
        assert (first.last, second.last) == (held, -1)
    await asyncio.gather(asked, late)

    assert (first.connections, second.connections) == (1, 1)
    assert await equal(server, first.token, first.stream_id, first, replay=False) == Script(40, 100).text
    assert await equal(server, second.token, second.stream_id, second, replay=False) == Script(41, 5).text


async def test_a_database_that_takes_long_for_every_write_slows_and_loses_nothing(arena: Arena):
    server = await arena.serve()
    readers = [arena.reader(server) for _ in range(5)]
    asked = [asyncio.create_task(reader.ask(f"seed={n} words=30 gap=50")) for n, reader in enumerate(readers)]
    for _ in range(3):
        with locked(server):
            await asyncio.sleep(1)
        await asyncio.sleep(0.05)
    await asyncio.gather(*asked)

    for number, reader in enumerate(readers):
        assert await equal(server, reader.token, reader.stream_id, reader, replay=False) == Script(number, 30).text


async def test_postgres_restarted_in_the_middle_and_at_the_last_write(arena: Arena, postgres: Postgres):
    server = await arena.serve({"DATABASE_URL": postgres.new_database()})
    middle, last = arena.reader(server), arena.reader(server)
    asked = [await asking(middle, "seed=42 words=150 gap=30", seq=10), await asking(last, "seed=43 words=20", seq=0)]
    asked.append(await asking(third := arena.reader(server), "seed=44 words=25 gap=30", seq=3))
    await asyncio.to_thread(postgres.stop)
    try:
        await until(lambda: len(arena.model.left) == 2, "the third answer's end was sent")
    finally:
        await asyncio.to_thread(postgres.start)
    await asyncio.gather(*asked)

    for reader, script in ((middle, Script(42, 150)), (last, Script(43, 20)), (third, Script(44, 25))):
        assert reader.end == events.COMPLETE
        assert await equal(server, reader.token, reader.stream_id, reader, replay=False) == script.text


async def test_fifty_streams_share_two_connections_to_postgres(arena: Arena, postgres: Postgres):
    server = await arena.serve({"DATABASE_URL": postgres.new_database(), "DATABASE_POOL": "2"})
    readers = [arena.reader(server) for _ in range(50)]
    await asyncio.gather(*(reader.ask(f"seed={n} words=20 gap=20") for n, reader in enumerate(readers)))

    assert [reader.text for reader in readers] == [Script(n, 20).text for n in range(50)]
    for reader in readers:
        check_log(server, reader.stream_id)


async def test_an_outage_of_postgres_is_a_503_while_it_lasts_and_nothing_afterwards(arena: Arena, postgres: Postgres):
    server = await arena.serve({"DATABASE_URL": postgres.new_database()})
    headers = {"Authorization": f"Bearer {arena.tokens[server.url]}"}
    async with httpx.AsyncClient(base_url=server.url, headers=headers, timeout=90) as client:

        async def statuses(requests: int) -> set[int]:
            answers = await asyncio.gather(*(client.get("/v2/conversations") for _ in range(requests)))
            assert all("retry-after" in answer.headers for answer in answers if answer.status_code == 503)
            return {answer.status_code for answer in answers}

        before = await statuses(20)
        await asyncio.to_thread(postgres.stop)
        await asyncio.to_thread(postgres.start)
        unnoticed = await statuses(20)
        await asyncio.to_thread(postgres.stop)
        try:
            during = await statuses(4)
        finally:
            await asyncio.to_thread(postgres.start)
        after = await statuses(20)

    assert (before, unnoticed, during, after) == ({200}, {200}, {503}, {200})


async def test_without_a_database_the_server_does_not_start_and_says_why(tmp_path_factory: pytest.TempPathFactory):
    env = settings(tmp_path_factory.mktemp("data"), {"DATABASE_URL": f"postgres://x@127.0.0.1:{free_port()}/y"})
    with pytest.raises(RuntimeError, match=r"the database of DATABASE_URL cannot be read"):
        await asyncio.to_thread(manage, "serve", "--port", str(free_port()), env=env)


async def test_a_full_disk_delays_and_loses_nothing(arena: Arena):
    server = await arena.serve()
    reader = arena.reader(server)
    asked = await asking(reader, "seed=45 words=200 gap=20 size=2000", seq=10)
    unlimited = resource.prlimit(server.pid, resource.RLIMIT_FSIZE)
    size = (server.data_dir / "wondercam.sqlite3-wal").stat().st_size
    resource.prlimit(server.pid, resource.RLIMIT_FSIZE, (size, unlimited[1]))
    await asyncio.sleep(2.5)
    await until(lambda: reader.last == stored(server, reader.stream_id)[-1].seq, "what was stored has arrived")
    held = reader.last
    await asyncio.sleep(0.5)
    assert reader.last == held, "the disk was not full"
    resource.prlimit(server.pid, resource.RLIMIT_FSIZE, unlimited)
    await asked

    assert reader.end == events.COMPLETE
    assert await equal(server, reader.token, reader.stream_id, reader, replay=False) == Script(45, 200, size=2000).text


async def test_an_event_that_cannot_be_read_cuts_its_readers_and_the_server_is_well(arena: Arena):
    server = await arena.serve()
    broken, fine = arena.reader(server), arena.reader(server)
    await broken.ask("seed=46 words=5")
    await fine.ask("seed=47 words=5")
    await asyncio.to_thread(server.restart)  # what it had in memory is gone
    with sqlite3.connect(server.data_dir / "wondercam.sqlite3") as database:
        key = broken.stream_id.replace("-", "")
        database.execute("UPDATE chat_event SET data = CAST(x'ff' AS TEXT) WHERE stream_id = ? AND seq = 3", (key,))
    database.close()
    for _ in range(5):
        with pytest.raises(CUT):
            await broken.joined(after=0).once()
    again = fine.joined()
    await again.once()

    assert again.shown == fine.shown
    new = arena.reader(server)
    await new.ask("seed=48 words=5")
    assert new.end == events.COMPLETE
    await until(lambda: "was cut off" in server.log, "the log says so")
