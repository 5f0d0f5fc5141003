"""Google's own SDKs in front of a Gemini that misbehaves: what it adds passes untouched, what it does wrong is an error
of the SDK's own class, before and after the first word."""

import asyncio
import base64
import gc
import io
import json
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from google import genai
from google.genai import errors, types
from PIL import Image

from tests.equality import equal, newest
from tests.fakes import gemini
from tests.fakes.server import Server
from tests.servers.process import program
from tests.servers.wondercam import Serve, WonderCam

PARTIAL = "".join(gemini.WORDS[:2])
FAULTS = {
    "429": (429, ""),
    "400": (400, ""),
    "503": (503, ""),
    "stall-before": (504, ""),
    "error-data": (503, PARTIAL),
    "error-bare": (503, PARTIAL),
    "cut": (502, PARTIAL),
    "truncated": (502, "".join(gemini.WORDS[:-1])),
    "garbage": (502, PARTIAL),
    "stall-between": (504, PARTIAL),
}
HARM = types.HarmCategory.HARM_CATEGORY_HARASSMENT
FOR_JAVASCRIPT = [*FAULTS, "hello", "rich", "SAFETY"]
MODELS = [*FOR_JAVASCRIPT, "blocked", "tools", "endless"]

pytestmark = pytest.mark.filterwarnings("ignore:Inheritance class:DeprecationWarning")  # the SDK's own


@pytest_asyncio.fixture
async def behind() -> AsyncIterator[Server]:
    """The Gemini behind the door."""
    async with Server(gemini.play) as server:
        yield server


@pytest_asyncio.fixture
async def server(behind: Server, serve: Serve) -> WonderCam:
    """The door."""
    env = {
        "GEMINI_API_KEY": "AIza-very-secret",
        "GEMINI_BASE_URL": behind.url,
        "WONDERCAM_MODELS": ",".join(f"gemini/{name}" for name in MODELS),
        "WONDERCAM_UPSTREAM_ATTEMPTS": "1",
        "WONDERCAM_LIMIT_FIRST_TOKEN_SECONDS": "3",
        "WONDERCAM_LIMIT_IDLE_SECONDS": "3",
    }
    return await asyncio.to_thread(serve, env)


def photo() -> bytes:
    """A small JPEG."""
    file = io.BytesIO()
    Image.effect_noise((64, 48), 90).convert("RGB").save(file, "JPEG")
    return file.getvalue()


async def client_of(server: WonderCam, key: str = "") -> genai.Client:
    key = key or await asyncio.to_thread(server.guest)
    return genai.Client(api_key=key, http_options=types.HttpOptions(base_url=server.url, timeout=120_000))


async def test_python_gets_every_fault_as_its_own_error_with_what_came_before(server: WonderCam):
    async with (await client_of(server)).aio as client:

        async def one(model: str) -> tuple[type, int, str]:
            text = ""
            try:
                async for chunk in await client.models.generate_content_stream(model=model, contents="Hi"):
                    text += chunk.text or ""
            except errors.APIError as error:
                return type(error), error.code, text
            return object, 200, text

        found = dict(zip(FAULTS, await asyncio.gather(*map(one, FAULTS)), strict=True))
        with pytest.raises(errors.ServerError) as whole:
            await client.models.generate_content(model="cut", contents="Hi")

    kinds = {code: errors.ClientError if code < 500 else errors.ServerError for code, _ in FAULTS.values()}
    assert found == {name: (kinds[code], code, text) for name, (code, text) in FAULTS.items()}
    assert whole.value.code == 502


