"""Several workers, one log: any of them follows, stops and finds any stream (G4, G5, G7, G9, G10)."""

import asyncio
import os
import signal
from statistics import median
from time import monotonic

import pytest

from chat.protocol import events
from tests.equality import check_log, equal, query
from tests.faults.arena import Arena, asking, stop, until, workers_of
from tests.faults.reader import Reader
from tests.faults.upstream import Script
from tests.servers.postgres import Postgres
from tests.servers.redis import Redis
from tests.servers.wondercam import WonderCam
from tests.soak import SOAK


def at(server: WonderCam, reader: Reader, after: int = -1) -> Reader:
    """Another reader of the stream, at this server."""
    return Reader(server.url, reader.token, reader.stream_id, last=after)


async def all_same(server: WonderCam, neighbour: WonderCam, asker: Reader, question: str) -> list[Reader]:
    """Ask at one, read at both from several places: while it runs, at its end and after it."""
    asked = await asking(asker, question, seq=2)
    readers = [at(server, asker), at(neighbour, asker), at(neighbour, asker), at(neighbour, asker, after=1)]
    await asyncio.gather(asked, *(reader.follow() for reader in readers))
    late = at(neighbour, asker)
    await late.follow()
    for reader in readers[:3]:
        assert reader.shown == asker.shown
    assert late.shown == asker.shown
    assert readers[3].shown == {seq: data for seq, data in asker.shown.items() if seq > 1}
    return [*readers[:3], late]


async def test_two_workers_and_five_readers_see_one_stream(arena: Arena):
    server = await arena.shared()
    neighbour = await arena.beside(server)
    asker = arena.reader(server)
    readers = await all_same(server, neighbour, asker, "seed=30 words=40 gap=20")

    assert await equal(server, asker.token, asker.stream_id, asker, *readers) == Script(30, 40).text


async def test_postgres_and_redis_carry_a_stream_between_workers(arena: Arena, postgres_url: str, redis: Redis):
    server = await arena.serve({"DATABASE_URL": postgres_url, "REDIS_URL": redis.url})
    neighbour = await arena.beside(server)
    asker = arena.reader(server)
    readers = await all_same(server, neighbour, asker, "seed=31 words=40 gap=20")

    assert await equal(server, asker.token, asker.stream_id, asker, *readers) == Script(31, 40).text


async def stopped_after(arena: Arena, owner: WonderCam, at_server: WonderCam) -> float:
    """Seconds from a stop said at one server to its arrival at the model of a stream that another one owns."""
    asker = arena.reader(owner)
    asked = await asking(asker, "words=3 then=stall", seq=3)
    left, began = len(arena.model.left), monotonic()
    first = await stop(at(at_server, asker))
    await until(lambda: len(arena.model.left) > left, "the model is stopped")
    took = monotonic() - began
    await asked
    assert first["status"] in (events.RUNNING, events.STOPPED)
    assert (await stop(at(at_server, asker)))["status"] == events.STOPPED
    assert asker.end == events.STOPPED
    assert len(check_log(owner, asker.stream_id)) == 5
    return took


@pytest.mark.parametrize(("with_redis", "limit"), [(True, 0.3), (False, 1.0)])
async def test_a_stop_from_another_worker_reaches_the_model_in_time(
    arena: Arena, redis: Redis, with_redis: bool, limit: float
):
    server = await arena.serve({"REDIS_URL": redis.url} if with_redis else {})
    neighbour = await arena.beside(server)
    there = median([await stopped_after(arena, server, neighbour) for _ in range(7 if SOAK else 3)])

    assert there < (limit if SOAK else 30 * limit), f"{there:.3f} s from another worker"


async def test_redis_may_go_come_back_and_forget_in_the_middle(arena: Arena, redis: Redis):
    server = await arena.serve({"REDIS_URL": redis.url})
    neighbour = await arena.beside(server)
    asker = arena.reader(server)
    asked = await asking(asker, "seed=32 words=60 hold=3", seq=3)
    remote = at(neighbour, asker)
    following = asyncio.create_task(remote.follow())
    for outage in (None, redis.stop, redis.start, lambda: redis.command("FLUSHALL")):
        if outage is not None:
            await asyncio.to_thread(outage)
        arena.model.let(5)
        await asker.reached(asker.last + 5)
        await remote.reached(asker.last)
    arena.model.let()
    await asyncio.gather(asked, following)

    assert remote.connections == 1
    assert await equal(server, asker.token, asker.stream_id, asker, remote, replay=False) == Script(32, 60).text
    again = arena.reader(server)
    asked = await asking(again, "words=2 then=stall", seq=2)
    await stop(at(neighbour, again))
    await asked
    assert again.end == events.STOPPED


