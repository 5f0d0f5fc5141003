"""The back-up of a PostgreSQL database, by the commands that `manage.py backup` prints: made beside an answer that
streams, and restored in the place of what came afterwards."""

import asyncio
import os
import re
import subprocess
from pathlib import Path

import pytest

from tests.equality import change, check_log, equal, query, row_of
from tests.faults.arena import Arena, arena, asking, upstream_port
from tests.faults.upstream import Script
from tests.servers.postgres import Postgres
from tests.servers.process import program
from tests.servers.wondercam import WonderCam

__all__ = ["arena", "upstream_port"]
pytestmark = pytest.mark.slow


def told(server: WonderCam, file: Path) -> list[str]:
    """The commands that `backup` prints: one that makes the file, and those that restore it."""
    with pytest.raises(RuntimeError) as refused:
        server.manage("backup", str(file))
    return re.findall(r"^ {4}(\S.*)$", str(refused.value), re.MULTILINE)


def typed(commands: list[str], postgres: Postgres) -> None:
    """Run them in a shell, one after the other."""
    program(["pg_restore"], "postgresql-client", [postgres.programs / "pg_restore"])
    path = {"PATH": f"{postgres.programs}:{os.environ['PATH']}"}
    for command in commands:
        done = subprocess.run(
            ["sh", "-c", command], env={**os.environ, **path}, capture_output=True, text=True, timeout=250, check=False
        )
        assert done.returncode == 0, done.stderr
        assert "error" not in done.stderr.lower()


async def test_what_was_backed_up_beside_an_answer_comes_back_whole_and_nothing_else(
    arena: Arena, postgres: Postgres, tmp_path: Path
) -> None:
    server = await arena.serve({"DATABASE_URL": postgres.new_database()})
    token = arena.tokens[server.url]
    for number in range(2):  # what was restored can be backed up and restored
        file = tmp_path / f"{number}.dump"
        [dump, *restore] = await asyncio.to_thread(told, server, file)
        kept, running, later = arena.reader(server), arena.reader(server), arena.reader(server)
        await kept.ask(f"seed={number} words=20")
        task = await asking(running, "seed=8 words=20 hold=10", seq=5)
        await asyncio.to_thread(typed, [dump], postgres)
        assert file.stat().st_mode & 0o777 == 0o600
        arena.model.let(10)
        await task
        await later.ask("seed=9 words=5")
        change(server, "CREATE TABLE chat_of_a_later_version (id int)")
        server.terminate()

        await asyncio.to_thread(typed, restore, postgres)
        assert query(server, "SELECT to_regclass('chat_of_a_later_version')") == [(None,)]
        server.manage("migrate", "--check")
        server.restart()
        assert query(server, "SELECT 1 FROM chat_stream WHERE id = ?", later.stream_id) == []
        assert await equal(server, token, kept.stream_id, kept) == Script(number, 20).text
        async with asyncio.timeout(90):
            while row_of(server, running.stream_id)["status"] == "running":
                await asyncio.sleep(0.05)
        assert 5 <= len(check_log(server, running.stream_id)) < 22
    again = arena.reader(server)
    await again.ask("seed=10 words=5")
    assert await equal(server, again.token, again.stream_id, again) == Script(10, 5).text
