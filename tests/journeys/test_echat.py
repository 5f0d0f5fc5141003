"""A question's whole way over HTTP: asked, stored, generated, followed, resumed, joined, stopped, asked again."""

import asyncio
import json
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import httpx
import pytest

from chat.protocol import events
from chat.protocol.sse import Decoder
from tests.equality import equal
from tests.faults.arena import Arena, asking, stop
from tests.faults.reader import Reader, request
from tests.faults.upstream import Script
from tests.servers.wondercam import WonderCam


async def test_an_answer_reads_the_same_everywhere(arena: Arena):
    server = await arena.shared()
    reader = arena.reader(server)

    await reader.ask("seed=1 words=30 gap=2")

    assert reader.end == events.COMPLETE
    assert reader.connections == 1
    assert reader.shown[0] == events.OK_DATA
    assert await equal(server, reader.token, reader.stream_id, reader) == Script(1, 30).text


async def test_events_arrive_as_they_are_generated_and_ok_at_once(arena: Arena):
    server = await arena.shared()
    came = []
    headers = {"Authorization": f"Bearer {arena.tokens[server.url]}"}
    ask = {"contents": [{"text": "words=10 hold=0"}]}
    async with request("POST", f"{server.url}/v2/echat", headers, ask) as response:
        assert response.headers["content-type"] == "text/event-stream"
        assert response.headers["cache-control"] == "no-cache, no-transform"
        assert response.headers["x-accel-buffering"] == "no"
        assert "content-encoding" not in response.headers
        decoder = Decoder()
        async for piece in response.pieces():
            found = decoder.feed(piece)
            came += found
            arena.model.let(len(found))  # each word is said when what was before it has come

    await equal(server, arena.tokens[server.url], response.headers["x-stream-id"], replay=False)
    assert len(came) == 1 + 10 + 1 + 1
    assert came[-1].data == events.DONE


async def test_a_conversation_goes_on_and_an_answer_is_asked_for_again(arena: Arena):
    server = await arena.shared()
    first = arena.reader(server)
    await first.ask("seed=2 words=3")
    second = arena.reader(server)
    await second.ask("seed=3 words=3", conversation_id=first.conversation_id)
    async with httpx.AsyncClient(
        base_url=server.url, headers={"Authorization": f"Bearer {first.token}"}, timeout=90
    ) as client:
        path = f"/v2/conversations/{first.conversation_id}"
        messages = (await client.get(path)).json()["messages"]
        body = {"conversation_id": first.conversation_id, "parent_id": messages[2]["id"]}
        answered = await client.post("/v2/chat", json={**body, "stream": False})
        again = answered.json()
        after = (await client.get(path)).json()["messages"]

    said = arena.model.asked[1].json()["messages"]
    assert [message["content"] for message in said[-3:]] == ["seed=2 words=3", Script(2, 3).text, "seed=3 words=3"]
    assert again["candidates"][0]["content"]["parts"] == [{"text": Script(3, 3).text}]
    assert [message["role"] for message in after] == ["user", "model", "user", "model", "model"]
    assert after[4]["parent_id"] == after[3]["parent_id"] == after[2]["id"]
    named = [answered.headers[name] for name in ("x-message-id", "x-answer-id")]
    assert named == [after[2]["id"], after[4]["id"]]
    await equal(server, first.token, second.stream_id, second, replay=False)


async def test_the_standard_chat_is_the_same_without_the_ok(arena: Arena):
    server = await arena.shared()
    headers = {"Authorization": f"Bearer {arena.tokens[server.url]}"}
    async with httpx.AsyncClient(base_url=server.url, headers=headers, timeout=90) as client:
        streamed = await client.post("/v2/chat", json={"contents": [{"text": "seed=4 words=4"}]})
        failed = await client.post("/v2/chat", json={"contents": [{"text": "words=1 then=truncate"}], "stream": False})
    shown = Decoder().feed(streamed.content)

    assert [event.id.rpartition(":")[2] for event in shown] == ["1", "2", "3", "4", "5", "5"]
    assert "".join(events.text_of(json.loads(event.data)) for event in shown[:-1]) == Script(4, 4).text
    assert (failed.status_code, failed.json()["error"]["status"]) == (502, "DATA_LOSS")
    await equal(server, arena.tokens[server.url], streamed.headers["x-stream-id"], replay=False)


