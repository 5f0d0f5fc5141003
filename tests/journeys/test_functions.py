"""Function calling in all its legs: by each SDK, in front of an OpenAI-compatible server and of Gemini."""

import asyncio
import json
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import openai
import pytest
import pytest_asyncio
from google import genai
from google.genai import types

from tests.fakes import gemini
from tests.fakes import openai as compatible
from tests.fakes.server import Server
from tests.servers.process import program
from tests.servers.wondercam import Serve, WonderCam

MODEL = "openai/tools"
QUESTION = "How warm is it in Rome?"
RESULT = "30 degrees"
PARAMETERS: Any = {"type": "object", "properties": {"city_name": {"type": "string"}}, "required": ["city_name"]}
WEATHER: Any = {"name": "weather", "description": "The weather of a city", "parameters": PARAMETERS}

pytestmark = pytest.mark.filterwarnings("ignore:Inheritance class:DeprecationWarning")  # Google's SDK's own


@pytest_asyncio.fixture
async def behind() -> AsyncIterator[Server]:
    """An OpenAI-compatible server."""
    async with Server(compatible.play) as server:
        yield server


@pytest_asyncio.fixture
async def google_behind() -> AsyncIterator[Server]:
    """A Gemini."""
    async with Server(gemini.play) as server:
        yield server


@pytest_asyncio.fixture
async def door(behind: Server, google_behind: Server, serve: Serve) -> WonderCam:
    """The server in front of both."""
    env = {
        "OPENAI_BASE_URL": f"{behind.url}/v1",
        "OPENAI_API_KEY": "sk-very-secret",
        "GEMINI_BASE_URL": google_behind.url,
        "GEMINI_API_KEY": "AIza-very-secret",
        "WONDERCAM_MODELS": f"{MODEL},gemini/tools,gemini/hello",
        "WONDERCAM_UPSTREAM_ATTEMPTS": "1",
    }
    return await asyncio.to_thread(serve, env)


def check_legs(behind: Server) -> None:
    """The compatible server was told of the function in both legs, and of its call and its result in the second."""
    legs = [request.json() for request in behind.requests if request.method == "POST"]
    first, second = legs[-2:]
    for leg in (first, second):
        [tool] = leg["tools"]
        assert (tool["type"], tool["function"]["name"]) == ("function", "weather")
        assert tool["function"]["parameters"]["properties"] == PARAMETERS["properties"]
    assert [message["role"] for message in first["messages"]] == ["user"]
    assert [message["role"] for message in second["messages"]] == ["user", "assistant", "tool"]
    assert second["messages"][1]["tool_calls"] == [compatible.CALL]
    assert RESULT in second["messages"][2]["content"]


async def test_chat_completions_pass_a_call_that_comes_in_pieces_and_its_result(door: WonderCam, behind: Server):
    tools: Any = [{"type": "function", "function": WEATHER}]
    messages: list[Any] = [{"role": "user", "content": QUESTION}]
    key = await asyncio.to_thread(door.guest)
    async with openai.AsyncOpenAI(base_url=f"{door.url}/v1", api_key=key, max_retries=0, timeout=90) as client:
        async with client.chat.completions.stream(model=MODEL, messages=messages, tools=tools) as stream:
            [choice] = (await stream.get_final_completion()).choices
        [call] = choice.message.tool_calls or []
        said = choice.message.model_dump(exclude_none=True, exclude={"parsed", "tool_calls"})
        calls = [
            {"id": call.id, "type": "function", "function": {"name": "weather", "arguments": call.function.arguments}}
        ]
        messages += [{**said, "tool_calls": calls}, {"role": "tool", "tool_call_id": call.id, "content": RESULT}]
        final = await client.chat.completions.create(model=MODEL, messages=messages, tools=tools)

    assert (choice.finish_reason, choice.message.content) == ("tool_calls", "Let me see.")
    assert (call.id, json.loads(call.function.arguments)) == ("f1", {"city_name": "Rome"})
    assert (final.choices[0].message.content, final.choices[0].finish_reason) == ("It is warm.", "stop")
    check_legs(behind)


