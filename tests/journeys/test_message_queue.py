"""The queue over HTTP: kept on the server while an answer runs, edited, taken back, sent once, and nobody else's."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import httpx

from tests.faults.arena import Arena
from tests.faults.reader import Reader
from tests.servers.wondercam import WonderCam


class Client:
    """Somebody with a conversation in which an answer runs: `held=1`, until the test lets it go on."""

    def __init__(self, http: httpx.AsyncClient, reader: Reader) -> None:
        self.reader = reader
        self.http = http
        self.home = f"/v2/conversations/{reader.conversation_id}"

    async def call(self, method: str, path: str = "", status: int = 200, **body: Any) -> Any:
        answer = await self.http.request(method, f"{self.home}/queue{path}", json=body or None)
        assert answer.status_code == status, answer.text
        return answer.json() if answer.content else None

    async def queue(self, text: str, **more: Any) -> Any:
        return await self.call("POST", status=201, contents=[{"text": text}], **more)

    async def messages(self) -> list[dict[str, Any]]:
        return (await self.http.get(self.home)).json()["messages"]

    async def answered(self, count: int) -> list[dict[str, Any]]:
        """Wait until so many answers have ended; all messages."""
        async with asyncio.timeout(90):
            while True:
                found = await self.messages()
                ended = [one for one in found if one["stream"] and one["stream"]["status"] != "running"]
                if len(ended) == count and len(found) == 2 * count:
                    return found
                await asyncio.sleep(0.02)


@asynccontextmanager
async def asking(arena: Arena, server: WonderCam) -> AsyncIterator[tuple[Client, "asyncio.Task[Any]"]]:
    """A client whose first answer has begun, and the task that reads it to its end."""
    reader = arena.reader(server)
    reading = asyncio.create_task(reader.ask("seed=1 words=3 hold=1"))
    async with asyncio.timeout(90):
        while not reader.shown:
            await asyncio.sleep(0.01)
    headers = {"Authorization": f"Bearer {reader.token}"}
    async with httpx.AsyncClient(base_url=server.url, headers=headers, timeout=90) as http:
        yield Client(http, reader), reading
    await reading


async def test_messages_wait_are_edited_taken_back_and_sent_once_in_their_order(arena: Arena):
    async with asking(arena, await arena.shared()) as (client, reading):
        first, second, third = [
            await client.queue(f"seed={seed} words=2", request_id=str(uuid4())) for seed in (2, 3, 4)
        ]

        assert [one["state"] for one in (first, second, third)] == ["waiting"] * 3
        edited = await client.call("PATCH", f"/{second['id']}", contents=[{"text": "seed=7 words=2"}])
        assert (edited["text"], edited["id"]) == ("seed=7 words=2", second["id"])
        await client.call("DELETE", f"/{third['id']}", status=204)
        found = await client.call("GET")
        assert [one["id"] for one in found["messages"]] == [first["id"], second["id"]]
        assert found["held"] is None

        arena.model.let()
        await reading
        said = await client.answered(3)
        assert [one["id"] for one in said if one["role"] == "user"][1:] == [first["id"], second["id"]]
        assert [one["parent_id"] for one in said[1:]] == [one["id"] for one in said[:-1]]
        assert [one["stream"]["status"] for one in said if one["stream"]] == ["complete"] * 3
        assert await client.call("GET") == {"messages": [], "held": None}
        for method, path in (
            ("PATCH", f"/{first['id']}"),
            ("DELETE", f"/{first['id']}"),
            ("POST", f"/{first['id']}/now"),
        ):
            gone = await client.call(method, path, status=404, contents=[{"text": "x"}])
            assert "may have been sent" in gone["error"]["message"]


async def test_now_instead_stops_the_answer_and_a_stop_sends_nothing(arena: Arena):
    async with asking(arena, await arena.shared()) as (client, reading):
        steer = await client.queue("seed=2 words=3 hold=1")
        behind = await client.queue("seed=3 words=2")
        started = await client.call("POST", f"/{steer['id']}/now")
        await reading

        assert (started["state"], client.reader.end) == ("started", "stopped")
        beside = Reader(client.reader.url, client.reader.token, started["stream"])
        following = asyncio.create_task(beside.follow())
        await beside.reached(1)  # two questions with no word between them would be one to the model, and held
        stopped = await client.http.post(f"/v2/streams/{started['stream']}/stop")
        assert stopped.json()["status"] == "stopped"
        await following
        held = await client.call("GET")
        assert held["held"] == {"because": "stopped", "message": ""}
        assert [(one["id"], one["state"]) for one in held["messages"]] == [(behind["id"], "held")]

        sent = await client.call("POST", f"/{behind['id']}/now")
        assert sent["state"] == "started"
        said = await client.answered(3)
        assert [one["stream"]["status"] for one in said if one["stream"]] == ["stopped", "stopped", "complete"]


async def test_a_queue_is_its_owner_s_alone_and_holds_so_many(arena: Arena):
    server = await arena.shared()
    async with asking(arena, server) as (client, reading):
        kept = [await client.queue(f"seed={seed} words=1") for seed in range(10)]
        full = await client.call("POST", status=429, contents=[{"text": "one too many"}])
        assert full["error"]["message"].startswith("10 messages wait in this conversation already")

        owner, stranger = client.http.headers["Authorization"], arena.reader(await arena.shared()).token
        client.http.headers["Authorization"] = f"Bearer {stranger}"
        for method, path in (
            ("GET", ""),
            ("POST", ""),
            ("PATCH", f"/{kept[0]['id']}"),
            ("DELETE", f"/{kept[0]['id']}"),
        ):
            foreign = await client.call(method, path, status=404, contents=[{"text": "x"}])
            assert foreign["error"]["message"] == "There is no such conversation."
        await client.call("POST", f"/{kept[0]['id']}/now", status=404)

        client.http.headers["Authorization"] = owner
        for body, word in (
            ({"contents": [{"text": "x"}], "parent_id": kept[0]["id"]}, "parent_id"),
            ({"contents": [{"text": "x"}], "conversation_id": kept[0]["id"]}, "conversation_id"),
            ({"contents": [{"role": "user", "parts": [{"text": "x"}]}] * 2}, "one at a time"),
            ({"contents": []}, "empty"),
        ):
            refused = await client.call("POST", status=400, **body)
            assert word in refused["error"]["message"]
        assert (await client.http.delete(client.home)).status_code == 204
        await reading
