"""OpenAI's own SDK works with only its base URL and key changed: the real one, against the real server, with the
embedded model and with a Gemini that misbehaves behind the door."""

import asyncio
import base64
import io
import json
import os
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import openai
import pytest
import pytest_asyncio
from PIL import Image

from tests.equality import equal, newest
from tests.fakes import gemini
from tests.fakes.server import Server
from tests.servers.process import program
from tests.servers.wondercam import Serve, WonderCam

MODELS = ["hello", "rich", "tools", "blocked", "429", "cut", "endless"]
LOCAL = "local/smollm2-135m"
WEATHER: Any = {
    "type": "function",
    "function": {
        "name": "weather",
        "parameters": {"type": "object", "properties": {"city_name": {"type": "string"}}, "required": ["city_name"]},
    },
}


@pytest_asyncio.fixture
async def behind() -> AsyncIterator[Server]:
    """The Gemini behind the door."""
    async with Server(gemini.play) as server:
        yield server


@pytest_asyncio.fixture
async def door(behind: Server, serve: Serve) -> WonderCam:
    """The door in front of it."""
    env = {
        "GEMINI_API_KEY": "AIza-very-secret",
        "GEMINI_BASE_URL": behind.url,
        "WONDERCAM_MODELS": ",".join(f"gemini/{name}" for name in MODELS),
        "WONDERCAM_UPSTREAM_ATTEMPTS": "1",
    }
    return await asyncio.to_thread(serve, env)


async def client_of(server: WonderCam, key: str = "") -> openai.AsyncOpenAI:
    key = key or await asyncio.to_thread(server.guest)
    return openai.AsyncOpenAI(base_url=f"{server.url}/v1", api_key=key, max_retries=0, timeout=250)


async def test_it_streams_answers_whole_and_lists_with_the_embedded_model(shared_server: WonderCam):
    key = await asyncio.to_thread(shared_server.guest)
    messages: Any = [{"role": "system", "content": "You are brief."}, {"role": "user", "content": "Say hello."}]
    async with await client_of(shared_server, key) as client:
        stream = await client.chat.completions.create(
            model=LOCAL, messages=messages, max_tokens=16, stream=True, stream_options={"include_usage": True}
        )
        chunks = [chunk async for chunk in stream]
        streamed = await equal(shared_server, key, newest(shared_server))
        whole = await client.chat.completions.create(model=LOCAL, messages=messages, max_completion_tokens=8)
        models = [model.id async for model in client.models.list()]
        one = await client.models.retrieve(LOCAL)

    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert text == streamed != ""
    assert [chunk.choices[0].finish_reason for chunk in chunks if chunk.choices][-1] in ("stop", "length")
    assert chunks[-1].usage.completion_tokens > 0
    assert whole.choices[0].message.content
    assert whole.usage.total_tokens > whole.usage.completion_tokens > 0
    assert models == [LOCAL] == [one.id]


async def test_responses_are_streamed_read_again_and_gone_on_with(shared_server: WonderCam):
    key = await asyncio.to_thread(shared_server.guest)
    asked: Any = {"model": LOCAL, "instructions": "You are brief.", "max_output_tokens": 16}
    async with await client_of(shared_server, key) as client:
        stream = await client.responses.create(input="Say hello.", stream=True, **asked)
        events = [event async for event in stream]
        logged = await equal(shared_server, key, newest(shared_server))
        number = events[0].response.id
        found = await client.responses.retrieve(number)
        rest = [event async for event in await client.responses.retrieve(number, stream=True, starting_after=4)]
        final = await client.responses.create(input="Once more.", previous_response_id=number, **asked)
        begun = await client.responses.create(input="Count to ten.", background=True, **asked)
        ended = await client.responses.cancel(begun.id)
        with pytest.raises(openai.BadRequestError):
            await client.responses.delete(number)
        await client.responses.delete(begun.id)
        with pytest.raises(openai.NotFoundError):
            await client.responses.retrieve(begun.id)

    assert "".join(event.delta for event in events if event.type == "response.output_text.delta") == logged != ""
    assert found.output_text == logged
    assert found == events[-1].response
    assert rest == events[5:]
    assert final.previous_response_id == number
    assert final.output_text
    assert final.usage.total_tokens > final.usage.output_tokens > 0
    assert begun.status == "in_progress"
    assert ended.status in ("cancelled", "completed", "incomplete")


def test_the_javascript_sdk_streams_at_both_addresses(shared_server: WonderCam):
    node = program(["node"], "nodejs")
    environment = {"WONDERCAM_URL": shared_server.url, "WONDERCAM_KEY": shared_server.guest(), "WONDERCAM_MODEL": LOCAL}
    script = Path(__file__).with_name("openai_sdk.mjs")
    done = subprocess.run(
        [node, str(script)], env={**os.environ, **environment}, capture_output=True, text=True, timeout=250, check=False
    )
    assert done.returncode == 0, done.stderr
    came = json.loads(done.stdout.splitlines()[-1])

    assert came["completed"]
    assert came["said"] == came["streamed"] != ""
    assert came["last"] in ("response.completed", "response.incomplete")
    assert came["restIsTheSame"]
    assert came["final"]["text"]
    assert came["final"]["before"]
    assert came["final"]["tokens"] > 0
    assert came["unknown"] == {"isApiError": True, "status": 404, "code": None}
    assert came["unknownModel"] == {"isApiError": True, "status": 404, "code": "model_not_found"}


