"""`kill -9` around queued messages: each is sent once and in its order (`chat/turns/message_queue.py`).

Answers of killed workers go on (`WONDERCAM_CONTINUE`), so all end complete and nothing is left in the queue.
WONDERCAM_TEST_SOAK=1 makes it 500 rounds on each kind of server.
"""

import asyncio
import random
import secrets
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
import pytest_asyncio

from chat.protocol import events
from tests.equality import query
from tests.faults.arena import guest
from tests.faults.reader import Reader
from tests.faults.server_under_test import ServerUnderTest
from tests.faults.upstream import Script, upstream
from tests.servers.postgres import Postgres
from tests.servers.redis import Redis
from tests.soak import SOAK

ROUNDS = 500 if SOAK else 3
ROUND_SECONDS = 200


@pytest_asyncio.fixture(params=["sqlite", "postgres+redis"])
async def under_test(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    migrated_database: Path,
    postgres: Postgres,
    redis: Redis,
) -> AsyncIterator[ServerUnderTest]:
    """Two workers that are replaced when they are killed, before a scripted model."""
    more = {"WONDERCAM_CONTINUE": "all"}
    if request.param != "sqlite":
        more |= {"DATABASE_URL": postgres.new_database(), "REDIS_URL": redis.url}
    folder = tmp_path_factory.mktemp("data")
    async with upstream() as model:
        found = await ServerUnderTest.open(request.param, folder, migrated_database, model.url, more)
        yield found
        found.server.kill9()


async def sent_again(http: httpx.AsyncClient, method: str, path: str, **body: Any) -> Any:
    """What a client does that meets a server which is going or not there yet: it sends the same again."""
    while True:
        try:
            answer = await http.request(method, path, json=body or None)
        except httpx.TransportError:
            await asyncio.sleep(0.02)
            continue
        if answer.status_code < 500:
            assert answer.is_success, answer.text
            return answer.json()
        await asyncio.sleep(0.02)


async def conversation_in_peace(http: httpx.AsyncClient, conversation: str, answers: int) -> list[dict[str, Any]]:
    """The conversation's messages, once so many answers have ended and no message waits."""
    home = f"/v2/conversations/{conversation}"
    while True:
        queue = await sent_again(http, "GET", f"{home}/queue")
        messages: list[dict[str, Any]] = (await sent_again(http, "GET", home))["messages"]
        ended = [one for one in messages if one["stream"] and one["stream"]["status"] != events.RUNNING]
        if not queue["messages"] and len(ended) == answers:
            return messages
        await asyncio.sleep(0.05)


async def round_of(under_test: ServerUnderTest, seed: int) -> None:
    """An answer with three messages behind it, a kill at some moment, and the reckoning."""
    dice = random.Random(seed)
    scripts = [Script(dice.randrange(10**6), dice.randint(2, 30), dice.choice([0, 2, 8])) for _ in range(4)]
    asked = [f"seed={script.seed} words={script.words} gap={script.gap:g}" for script in scripts]
    url, token = under_test.server.url, await guest(under_test.server.url)
    asker = Reader(url, token)
    async with (
        httpx.AsyncClient(base_url=url, headers={"Authorization": f"Bearer {token}"}, timeout=90) as http,
        asyncio.TaskGroup() as group,
    ):
        group.create_task(under_test.kill(dice))
        first = group.create_task(asker.ask(asked[0]))
        while not asker.conversation_id:
            await asyncio.sleep(0.005)
        queue = f"/v2/conversations/{asker.conversation_id}/queue"
        kept = [
            await sent_again(http, "POST", queue, contents=[{"text": text}], request_id=str(uuid4()))
            for text in asked[1:]
        ]
        await first
        messages = await conversation_in_peace(http, asker.conversation_id, len(asked))
    said = [message for message in messages if message["role"] == "user"]
    assert [message["id"] for message in said][1:] == [message["id"] for message in kept]
    assert [message["parent_id"] for message in messages[1:]] == [message["id"] for message in messages[:-1]]
    answers = [message for message in messages if message["role"] == "model"]
    assert [answer["stream"]["status"] for answer in answers] == [events.COMPLETE] * 4
    assert ["".join(part.get("text", "") for part in answer["parts"]) for answer in answers] == [
        script.text for script in scripts
    ]
    where = "SELECT count(*) FROM chat_stream WHERE conversation_id = ?"
    assert query(under_test.server, where, asker.conversation_id) == [(4,)]


@pytest.mark.slow
@pytest.mark.timeout(7200 if SOAK else 600)
async def test_each_queued_message_is_sent_once_whoever_is_killed_when(under_test: ServerUnderTest) -> None:
    first = secrets.randbelow(10**6) if SOAK else 0
    for seed in range(first, first + ROUNDS):
        try:
            async with asyncio.timeout(ROUND_SECONDS):
                await round_of(under_test, seed)
        except Exception as error:
            log = "\n".join(under_test.server.log.splitlines()[-40:])
            raise AssertionError(f"round {seed} on {under_test.name} failed: {error!r}\n{log}") from error