async def test_python_sends_and_gets_all_that_gemini_knows(server: WonderCam, behind: Server):
    config = types.GenerateContentConfig(
        system_instruction="You are brief.",
        temperature=0.5,
        safety_settings=[types.SafetySetting(category=HARM, threshold=types.HarmBlockThreshold.BLOCK_NONE)],
        tools=[types.Tool(google_search=types.GoogleSearch())],
        thinking_config=types.ThinkingConfig(include_thoughts=True),
    )
    contents: list[Any] = [types.Part.from_bytes(data=photo(), mime_type="image/jpeg"), "What is this?"]
    async with (await client_of(server)).aio as client:
        stream = await client.models.generate_content_stream(model="rich", contents=contents, config=config)
        chunks = [chunk async for chunk in stream]
        whole = await client.models.generate_content(model="gemini/rich", contents="Hi")
        safety = await client.models.generate_content(model="SAFETY", contents="Hi")

    sent = behind.requests[0].json()
    assert [set(part) for part in sent["contents"][0]["parts"]] == [{"inlineData"}, {"text"}]
    data = base64.b64decode(sent["contents"][0]["parts"][0]["inlineData"]["data"])
    assert Image.open(io.BytesIO(data)).size == (64, 48)
    assert sent["systemInstruction"] == {"parts": [{"text": "You are brief."}]}
    assert sent["generationConfig"]["temperature"] == 0.5
    assert sent["generationConfig"]["thinkingConfig"] == {"includeThoughts": True}
    assert sent["safetySettings"] == [{"category": "HARM_CATEGORY_HARASSMENT", "threshold": "BLOCK_NONE"}]
    assert sent["tools"] == [{"googleSearch": {}}]
    parts = [part for chunk in chunks for part in chunk.candidates[0].content.parts]
    assert (parts[0].text, parts[0].thought) == ("Hm", True)
    assert parts[1].inline_data.mime_type == "image/png"
    assert [part.text for part in parts[2:] if part.text] == ["See", "!"]
    assert chunks[-1].candidates[0].finish_reason == "STOP"
    assert chunks[-1].candidates[0].grounding_metadata is not None
    assert [bool(part.thought) for part in whole.candidates[0].content.parts] == [True, False, False]
    assert whole.candidates[0].grounding_metadata is not None
    assert (safety.text, safety.candidates[0].finish_reason) == ("x", "SAFETY")


async def test_a_chat_goes_on_after_an_answer_with_thoughts_and_a_picture(server: WonderCam, behind: Server):
    key = await asyncio.to_thread(server.guest)
    async with (await client_of(server, key)).aio as client:
        chat = client.chats.create(model="rich")
        await chat.send_message("Draw a dot.")
        second = await chat.send_message("Another.")

    assert second.text == await equal(server, key, newest(server)) == "See!"
    contents = behind.requests[-1].json()["contents"]
    assert [(content["role"], [next(iter(part)) for part in content["parts"]]) for content in contents] == [
        ("user", ["text"]),
        ("model", ["inlineData", "text"]),
        ("user", ["text"]),
    ]


def weather(city_name: str) -> str:
    """The weather of a city."""
    return f"It is 30 degrees in {city_name}."


async def test_a_loop_of_tools_passes_its_second_leg_with_its_signature(server: WonderCam, behind: Server):
    config = types.GenerateContentConfig(tools=[weather])
    async with (await client_of(server)).aio as client:
        found = await client.models.generate_content(model="tools", contents="How warm is it in Rome?", config=config)

    assert found.text == "It is warm."
    contents = behind.requests[-1].json()["contents"]
    assert contents[1]["parts"] == [{"text": "Let me see."}, *gemini.RAN, gemini.CALL]
    assert contents[2]["parts"][0]["functionResponse"]["response"] == {"result": "It is 30 degrees in Rome."}


async def test_a_blocked_prompt_is_told_as_gemini_tells_it(server: WonderCam):
    async with (await client_of(server)).aio as client:
        stream = await client.models.generate_content_stream(model="blocked", contents="Hi")
        chunks = [chunk async for chunk in stream]
        whole = await client.models.generate_content(model="blocked", contents="Hi")

    assert [chunk.prompt_feedback.block_reason for chunk in chunks] == ["SAFETY"]
    assert (whole.prompt_feedback.block_reason, whole.candidates) == ("SAFETY", None)


async def test_schemas_and_fields_that_we_do_not_know_are_passed_on(server: WonderCam, behind: Server):
    schema = {"type": "object", "properties": {"first_name": {"type": "string"}}}
    body = {
        "contents": [
            {"parts": {"inline_data": {"mime_type": "image/jpeg", "data": base64.b64encode(photo()).decode()}}}
        ],
        "system_instruction": {"parts": [{"text": "Be brief."}]},
        "generation_config": {"response_json_schema": schema, "thinking_config": {"include_thoughts": True}},
        "tool_config": {"function_calling_config": {"mode": "ANY"}},
        "some_future_field": {"inner_name": 1},
    }

    def post() -> None:
        with server.client() as client:
            client.post("/v1beta/models/hello:generateContent", json=body).raise_for_status()

    await asyncio.to_thread(post)
    sent = behind.requests[-1].json()
    assert set(sent["contents"][0]["parts"][0]) == {"inlineData"}
    assert sent["systemInstruction"] == {"parts": [{"text": "Be brief."}]}
    assert sent["generationConfig"] == {"responseJsonSchema": schema, "thinkingConfig": {"includeThoughts": True}}
    assert sent["toolConfig"] == {"functionCallingConfig": {"mode": "ANY"}}
    assert sent["someFutureField"] == {"innerName": 1}