async def test_it_sends_photos_and_schemas_and_gets_thoughts(door: WonderCam, behind: Server):
    photo = io.BytesIO()
    Image.effect_noise((64, 48), 90).convert("RGB").save(photo, "JPEG")
    url = f"data:image/jpeg;base64,{base64.b64encode(photo.getvalue()).decode()}"
    content: Any = [{"type": "text", "text": "What is this?"}, {"type": "image_url", "image_url": {"url": url}}]
    schema: Any = {"type": "object", "properties": {"what": {"type": "string"}}}
    async with await client_of(door) as client:
        found = await client.chat.completions.create(
            model="gemini/rich",
            messages=[{"role": "user", "content": content}],
            response_format={"type": "json_schema", "json_schema": {"name": "thing", "schema": schema}},
        )

    sent = behind.requests[0].json()
    assert [set(part) for part in sent["contents"][0]["parts"]] == [{"text"}, {"inlineData"}]
    assert sent["generationConfig"] == {"responseMimeType": "application/json", "responseJsonSchema": schema}
    assert found.choices[0].message.content == "See!"
    assert found.choices[0].message.model_extra == {"reasoning_content": "Hm"}


async def test_a_loop_of_tools_passes_its_second_leg(door: WonderCam, behind: Server):
    messages: list[Any] = [{"role": "user", "content": "How warm is it in Rome?"}]
    async with await client_of(door) as client:
        first = await client.chat.completions.create(model="tools", messages=messages, tools=[WEATHER])
        (call,) = first.choices[0].message.tool_calls or []
        assert (first.choices[0].finish_reason, json.loads(call.function.arguments)) == (
            "tool_calls",
            {"city_name": "Rome"},
        )
        messages += [first.choices[0].message, {"role": "tool", "tool_call_id": call.id, "content": "30 degrees"}]
        sent: Any = [each if isinstance(each, dict) else each.model_dump(exclude_none=True) for each in messages]
        await client.chat.completions.create(model="hello", messages=sent, tools=[WEATHER])

    contents = behind.requests[-1].json()["contents"]
    assert contents[1]["parts"] == [{"text": "Let me see."}, gemini.CALL]
    assert contents[2]["parts"][0]["functionResponse"] == {
        "id": "f1",
        "name": "weather",
        "response": {"result": "30 degrees"},
    }
    declared = behind.requests[0].json()["tools"][0]["functionDeclarations"][0]
    assert declared["parametersJsonSchema"] == WEATHER["function"]["parameters"]


async def test_a_loop_of_tools_passes_its_second_leg_in_responses(door: WonderCam, behind: Server):
    tool: Any = {"type": "function", **WEATHER["function"]}
    items: list[Any] = [{"role": "user", "content": "How warm is it in Rome?"}]
    async with await client_of(door) as client:
        first = await client.responses.create(model="tools", input=items, tools=[tool])
        (call,) = [item for item in first.output if item.type == "function_call"]
        result: Any = {"type": "function_call_output", "call_id": call.call_id, "output": "30 degrees"}
        by_id = await client.responses.create(
            model="tools", input=[result], previous_response_id=first.id, tools=[tool]
        )
        again = [*items, *[item.model_dump(exclude_none=True) for item in first.output], result]
        async with client.responses.stream(model="hello", input=again, tools=[tool]) as helper:
            final = await helper.get_final_response()

    assert final.output_text == gemini.TEXT
    assert json.loads(call.arguments) == {"city_name": "Rome"}
    assert by_id.output_text == "It is warm."
    by_id_sent, again_sent = (request.json()["contents"] for request in behind.requests[-2:])
    for sent in (by_id_sent, again_sent):
        assert sent[1]["parts"][-1] == gemini.CALL
        assert sent[2]["parts"] == [
            {"functionResponse": {"id": "f1", "name": "weather", "response": {"result": "30 degrees"}}}
        ]


async def test_failures_are_the_sdks_own_errors(door: WonderCam):
    messages: Any = [{"role": "user", "content": "Hi"}]
    async with await client_of(door) as client, await client_of(door, "no-key-of-ours") as stranger:
        with pytest.raises(openai.RateLimitError):
            await client.chat.completions.create(model="429", messages=messages)
        with pytest.raises(openai.NotFoundError) as unknown:
            await client.chat.completions.create(model="no-such-model", messages=messages)
        with pytest.raises(openai.BadRequestError):
            await client.chat.completions.create(model="hello", messages=messages, n=2)
        with pytest.raises(openai.AuthenticationError):
            await stranger.chat.completions.create(model="hello", messages=messages)
        blocked = await client.chat.completions.create(model="blocked", messages=messages)
        said: list[str] = []

        async def read() -> None:
            async for chunk in await client.chat.completions.create(model="cut", messages=messages, stream=True):
                said.append(chunk.choices[0].delta.content or "")

        with pytest.raises(openai.APIError) as cut:
            await read()

    assert (unknown.value.code, unknown.value.type) == ("model_not_found", "not_found_error")
    assert blocked.choices[0].finish_reason == "content_filter"
    assert "".join(said) == "".join(gemini.WORDS[:2])
    assert "was cut" in cut.value.message


async def test_a_stream_that_its_reader_closes_is_stopped_and_its_place_is_free(door: WonderCam, behind: Server):
    messages: Any = [{"role": "user", "content": "Hi"}]
    async with await client_of(door) as client:
        for left in range(1, 4):  # more than may run at once
            stream = await client.chat.completions.create(model="endless", messages=messages, stream=True)
            await anext(stream)
            await stream.close()
            async with asyncio.timeout(90):
                while len(behind.gone) < left:
                    await asyncio.sleep(0.05)
