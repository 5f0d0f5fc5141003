"""`/v1/responses`: responses are streams of the log, which are read, continued, cancelled and deleted by id."""

import asyncio
import json
from typing import Any

import pytest
from django.test import AsyncClient

from chat.accounts import tokens
from chat.models import Conversation, Message, Stream, User
from tests.faults.upstream import Script
from tests.inside import Core

RESPONSES = "/v1/responses"
UNKNOWN = f"{RESPONSES}/resp_{'0' * 32}"


def headers_of(user: User) -> dict[str, str]:
    return {"Authorization": f"Bearer {tokens.access_for(user)}"}


async def post(core: Core, path: str = RESPONSES, **body: Any) -> Any:
    """Send as JSON with an access token."""
    return await AsyncClient().post(
        path, json.dumps(body), content_type="application/json", headers=headers_of(core.user)
    )


async def get(core: Core, path: str, **query: str) -> Any:
    return await AsyncClient().get(path, query_params=query, headers=headers_of(core.user))


async def events_of(response: Any) -> list[dict[str, Any]]:
    """The typed events of a streamed body."""
    body = b"".join([piece async for piece in response.streaming_content]).decode()
    found = [event.split("\n") for event in body.split("\n\n") if event.startswith("event: ")]
    events: list[dict[str, Any]] = [json.loads(data.removeprefix("data: ")) for _, data in found]
    assert [name.removeprefix("event: ") for name, _ in found] == [event["type"] for event in events]
    return events


def text_of(response: dict[str, Any]) -> str:
    return "".join(part["text"] for item in response["output"] for part in item.get("content", ()))


async def test_a_response_is_whole_and_the_same_when_it_is_read_again(core: Core):
    asked = await post(core, model="script", input="words=3", instructions="Be brief.", metadata={"a": "b"})
    made = asked.json()
    again = (await get(core, f"{RESPONSES}/{made['id']}")).json()

    assert made == again
    assert (made["status"], made["instructions"], made["metadata"]) == ("completed", "Be brief.", {"a": "b"})
    assert text_of(made) == (await Message.objects.aget(role="model")).text != ""
    assert core.model.asked[0].json()["messages"][0] == {"role": "system", "content": "Be brief."}


async def test_a_stream_is_read_again_from_any_of_its_events(core: Core):
    live = await events_of(await post(core, model="script", input="words=3", stream=True))
    path = f"{RESPONSES}/{live[0]['response']['id']}"

    for place in (-1, 0, 4, len(live) - 1):
        rest = await get(core, path, stream="true", **({"starting_after": str(place)} if place >= 0 else {}))
        assert await events_of(rest) == live[place + 1 :]
    assert live[-1]["type"] == "response.completed"
    assert live[-1]["response"] == (await get(core, path)).json()


async def test_a_response_follows_another_in_the_same_conversation(core: Core):
    first = (await post(core, model="script", input="words=2")).json()
    second = (await post(core, model="script", input="words=1", previous_response_id=first["id"])).json()

    assert second["previous_response_id"] == first["id"]
    assert await Conversation.objects.acount() == 1
    assert [message["content"] for message in core.model.asked[1].json()["messages"]] == [
        "words=2",
        text_of(first),
        "words=1",
    ]


async def test_one_that_is_begun_in_the_background_is_looked_at_and_stopped(core: Core):
    begun = (await post(core, model="script", input="words=9 hold=2", background=True)).json()
    path = f"{RESPONSES}/{begun['id']}"
    assert (begun["status"], begun["output"]) == ("in_progress", [])

    async with asyncio.timeout(90):
        while text_of(seen := (await get(core, path)).json()) != Script(words=2).text:
            await asyncio.sleep(0.01)
    assert seen["status"] == "in_progress"
    refused = await post(core, model="script", input="words=1", previous_response_id=begun["id"])
    stopped = (await post(core, f"{path}/cancel")).json()

    assert refused.status_code == 400
    assert "still being written" in refused.json()["error"]["message"]
    assert (stopped["status"], stopped["output"][0]["status"]) == ("cancelled", "incomplete")
    assert (await post(core, f"{path}/cancel")).json() == stopped == (await get(core, path)).json()


async def test_one_is_deleted_with_its_conversation_unless_that_has_others(core: Core):
    first = (await post(core, model="script", input="words=1")).json()
    second = (await post(core, model="script", input="words=1", previous_response_id=first["id"])).json()
    alone = (await post(core, model="script", input="words=1")).json()
    client, headers = AsyncClient(), headers_of(core.user)

    refused = await client.delete(f"{RESPONSES}/{second['id']}", headers=headers)
    gone = await client.delete(f"{RESPONSES}/{alone['id']}", headers=headers)

    conversation = (await Stream.objects.afirst()).conversation_id
    assert refused.status_code == 400
    assert f"DELETE /v2/conversations/{conversation}" in refused.json()["error"]["message"]
    assert gone.json() == {"id": alone["id"], "object": "response", "deleted": True}
    assert (await get(core, f"{RESPONSES}/{alone['id']}")).status_code == 404
    assert await Stream.objects.acount() == 2


async def test_nobody_elses_and_no_other_streams_are_responses(core: Core):
    made = (await post(core, model="script", input="words=1")).json()
    other = await core.ask("words=1")
    await core.ended(other)
    eve = await User.objects.acreate(username="eve")

    foreign = await AsyncClient().get(f"{RESPONSES}/{made['id']}", headers=headers_of(eve))
    answers = [
        foreign,
        *[await get(core, path) for path in (UNKNOWN, f"{RESPONSES}/resp_{other.pk.hex}", f"{RESPONSES}/x")],
    ]
    answers.append(await post(core, f"{UNKNOWN}/cancel"))
    answers.append(await post(core, model="script", input="words=1", previous_response_id="resp_x"))
    for answer in answers:
        assert answer.status_code == 404
        assert answer.json()["error"] == {
            "message": "There is no such response.",
            "type": "not_found_error",
            "param": None,
            "code": None,
        }


@pytest.mark.parametrize("query", [{"starting_after": "x"}, {"starting_after": "-1"}, {"stream": "yes"}], ids=str)
async def test_a_query_that_cannot_be_used_is_refused(core: Core, query: dict[str, str]):
    made = (await post(core, model="script", input="words=1")).json()
    assert (await get(core, f"{RESPONSES}/{made['id']}", **query)).status_code == 400


async def test_a_failure_is_an_error_at_once_and_a_failed_response_later(core: Core):
    failed = await post(core, model="script", input="then=429")
    stream = await Stream.objects.aget()
    later = (await get(core, f"{RESPONSES}/resp_{stream.pk.hex}")).json()
    live = await events_of(await post(core, model="script", input="then=429", stream=True))

    assert (failed.status_code, failed.json()["error"]["code"]) == (429, "rate_limit_exceeded")
    assert (later["status"], later["error"]["code"]) == ("failed", "rate_limit_exceeded")
    assert live[-1]["type"] == "response.failed"


async def test_the_tokens_of_a_request_are_counted_or_guessed(core: Core):
    counted = await post(core, f"{RESPONSES}/input_tokens", model="script", input="words=3", instructions="Be brief.")
    refused = await post(core, f"{RESPONSES}/input_tokens", model="script", input="x", previous_response_id="resp_1")

    assert counted.json()["object"] == "response.input_tokens"
    assert counted.json()["input_tokens"] > 0
    assert (refused.status_code, "input" in refused.json()["error"]["message"]) == (400, True)
    assert not await Stream.objects.aexists()