async def test_a_native_event_source_starts_once_and_then_only_resumes(arena: Arena):
    server = await arena.shared()
    token = arena.tokens[server.url]
    async with httpx.AsyncClient(base_url=server.url, timeout=90) as client:
        made = await client.post("/v2/tickets", headers={"Authorization": f"Bearer {token}"})
        data = quote(json.dumps({"contents": [{"text": "seed=5 words=4 gap=20"}]}))
        path = f"/v2/echat?data={data}&ticket={made.json()['ticket']}"
        first, other = await asyncio.gather(client.get(path), client.get(path))
        stream_id = first.headers.get("x-stream-id") or other.headers["x-stream-id"]
        resumed = await client.get(path, headers={"Last-Event-ID": f"{stream_id}:2"})
        over = await client.get(path, headers={"Last-Event-ID": f"{stream_id}:5"})
        without = await client.get(f"/v2/echat?data={data}")

    assert len(arena.model.asked) == 1
    assert {first.status_code, other.status_code} <= {200, 401}
    assert [event.id for event in Decoder().feed(resumed.content)][:3] == [f"{stream_id}:{n}" for n in (3, 4, 5)]
    assert (over.status_code, without.status_code) == (204, 401)
    await equal(server, token, stream_id, replay=False)


async def test_the_same_request_id_joins_the_first_stream(arena: Arena):
    server = await arena.shared()
    readers = [arena.reader(server) for _ in range(6)]
    await asyncio.gather(*(reader.ask("seed=6 words=10 gap=10", request_id="once") for reader in readers))
    late = arena.reader(server)
    await late.ask("something else", request_id="once")

    assert {reader.stream_id for reader in [*readers, late]} == {readers[0].stream_id}
    assert len(arena.model.asked) == 1
    await equal(server, late.token, late.stream_id, late, *readers, replay=False)


async def shown_of_post(server: WonderCam, token: str, body: dict[str, Any], last: str, most: int) -> list[str]:
    """The ids that a POST shows, `most` at most; then the connection is closed. `last` goes along where it is one."""
    headers = {"Authorization": f"Bearer {token}", **({"Last-Event-ID": last} if last else {})}
    shown: list[str] = []
    async with request("POST", f"{server.url}/v2/echat", headers, body) as response:
        assert response.status == 200, await response.body()
        decoder = Decoder()
        async for piece in response.pieces():
            shown += [event.id for event in decoder.feed(piece) if event.data != events.DONE]
            if len(shown) >= most:
                break
    return shown


@pytest.mark.parametrize("more", [{}, {"request_id": "r"}])
async def test_a_post_that_is_sent_again_with_the_id_of_its_last_event_goes_on_behind_it(
    arena: Arena, more: dict[str, Any]
):
    server = await arena.shared()
    token = arena.tokens[server.url]
    body = {"contents": [{"text": "seed=8 words=12 gap=30"}], **more}
    shown = await shown_of_post(server, token, body, "", 3)
    for most in (2, 4, 99):  # as @microsoft/fetch-event-source and eventsource-client do after each cut
        shown += await shown_of_post(server, token, body, shown[-1], most)
    stream_id = shown[0].partition(":")[0]
    headers = {"Authorization": f"Bearer {token}", "Last-Event-ID": shown[-1]}
    async with httpx.AsyncClient(base_url=server.url, headers=headers) as client:
        over = await client.post("/v2/echat", json=body)
        other = await client.post("/v2/echat", json={"contents": [{"text": "another"}]})
        foreign = await client.post("/v2/echat", json=body, headers={"Last-Event-ID": f"{uuid4()}:1"})

    assert shown == [f"{stream_id}:{seq}" for seq in range(14)]
    assert over.status_code == 204
    assert (other.status_code, other.json()["error"]["status"]) == (400, "INVALID_ARGUMENT")
    assert "another question" in other.json()["error"]["message"]
    assert (foreign.status_code, foreign.json()["error"]["status"]) == (404, "NOT_FOUND")
    assert len(arena.model.asked) == 1
    await equal(server, token, stream_id, replay=False)


async def test_a_stop_keeps_what_came_and_can_be_said_twice(arena: Arena):
    server = await arena.shared()
    reader = arena.reader(server)
    asked = await asking(reader, "seed=7 words=5 then=stall", seq=5)
    second = Reader(server.url, reader.token, reader.stream_id)
    following = asyncio.create_task(second.follow())
    statuses = [(await stop(reader))["status"] for _ in range(2)]
    await asyncio.gather(asked, following)

    assert statuses == [events.STOPPED] * 2
    assert reader.end == second.end == events.STOPPED
    assert await equal(server, reader.token, reader.stream_id, reader, second) == Script(7, 5).text


@pytest.mark.parametrize("timing", ["1", "0"])
async def test_the_clock_of_the_stream_comes_as_comments_where_it_is_asked_for(arena: Arena, timing: str):
    server = await arena.shared()
    headers = {"Authorization": f"Bearer {arena.tokens[server.url]}", "X-WonderCam-Timing": timing}
    ask: dict[str, Any] = {"contents": [{"text": "words=3 gap=30"}]}
    async with request("POST", f"{server.url}/v2/echat", headers, ask) as response:
        lines = (await response.body()).decode().split("\n")
    times = [int(line.removeprefix(": t=")) for line in lines if line.startswith(": t=")]

    await equal(server, arena.tokens[server.url], response.headers["x-stream-id"], replay=False)
    assert len(times) == (5 if timing == "1" else 0)
    assert times == sorted(times)