@pytest.mark.parametrize("database", ["sqlite", "postgres"])
async def test_one_send_to_two_workers_at_once_is_one_answer(arena: Arena, postgres: Postgres, database: str):
    server = await arena.serve({"DATABASE_URL": postgres.new_database()} if database == "postgres" else {})
    neighbour = await arena.beside(server)
    for number in range(5):
        readers = [Reader(url, arena.tokens[server.url]) for url in (server.url, neighbour.url) * 5]
        await asyncio.gather(*(reader.ask("seed=33 words=5", request_id=f"r{number}") for reader in readers))

        assert len({reader.stream_id for reader in readers}) == 1
        assert all(reader.shown == readers[0].shown for reader in readers)
    assert len(arena.model.asked) == 5
    assert query(server, "SELECT count(*) FROM chat_message") == [(10,)]


async def test_sigterm_lets_50_running_streams_finish(arena: Arena):
    server = await arena.serve()
    askers = [arena.reader(server) for _ in range(50)]
    tasks = [await asking(asker, f"seed={number} words=60 gap=50", seq=1) for number, asker in enumerate(askers)]
    code = await asyncio.to_thread(server.terminate)
    await asyncio.gather(*tasks)

    assert code == 0
    assert {asker.end for asker in askers} == {events.COMPLETE}
    for number, asker in enumerate(askers):
        assert asker.connections == 1
        assert events.answer_text(check_log(server, asker.stream_id)) == Script(number, 60).text == asker.text


async def test_sigterm_ends_what_the_grace_is_too_short_for_and_tells_its_readers(arena: Arena):
    server = await arena.serve({"WONDERCAM_DRAIN_SECONDS": "1"})
    askers = [arena.reader(server) for _ in range(10)]
    tasks = [await asking(asker, f"seed={number} words=5 then=stall", seq=5) for number, asker in enumerate(askers)]
    began = monotonic()
    code = await asyncio.to_thread(server.terminate)
    took = monotonic() - began
    await asyncio.gather(*tasks)

    assert (code, took < 60) == (0, True)
    assert {asker.end for asker in askers} == {events.INTERRUPTED}
    for number, asker in enumerate(askers):
        assert events.answer_text(check_log(server, asker.stream_id)) == Script(number, 5).text


async def test_the_server_killed_mid_answer_keeps_what_was_shown_and_says_interrupted(arena: Arena):
    server = await arena.serve({"WONDERCAM_LEASE_SECONDS": "300"})
    asker = arena.reader(server)
    asked = await asking(asker, "seed=34 words=20 then=stall", seq=20)
    shown = dict(asker.shown)
    await asyncio.to_thread(server.kill9)
    await asyncio.to_thread(server.restart)
    await asyncio.wait_for(asked, 90)  # found at the start, and not only when its lease lapses

    assert shown.items() <= asker.shown.items()
    assert asker.end == events.INTERRUPTED
    assert await equal(server, asker.token, asker.stream_id, asker) == Script(34, 20).text


@pytest.mark.slow
async def test_a_worker_that_froze_is_thought_dead_and_gives_up_when_it_wakes(arena: Arena):
    server = await arena.serve()
    neighbour = await arena.beside(server)
    asker = arena.reader(neighbour)
    owner = arena.reader(server)
    asked = await asking(owner, "seed=35 words=3 then=stall", seq=3)
    asker.stream_id = owner.stream_id
    os.kill(server.pid, signal.SIGSTOP)
    began = monotonic()
    await asker.follow()
    took = monotonic() - began
    os.kill(server.pid, signal.SIGCONT)
    await asked
    await until(lambda: arena.model.left, "the model is let go")

    assert took < 90
    assert owner.shown == asker.shown
    assert asker.end == events.INTERRUPTED
    assert await equal(neighbour, asker.token, asker.stream_id, asker, owner, replay=False) == Script(35, 3).text


async def test_a_killed_worker_s_streams_go_on_being_served_by_the_others(arena: Arena):
    server = await arena.serve(workers=2)
    askers = [arena.reader(server) for _ in range(6)]
    tasks = [await asking(asker, f"seed={number} words=30 gap=30", seq=1) for number, asker in enumerate(askers)]
    os.kill(workers_of(server)[0], signal.SIGKILL)
    await asyncio.gather(*tasks)

    for number, asker in enumerate(askers):
        text = await equal(server, asker.token, asker.stream_id, asker, replay=False)
        assert asker.end in (events.COMPLETE, events.INTERRUPTED)
        assert Script(number, 30).text.startswith(text)
