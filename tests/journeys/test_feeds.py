"""Feeds over HTTP: to three readers within a moment, on one worker and on two, on SQLite and PostgreSQL."""

import asyncio
import json
from collections.abc import Mapping
from typing import Any

import httpx

from chat.protocol.sse import Decoder
from tests.faults.arena import Arena
from tests.faults.reader import request
from tests.servers.postgres import Postgres
from tests.servers.redis import Redis
from tests.servers.wondercam import WonderCam

ELSEWHERE = "01a21858-a40b-770d-9800-ec23a19930e6"


class Listener:
    """A reader of a feed; `lines` are what it was told, each with its id."""

    def __init__(self, server: WonderCam, token: str, path: str = "/v2/feed") -> None:
        self.url = server.url + path
        self.headers: dict[str, str] = {"Authorization": f"Bearer {token}"}
        self.lines: list[tuple[str, dict[str, Any]]] = []
        self.told = asyncio.Condition()

    async def run(self) -> None:
        async with request("GET", self.url, self.headers) as response:
            assert response.status == 200, await response.body()
            assert response.headers["content-type"] == "text/event-stream"
            decoder = Decoder()
            async for piece in response.pieces():
                async with self.told:
                    for event in decoder.feed(piece):
                        if event.data != "[DONE]":
                            self.lines.append((event.id, json.loads(event.data)))
                    self.told.notify_all()

    async def until(self, count: int) -> None:
        """Wait until so many lines were told."""
        async with asyncio.timeout(90), self.told:
            await self.told.wait_for(lambda: len(self.lines) >= count)

    @property
    def kinds(self) -> list[str]:
        return [line["type"] for _, line in self.lines]


async def lives(arena: Arena, env: Mapping[str, str], workers: int) -> None:
    """Three readers, and a conversation that is begun, renamed, pinned, rated and deleted."""
    server = await arena.serve(env, workers)
    token = arena.tokens[server.url]
    listeners = [Listener(server, token) for _ in range(3)]
    tasks = [asyncio.create_task(listener.run()) for listener in listeners]
    await asyncio.gather(*(listener.until(1) for listener in listeners))
    async with httpx.AsyncClient(base_url=server.url, headers=listeners[0].headers, timeout=90) as client:
        asked = await client.post("/v2/chat", json={"contents": [{"text": "seed=1 words=2"}], "stream": False})
        home, answer = asked.headers["x-conversation-id"], asked.headers["x-answer-id"]
        count = 4
        for method, path, body, line in (
            ("PATCH", f"/v2/conversations/{home}", {"title": "Sea"}, {"type": "renamed", "title": "Sea"}),
            ("PATCH", f"/v2/conversations/{home}", {"pinned": True}, {"type": "pinned", "pinned": True}),
            (
                "POST",
                f"/v2/messages/{answer}/feedback",
                {"value": 1},
                {"type": "feedback", "message": answer, "value": 1},
            ),
            ("DELETE", f"/v2/conversations/{home}", None, {"type": "deleted"}),
        ):
            done = await client.request(method, path, json=body)
            assert done.status_code in (200, 204), done.text
            count += 1
            for listener in listeners:
                await listener.until(count)
                _, told = listener.lines[-1]
                assert told == {"conversation": home, **line}
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    for listener in listeners:
        assert listener.kinds[:4] == ["generating", "message", "started", "ended"]
        places = [int(name.removeprefix("feed:")) for name, _ in listener.lines]
        assert places == sorted(set(places))


async def test_three_readers_of_one_worker_live_the_same_and_come_back_by_cursor(arena: Arena):
    await lives(arena, {}, workers=1)


async def test_so_do_those_of_two_workers_with_redis_and_postgresql(arena: Arena, postgres: Postgres, redis: Redis):
    await lives(arena, {"DATABASE_URL": postgres.new_database(), "REDIS_URL": redis.url}, workers=2)


async def test_a_cursor_that_is_none_is_refused_and_so_is_who_may_not_read(arena: Arena):
    server = await arena.serve()
    headers = {"Authorization": f"Bearer {arena.tokens[server.url]}"}
    async with httpx.AsyncClient(base_url=server.url, headers=headers, timeout=90) as client:
        for cursor in ("x", "feed:", "feed:-1", "1:2", f"{ELSEWHERE}:1"):
            refused = await client.get("/v2/feed", headers={"Last-Event-ID": cursor})
            assert (refused.status_code, refused.json()["error"]["status"]) == (400, "INVALID_ARGUMENT")
        foreign = await client.get(f"/v2/conversations/{ELSEWHERE}/events")
        stranger = await client.get("/v2/feed", headers={"Authorization": ""})
        now = await client.get("/v2/feed?poll=1")

    assert (foreign.status_code, stranger.status_code) == (404, 401)
    assert [json.loads(event.data) for event in Decoder().feed(now.content)] == [{"type": "generating", "streams": []}]