async def test_responses_pass_it_and_go_on_by_their_id(door: WonderCam, behind: Server):
    tools: Any = [{"type": "function", **WEATHER}]
    key = await asyncio.to_thread(door.guest)
    async with openai.AsyncOpenAI(base_url=f"{door.url}/v1", api_key=key, max_retries=0, timeout=90) as client:
        async with client.responses.stream(model=MODEL, input=QUESTION, tools=tools) as stream:
            first = await stream.get_final_response()
        [call] = [item for item in first.output if item.type == "function_call"]
        result: Any = {"type": "function_call_output", "call_id": call.call_id, "output": RESULT}
        final = await client.responses.create(model=MODEL, input=[result], previous_response_id=first.id, tools=tools)

    assert json.loads(call.arguments) == {"city_name": "Rome"}
    assert final.output_text == "It is warm."
    check_legs(behind)


def weather(city_name: str) -> str:
    """The weather of a city."""
    return RESULT


async def test_google_s_sdk_calls_the_function_by_itself_in_front_of_a_compatible_server(
    door: WonderCam, behind: Server
):
    config = types.GenerateContentConfig(tools=[weather])
    key = await asyncio.to_thread(door.guest)
    async with genai.Client(api_key=key, http_options={"base_url": door.url}).aio as client:
        found = await client.models.generate_content(model=MODEL, contents=QUESTION, config=config)

    assert found.text == "It is warm."
    check_legs(behind)


async def test_google_s_sdk_calls_it_by_itself_while_it_streams(door: WonderCam, behind: Server):
    """It sends each chunk as a content of its own, the empty last one, too."""
    config = types.GenerateContentConfig(tools=[weather])
    key = await asyncio.to_thread(door.guest)
    async with genai.Client(api_key=key, http_options={"base_url": door.url}).aio as client:
        stream = await client.models.generate_content_stream(model=MODEL, contents=QUESTION, config=config)
        texts = [chunk.text async for chunk in stream if chunk.text]

    assert "".join(texts).endswith("It is warm.")
    check_legs(behind)


async def test_a_chat_of_google_s_sdk_that_streams_remembers(door: WonderCam, behind: Server):
    """It sends no history of answers in which any chunk has a content without parts."""
    key = await asyncio.to_thread(door.guest)
    async with genai.Client(api_key=key, http_options={"base_url": door.url}).aio as client:
        chat = client.chats.create(model=MODEL)
        for text in ("One.", "Two."):
            said = "".join([chunk.text or "" async for chunk in await chat.send_message_stream(text)])

    sent = behind.requests[-1].json()["messages"]
    assert [message["role"] for message in sent] == ["user", "assistant", "user"]
    assert sent[1]["content"] == said


async def by_javascript(door: WonderCam, first: str, last: str) -> dict[str, Any]:
    """What the JavaScript SDKs get in all legs."""
    told = {
        "WONDERCAM_URL": door.url,
        "WONDERCAM_KEY": await asyncio.to_thread(door.guest),
        "FIRST": first,
        "LAST": last,
    }
    script = str(Path(__file__).with_name("functions.mjs"))
    node = await asyncio.create_subprocess_exec(
        program(["node"], "nodejs"), script, env={**os.environ, **told}, stdout=-1, stderr=-1
    )
    said, wrong = await asyncio.wait_for(node.communicate(), 250)
    assert node.returncode == 0, wrong.decode()
    came: dict[str, Any] = json.loads(said)
    for way in came.values():
        assert (way["name"], json.loads(way["args"])) == ("weather", {"city_name": "Rome"})
    assert (came["completions"]["said"], came["completions"]["reason"]) == ("Let me see.", "tool_calls")
    return came


async def test_javascript_s_sdks_pass_it_to_a_compatible_server(door: WonderCam, behind: Server):
    came = await by_javascript(door, MODEL, MODEL)
    assert {way["text"] for way in came.values()} == {"It is warm."}
    check_legs(behind)


async def test_javascript_s_sdks_pass_it_to_gemini_with_its_signature(door: WonderCam, google_behind: Server):
    came = await by_javascript(door, "gemini/tools", "gemini/hello")
    assert {way["text"] for way in came.values()} == {gemini.TEXT}
    legs = [request.json()["contents"] for request in google_behind.requests if b"functionResponse" in request.body]
    assert len(legs) == 3
    for contents in legs:
        assert contents[1]["parts"][-1] == gemini.CALL
        [answered] = contents[2]["parts"]
        assert answered["functionResponse"]["id"] == "f1"
        assert RESULT in json.dumps(answered["functionResponse"]["response"])
