"""Google's own SDKs work with only their base URL and key changed: the real ones, against the real server."""

import io
import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from google import genai
from google.genai import errors, types
from PIL import Image

from tests.equality import equal, newest
from tests.servers.process import program
from tests.servers.wondercam import WonderCam

MODEL = "local/smollm2-135m"
BRIEF = types.GenerateContentConfig(system_instruction="You are brief.", max_output_tokens=16, temperature=0)


@pytest.fixture
def server(shared_server: WonderCam) -> WonderCam:
    return shared_server


def client_of(server: WonderCam, key: str | None = None) -> genai.Client:
    options = types.HttpOptions(base_url=server.url, timeout=250_000)
    return genai.Client(api_key=key or server.guest(), http_options=options)


@pytest.fixture
def client(server: WonderCam) -> Iterator[genai.Client]:
    with client_of(server) as client:
        yield client


def test_the_python_sdk_streams_chats_and_lists(client: genai.Client):
    chunks = list(client.models.generate_content_stream(model=MODEL, contents="Name three colours.", config=BRIEF))
    chat = client.chats.create(model=MODEL, config=BRIEF)
    chat.send_message("My name is Bob.")
    second = chat.send_message("What is my name?")

    assert len([chunk for chunk in chunks if chunk.text]) > 3
    assert chunks[-1].candidates[0].finish_reason in ("STOP", "MAX_TOKENS")
    assert chunks[-1].usage_metadata.candidates_token_count > 0
    assert chunks[0].text != "OK"
    assert second.text
    assert len(chat.get_history()) == 4
    assert [model.name for model in client.models.list()] == [f"models/{MODEL}"]


@pytest.mark.filterwarnings("ignore:Inheritance class:DeprecationWarning")  # the SDK's own
async def test_the_python_sdk_streams_asynchronously(server: WonderCam):
    key = server.guest()
    async with client_of(server, key).aio as client:
        stream = await client.models.generate_content_stream(model=MODEL, contents="Say hello.", config=BRIEF)
        texts = [chunk.text async for chunk in stream if chunk.text]

    assert len(texts) > 1
    assert await equal(server, key, newest(server)) == "".join(texts)


def test_the_python_sdk_raises_its_own_error_for_an_unknown_model(client: genai.Client):
    with pytest.raises(errors.ClientError) as caught:
        client.models.generate_content(model="no-such-model", contents="x")

    assert (caught.value.code, caught.value.status) == (404, "NOT_FOUND")


def test_the_python_sdk_raises_its_own_error_for_a_wrong_key(server: WonderCam):
    with client_of(server, "no-key-of-ours") as stranger, pytest.raises(errors.ClientError) as caught:
        stranger.models.generate_content(model=MODEL, contents="x")

    assert (caught.value.code, caught.value.status) == (401, "UNAUTHENTICATED")


def test_a_photo_for_a_model_that_cannot_see_is_answered_by_what_is_recognised_in_it(client: genai.Client):
    photo = io.BytesIO()
    Image.new("RGB", (64, 64), "navy").save(photo, "JPEG")
    parts = [
        types.Part.from_text(text="What is this?"),
        types.Part.from_bytes(data=photo.getvalue(), mime_type="image/jpeg"),
    ]

    answer = client.models.generate_content(model=MODEL, contents=types.Content(role="user", parts=parts))

    assert "not sure" in (answer.text or "").lower() or "cannot" in (answer.text or "").lower(), answer.text


def test_the_javascript_sdk_streams_chats_and_raises_its_own_errors(server: WonderCam):
    node = program(["node"], "nodejs")
    environment = {
        **os.environ,
        "WONDERCAM_URL": server.url,
        "WONDERCAM_KEY": server.guest(),
        "WONDERCAM_MODEL": MODEL,
    }
    script = Path(__file__).with_name("google_genai.mjs")
    done = subprocess.run(
        [node, str(script)], env=environment, capture_output=True, text=True, timeout=250, check=False
    )
    assert done.returncode == 0, done.stderr
    came = json.loads(done.stdout.splitlines()[-1])

    assert len([chunk for chunk in came["chunks"] if chunk["text"]]) > 3
    assert came["chunks"][-1]["finish"] in ("STOP", "MAX_TOKENS")
    assert came["whole"]["text"]
    assert came["whole"]["tokens"] > 0
    assert came["second"]
    assert came["history"] == 4
    assert came["unknownModel"]["isApiError"]
    assert came["unknownModel"]["status"] == 404
    assert came["badKey"]["status"] == 401
