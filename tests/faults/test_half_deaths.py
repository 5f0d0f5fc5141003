"""Workers that are cut off or frozen, and come back: no hole in any log, and nothing behind an end (G1 to G3, G5).

Leases and retries are shortened, so that faults of seconds do here what those of a minute do with the defaults.
WONDERCAM_TEST_SOAK=1 takes the defaults and faults of 10 to 60 s.
"""

import asyncio
import os
import random
import signal
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
import pytest

from chat.protocol import events
from tests.equality import check_log, query
from tests.faults.arena import Arena, asking, until
from tests.faults.reader import Reader
from tests.faults.upstream import Script
from tests.servers.postgres import Postgres
from tests.servers.wondercam import WonderCam
from tests.soak import SOAK

SHORT = {} if SOAK else {"WONDERCAM_LEASE_SECONDS": "1", "WONDERCAM_COMMIT_SECONDS": "1"}
LAPSED = 120.0
"""Seconds in which the leases of a worker that is away have lapsed, and others have ended its answers."""
WORDS = 600 if SOAK else 90
STREAMS = 6

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


@dataclass
class Answers:
    """Answers under way: those who asked, then another reader of each; and the tasks in which they read."""

    readers: list[Reader]
    reading: list[asyncio.Task[None]]


async def readers_of(arena: Arena, server: WonderCam, neighbour: WonderCam | None = None) -> Answers:
    """Several answers under way at the server, each with another reader beside the one that asked."""
    askers = [arena.reader(server) for _ in range(STREAMS)]
    questions = [f"seed={n} words={WORDS} gap=100" for n in range(STREAMS)]
    asked = await asyncio.gather(*map(asking, askers, questions, [5] * STREAMS))
    beside = [Reader((neighbour or server).url, asker.token, asker.stream_id) for asker in askers]
    following = [asyncio.create_task(reader.follow()) for reader in beside]
    return Answers([*askers, *beside], [*asked, *following])


async def ended(server: WonderCam, answers: Answers) -> list[str]:
    """Wait until every reader has its end; the status of each stream, after a look at its whole log."""
    readers = answers.readers
    async with asyncio.timeout(200):
        await asyncio.gather(*answers.reading)
    found = []
    for number, asker in enumerate(readers[:STREAMS]):
        log = check_log(server, asker.stream_id)
        text, whole = events.answer_text(log), Script(number, WORDS).text
        status = query(server, "SELECT status FROM chat_stream WHERE id = ?", asker.stream_id)[0][0]
        assert text == whole if status == events.COMPLETE else whole.startswith(text), status
        found.append(status)
    for reader in readers:
        stored = query(server, "SELECT seq, data FROM chat_event WHERE stream_id = ?", reader.stream_id)
        assert reader.faults == []
        assert reader.shown == dict(stored), "a reader has not got the log"
    return found


@asynccontextmanager
async def locked(server: WonderCam) -> AsyncIterator[None]:
    """Another process holds SQLite's write lock."""
    other = sqlite3.connect(server.data_dir / "wondercam.sqlite3", isolation_level=None, timeout=60)
    try:
        await until(lambda: _begun(other), "the lock is taken")
        yield
    finally:
        other.close()


def _begun(connection: sqlite3.Connection) -> bool:
    try:
        connection.execute("BEGIN IMMEDIATE")
    except sqlite3.OperationalError:
        return False
    return True


