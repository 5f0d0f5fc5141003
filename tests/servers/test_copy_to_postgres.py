"""`copy_to_postgres`: an installation goes from SQLite to PostgreSQL, and nobody notices."""

import asyncio
import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from tests.equality import change, equal, query, stored
from tests.faults.arena import Arena, arena, upstream_port
from tests.faults.upstream import Script
from tests.servers.postgres import Postgres
from tests.servers.process import free_port
from tests.servers.wondercam import WonderCam, manage, settings

__all__ = ["arena", "upstream_port"]


def dump(server: WonderCam) -> list[str]:
    """All that the SQLite database holds."""
    with closing(sqlite3.connect(server.data_dir / "wondercam.sqlite3")) as database:
        return list(database.iterdump())


async def test_a_guest_goes_on_talking_on_postgresql_where_sqlite_left_off(arena: Arena, postgres_url: str):
    server = await arena.serve()
    asked = arena.reader(server)
    await asked.ask("seed=7 words=20")
    before = stored(server, asked.stream_id)
    feedback = {"value": 1, "reason": "true"}
    async with httpx.AsyncClient(headers={"Authorization": f"Bearer {asked.token}"}, timeout=90) as client:
        conversation = f"{server.url}/v2/conversations/{asked.conversation_id}"
        [_, answer] = (await client.get(conversation)).json()["messages"]
        said = await client.post(f"{server.url}/v2/messages/{answer['id']}/feedback", json=feedback)
        assert said.is_success, said.text
        transcript = (await client.get(conversation)).raise_for_status().json()
        server.terminate()
        nul = 'UPDATE chat_stream SET request = \'{"language": "a\\u0000b"}\''
        change(server, nul)
        whole = dump(server)
        counts = json.loads(await asyncio.to_thread(server.manage, "copy_to_postgres", postgres_url, "--json"))
        assert dump(server) == whole
        assert counts["chat_event"] == len(before)
        assert counts["chat_conversation"] == 1
        moved = WonderCam({**server.env, "DATABASE_URL": postgres_url}, 1, ())
        arena.neighbours.append(moved)
        assert stored(moved, asked.stream_id) == before
        assert query(moved, "SELECT request FROM chat_stream") == [({"language": "a\ufffdb"},)]
        found = await client.get(f"{moved.url}/v2/conversations/{asked.conversation_id}")
        assert found.raise_for_status().json() == transcript
    assert await equal(moved, asked.token, asked.stream_id, asked) == Script(7, 20).text
    arena.tokens[moved.url] = asked.token
    again = arena.reader(moved)
    await again.ask("seed=8 words=5")
    assert await equal(moved, again.token, again.stream_id, again, replay=False) == Script(8, 5).text
    with pytest.raises(RuntimeError, match="There are accounts in that database: name one that is empty"):
        await asyncio.to_thread(server.manage, "copy_to_postgres", postgres_url)


def test_nothing_is_copied_under_a_running_server(shared_server: WonderCam, postgres: Postgres):
    with pytest.raises(RuntimeError, match="most likely a running server: stop it first"):
        shared_server.manage("copy_to_postgres", postgres.url("nowhere"))


def test_a_database_that_does_not_answer_is_told_with_the_reason(migrated_database: Path, tmp_path: Path):
    shutil.copy(migrated_database, tmp_path)
    with pytest.raises(RuntimeError, match=r"Nothing was copied(.|\n)*Connection refused") as refused:
        manage("copy_to_postgres", f"postgres://a@127.0.0.1:{free_port()}/b", env=settings(tmp_path))
    assert "WARNING" not in str(refused.value)


@pytest.mark.parametrize("address", ["sqlite:///other.sqlite3", "mysql://a@b/c", "nonsense"])
def test_an_address_of_another_database_gets_a_sentence(shared_server: WonderCam, address: str):
    with pytest.raises(RuntimeError, match=r"write postgres://user:password@host:5432/name"):
        shared_server.manage("copy_to_postgres", address)