async def test_tokens_are_counted_by_gemini(server: WonderCam, behind: Server):
    async with (await client_of(server)).aio as client:
        counted = await client.models.count_tokens(model="hello", contents="How many?")

    assert counted.total_tokens == 42
    assert behind.requests[-1].target == "/v1beta/models/hello:countTokens"


@pytest.mark.filterwarnings("ignore:.*Connection.__del__:pytest.PytestUnraisableExceptionWarning")
async def test_a_stream_that_its_reader_leaves_is_stopped_and_its_place_is_free(server: WonderCam, behind: Server):
    key = await asyncio.to_thread(server.guest)
    for left in range(1, 4):  # more than may run at once
        async with (await client_of(server, key)).aio as client:
            stream = await client.models.generate_content_stream(model="endless", contents="Hi")
            assert (await anext(stream)).text
        async with asyncio.timeout(10):
            while len(behind.gone) < left:
                await asyncio.sleep(0.05)
        del stream
        gc.collect()  # the SDK leaves its connection to the collector, which warns: here, and in no later test


async def test_javascript_gets_the_same(server: WonderCam, behind: Server):
    environment = {
        **os.environ,
        "WONDERCAM_URL": server.url,
        "WONDERCAM_KEY": await asyncio.to_thread(server.guest),
        "WONDERCAM_PHOTO": base64.b64encode(photo()).decode(),
        "WONDERCAM_MODELS": ",".join(FOR_JAVASCRIPT),
    }
    script = str(Path(__file__).with_name("gemini_behind.mjs"))
    pipe = asyncio.subprocess.PIPE
    running = await asyncio.create_subprocess_exec(
        program(["node"], "nodejs"), script, env=environment, stdout=pipe, stderr=pipe
    )
    out, said = await asyncio.wait_for(running.communicate(), 250)
    assert running.returncode == 0, said.decode()
    came = json.loads(out.splitlines()[-1])

    assert {name: (found["error"], found["text"]) for name, found in came.items() if name in FAULTS} == {
        name: ({"isApiError": True, "status": code}, text) for name, (code, text) in FAULTS.items()
    }
    assert came["hello"] == {"text": gemini.TEXT, "images": 0, "thoughts": 0, "finish": "STOP", "error": None}
    assert came["rich"] == {"text": "See!", "images": 1, "thoughts": 1, "finish": "STOP", "error": None}
    assert came["SAFETY"]["finish"] == "SAFETY"
    assert "inlineData" in behind.requests[-1].json()["contents"][0]["parts"][0]


async def test_one_whole_answer_has_what_stood_beside_any_of_its_pieces(server: WonderCam):
    def ask() -> Any:
        with server.client() as client:
            body = {"contents": [{"parts": [{"text": "Hi"}]}]}
            return client.post("/v1beta/models/rich:generateContent", json=body).raise_for_status().json()

    whole = await asyncio.to_thread(ask)
    assert (whole["futureField"], whole["groundingMetadata"]) == ({"a": [1]}, {"q": 1})
    assert whole["candidates"][0]["groundingMetadata"] == {"s": 2}
    assert "wondercam" not in whole


async def test_a_picture_of_an_answer_is_in_the_history_that_the_server_keeps(server: WonderCam, behind: Server):
    def ask() -> Any:
        with server.client() as client:
            body: dict[str, Any] = {"contents": [{"text": "Draw a dot."}], "model": "gemini/rich", "stream": False}
            first = client.post("/v2/chat", json=body).raise_for_status()
            body["conversation_id"] = first.headers["X-Conversation-Id"]
            client.post("/v2/chat", json=body).raise_for_status()
            return client.get(f"/v2/conversations/{body['conversation_id']}").raise_for_status().json()

    transcript = await asyncio.to_thread(ask)
    sent = behind.requests[-1].json()["contents"][1]
    assert sent["parts"][0]["inlineData"] == {"mimeType": "image/png", "data": gemini.PICTURE}
    assert [message["text"] for message in transcript["messages"][1::2]] == ["See!", "See!"]