@asynccontextmanager
async def frozen(server: WonderCam) -> AsyncIterator[None]:
    """The server's process stands still."""
    os.kill(server.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(server.pid, signal.SIGCONT)


class Account:
    """A PostgreSQL account of one server's own, which can be shut out while the others go on."""

    def __init__(self, postgres: Postgres, name: str) -> None:
        self._admin, self.name = postgres.url(), name
        self._run(f"CREATE ROLE {name} SUPERUSER LOGIN")
        self.url = postgres.new_database().replace("wondercam@", f"{name}@")

    def _run(self, *statements: str) -> None:
        with psycopg.connect(self._admin, autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement.encode())

    def break_connections(self) -> None:
        """End its sessions; new ones are welcome."""
        self._run(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '{self.name}'")

    @asynccontextmanager
    async def shut_out(self) -> AsyncIterator[None]:
        """End its sessions and refuse new ones."""
        await asyncio.to_thread(self._run, f"ALTER ROLE {self.name} NOLOGIN")
        await asyncio.to_thread(self.break_connections)
        try:
            yield
        finally:
            await asyncio.to_thread(self._run, f"ALTER ROLE {self.name} LOGIN")


async def test_a_lock_that_outlasts_the_retries_ends_the_answers_at_what_is_stored(arena: Arena):
    server = await arena.serve(SHORT)
    readers = await readers_of(arena, server)
    async with locked(server):
        await until(lambda: "the log could not be written for" in server.log, "a commit is given up")

    # A stream is lost only where one of its events was in the commit that was given up.
    statuses = await ended(server, readers)
    assert events.INTERRUPTED in statuses
    assert set(statuses) <= {events.COMPLETE, events.INTERRUPTED}


async def test_a_lock_that_is_waited_out_costs_nothing(arena: Arena):
    server = await arena.serve({})
    readers = await readers_of(arena, server)
    async with locked(server):
        await asyncio.sleep(2)

    assert await ended(server, readers) == [events.COMPLETE] * STREAMS


@pytest.mark.parametrize("on_postgres", [False, True])
async def test_a_frozen_worker_writes_nothing_behind_the_ends_of_others(
    arena: Arena, postgres: Postgres, on_postgres: bool
):
    more = {"DATABASE_URL": postgres.new_database()} if on_postgres else {}
    server = await arena.serve({**SHORT, **more})
    neighbour = await arena.beside(server)
    readers = await readers_of(arena, server, neighbour)
    async with frozen(server):
        await until(lambda: not running(neighbour), "the neighbour has ended the answers", LAPSED)

    assert await ended(neighbour, readers) == [events.INTERRUPTED] * STREAMS


def running(server: WonderCam) -> int:
    """How many streams are running, as the database has it."""
    return int(query(server, "SELECT COUNT(*) FROM chat_stream WHERE status = 'running'")[0][0])


async def test_a_server_that_loses_postgres_alone_writes_nothing_behind_the_ends_of_others(
    arena: Arena, postgres: Postgres
):
    account = Account(postgres, "cut_off")
    server = await arena.serve({**SHORT, "DATABASE_URL": account.url})
    server.env["DATABASE_URL"] = account.url.replace("cut_off@", "wondercam@")
    neighbour = await arena.beside(server)
    readers = await readers_of(arena, server, neighbour)
    async with account.shut_out():
        await until(lambda: not running(neighbour), "the neighbour has ended the answers", LAPSED)
        await asyncio.sleep(1)

    assert await ended(neighbour, readers) == [events.INTERRUPTED] * STREAMS


async def test_broken_connections_to_postgres_cost_nothing(arena: Arena, postgres: Postgres):
    account = Account(postgres, "broken")
    server = await arena.serve({"DATABASE_URL": account.url})
    server.env["DATABASE_URL"] = account.url.replace("broken@", "wondercam@")
    readers = await readers_of(arena, server)
    for _ in range(3):
        await asyncio.to_thread(account.break_connections)
        await asyncio.sleep(0.5)

    assert await ended(server, readers) == [events.COMPLETE] * STREAMS


Fault = Callable[[], Any]


@pytest.mark.timeout(7200 if SOAK else 300)
@pytest.mark.parametrize("seed", range(20 if SOAK else 2))
async def test_seeded_faults_leave_no_hole_and_nothing_behind_an_end(arena: Arena, postgres: Postgres, seed: int):
    chance = random.Random(seed)
    account = Account(postgres, f"account_{seed}")
    on_postgres = seed % 2 == 1
    server = await arena.serve({**SHORT, **({"DATABASE_URL": account.url} if on_postgres else {})})
    if on_postgres:
        server.env["DATABASE_URL"] = postgres.url(account.url.rpartition("/")[2])
    neighbour = await arena.beside(server)
    faults: list[Fault] = [lambda: frozen(server), account.shut_out if on_postgres else lambda: locked(server)]
    readers = await readers_of(arena, server, neighbour)
    async with chance.choice(faults)():
        await asyncio.sleep(chance.uniform(1, 60 if SOAK else 9))
    statuses = await ended(neighbour, readers)

    assert set(statuses) <= {events.COMPLETE, events.INTERRUPTED}
