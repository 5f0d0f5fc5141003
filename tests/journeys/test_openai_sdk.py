"""OpenAI's own SDK works with only its base URL and key changed: the real one, against the real server, with the
embedded model and with a Gemini that misbehaves behind the door."""

import asyncio
import base64
import io
import json
from collections.abc import AsyncIterator
from typing import Any

import openai
import pytest
import pytest_asyncio
from PIL import Image

from tests.equality import equal, newest
from tests.fakes import gemini
from tests.fakes.server import Server
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
