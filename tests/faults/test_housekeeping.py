"""Back-up, retention and deletion beside answers that stream: no stream is silent, nothing is lost."""

import asyncio
import sqlite3
from contextlib import asynccontextmanager, closing
from functools import partial
from itertools import pairwise
from time import monotonic
from uuid import UUID

import httpx
import pytest

from tests.equality import equal
from tests.faults.arena import Arena, asking, stop, until
from tests.faults.upstream import Script
from tests.servers.process import Process
from tests.servers.wondercam import WonderCam, manage
from tests.soak import SOAK

EVENTS = 100_000
SILENCE = 0.8 if SOAK else 20
"""Seconds, beyond twice the usual: on a quiet machine the same rows deleted at once take 1.2 s and more."""


def grown(server: WonderCam, stream: str, events: int) -> None:
    """Add events behind a stream's end, as if it had been so long."""
    data = '{"candidates":[{"content":{"role":"model","parts":[{"text":"word "}]}}],"modelVersion":"script"}'
    key = UUID(stream).hex
    with closing(sqlite3.connect(server.data_dir / "wondercam.sqlite3", timeout=30)) as database, database:
        (last,) = database.execute("SELECT last_seq FROM chat_stream WHERE id = ?", (key,)).fetchone()
        rows = ((key, last + n, 10_000_000 + n, data) for n in range(1, events + 1))
        database.executemany('INSERT INTO chat_event (stream_id, seq, "at", data) VALUES (?, ?, ?, ?)', rows)
        ended = "UPDATE chat_stream SET ended_at = '2020-01-01', last_seq = ? WHERE id = ?"
        database.execute(ended, (last + events, key))


class Watch:
    """When a reader was shown something. `usual`: its longest silence before the work, where others are at work too."""

    def __init__(self) -> None:
        self.moments: list[float] = []
        self.usual = 0.0

    @property
    def silence(self) -> float:
        """The longest time in which nothing came."""
        return max(after - before for before, after in pairwise(self.moments))


@asynccontextmanager
async def streaming(arena: Arena, server: WonderCam):
    """An answer with a word every 20 ms, watched while the block runs, then stopped: it is whole up to there."""
    reader, watch = arena.reader(server), Watch()
    task = await asking(reader, "seed=5 words=10000 gap=20", seq=5)

    async def look() -> None:
        while not reader.done:
            watch.moments.append(monotonic())
            await reader.reached(reader.last + 1)

    looking = asyncio.create_task(look())
    await reader.reached(reader.last + 100)
    watch.usual, watch.moments[:] = watch.silence, watch.moments[-1:]
    yield watch
    assert not reader.done, "the answer was over before the work was: it proves nothing"
    await stop(reader)
    await asyncio.gather(looking, task)
    assert reader.faults == []
    assert Script(5, 10_000).text.startswith(reader.text)
    print(f"longest silence: {watch.silence:.3f} s of {watch.moments[-1] - watch.moments[0]:.1f}")


async def an_old_stream(arena: Arena, server: WonderCam):
    """A reader whose stream has ended, and is long."""
    reader = arena.reader(server)
    await reader.ask("seed=6 words=5")
    await asyncio.to_thread(grown, server, reader.stream_id, EVENTS)
    return reader


def events_of(server: WonderCam, stream: str) -> int:
    """How many events are stored."""
    with closing(sqlite3.connect(server.data_dir / "wondercam.sqlite3")) as database:
        found = database.execute("SELECT COUNT(*) FROM chat_event WHERE stream_id = ?", (UUID(stream).hex,))
        return int(found.fetchone()[0])


async def test_deleting_a_long_conversation_keeps_no_stream_silent(arena: Arena):
    server = await arena.serve()
    old = await an_old_stream(arena, server)
    headers = {"Authorization": f"Bearer {old.token}"}
    async with streaming(arena, server) as watch, httpx.AsyncClient(timeout=60, headers=headers) as client:
        address = f"{server.url}/v2/conversations/{old.conversation_id}"
        deleted = asyncio.create_task(client.delete(address))
        await until(lambda: events_of(server, old.stream_id) < EVENTS, "the deletion has begun")
        assert (await client.get(address)).status_code == 404  # hidden long before it is gone
        assert (await client.get(f"{server.url}/v2/streams/{old.stream_id}")).status_code == 404
        assert (await deleted).status_code == 204
        assert events_of(server, old.stream_id) == 0
    assert watch.silence < SILENCE + 2 * watch.usual


async def test_a_deletion_that_a_crash_broke_off_is_finished_by_the_next_process(arena: Arena):
    server = await arena.serve()
    old = await an_old_stream(arena, server)
    async with httpx.AsyncClient(headers={"Authorization": f"Bearer {old.token}"}, timeout=90) as client:
        deleted = asyncio.create_task(client.delete(f"{server.url}/v2/conversations/{old.conversation_id}"))
        await until(lambda: events_of(server, old.stream_id) < EVENTS, "the deletion has begun")
        server.kill9()
        with pytest.raises(httpx.HTTPError):
            await deleted
    assert events_of(server, old.stream_id) > 0
    await asyncio.to_thread(server.restart)
    await until(lambda: events_of(server, old.stream_id) == 0, "the rest is deleted")


@pytest.mark.parametrize(
    ("command", "said"),
    [(("prune_streams", "--older-than", "300d", "--json"), '"streams": 1'), (("prune", "--json"), '"recordings": 1')],
    ids=["by the command for streams", "by the settings"],
)
async def test_pruning_a_long_recording_keeps_no_stream_silent(arena: Arena, command: tuple[str, ...], said: str):
    server = await arena.serve()
    old = await an_old_stream(arena, server)
    env = {**server.env, "WONDERCAM_KEEP_RECORDINGS_DAYS": "300"}  # the server, which keeps all, would do it itself
    async with streaming(arena, server) as watch:
        assert said in await asyncio.to_thread(partial(manage, *command, env=env))
        assert events_of(server, old.stream_id) == 0
    assert watch.silence < SILENCE + 2 * watch.usual


async def test_a_back_up_ends_while_an_answer_streams_and_serves_the_same_transcript(arena: Arena, tmp_path):
    server = await arena.serve()
    old = await an_old_stream(arena, server)
    copy = tmp_path / "copy.sqlite3"
    async with streaming(arena, server) as watch:
        await asyncio.to_thread(server.manage, "backup", str(copy))
    assert watch.silence < SILENCE + 2 * watch.usual
    assert copy.stat().st_mode & 0o777 == 0o600

    async def transcript() -> object:
        async with httpx.AsyncClient(headers={"Authorization": f"Bearer {old.token}"}, timeout=90) as client:
            answer = await client.get(f"{server.url}/v2/conversations/{old.conversation_id}")
            return answer.raise_for_status().json()

    before = await transcript()
    server.terminate()
    for path in server.data_dir.glob("wondercam.sqlite3*"):
        path.unlink()
    copy.rename(server.data_dir / "wondercam.sqlite3")
    await asyncio.to_thread(server.restart)
    assert await transcript() == before
    again = old.joined()
    await again.follow()
    assert len(again.shown) == EVENTS + len(old.shown)
    new = arena.reader(server)
    await new.ask("seed=7 words=5")
    assert await equal(server, new.token, new.stream_id, new, replay=False) == Script(7, 5).text


async def test_a_back_up_that_is_broken_off_leaves_no_file(arena: Arena, tmp_path):
    server = await arena.serve()
    await an_old_stream(arena, server)
    copy = tmp_path / "copy.sqlite3"
    running = Process([*server.process.command[:3], "backup", str(copy)], env=server.env)
    await until(copy.exists, "the file is there")
    assert await asyncio.to_thread(running.terminate) != 0
    assert not copy.exists()


async def test_postgresql_is_backed_up_by_its_own_program(arena: Arena, postgres_url, tmp_path):
    server = await arena.serve({"DATABASE_URL": postgres_url})
    with pytest.raises(RuntimeError, match=r"pg_dump --format=custom --host=127.0.0.1 .* --file=out.dump"):
        server.manage("backup", "out.dump")
