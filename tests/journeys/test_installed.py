"""One installation from the wheel, asked with one API key: by the page, OpenAI's and Google's SDKs, and curl."""

import asyncio
import json
import os
import subprocess
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest
from google import genai
from playwright.async_api import Page, expect

from tests.browser.test_page import answer, ask, ended
from tests.servers.process import program
from tests.wheel import PASSWORD, Installation

MODEL = "recording/hello"
pytestmark = pytest.mark.slow


def test_openai_s_python_sdk_asks_an_installation(installation: Installation) -> None:
    messages: Any = [{"role": "user", "content": "Hi"}]
    with openai.OpenAI(base_url=f"{installation.url}/v1", api_key=installation.key, max_retries=0) as client:
        stream = client.chat.completions.create(model=MODEL, messages=messages, stream=True)
        streamed = "".join(chunk.choices[0].delta.content or "" for chunk in stream if chunk.choices)
        whole = client.responses.create(model=MODEL, input="Hi")
        assert [model.id for model in client.models.list()] == [MODEL]
    assert streamed == whole.output_text != ""


def test_google_s_python_sdk_asks_an_installation(installation: Installation) -> None:
    with genai.Client(api_key=installation.key, http_options={"base_url": installation.url}) as client:
        chunks = [chunk.text or "" for chunk in client.models.generate_content_stream(model=MODEL, contents="Hi")]
        whole = client.models.generate_content(model=MODEL, contents="Hi")
    assert "".join(chunks) == whole.text != ""


@pytest.mark.parametrize("way", ["Authorization", "x-goog-api-key", "?key="])
def test_google_s_api_of_an_installation_takes_a_key_in_each_way(installation: Installation, way: str) -> None:
    body = {"contents": [{"role": "user", "parts": [{"text": "Hi"}]}]}
    key, address = installation.key, f"{installation.url}/v1beta/models/{MODEL}:generateContent"
    if way == "?key=":
        answer = httpx.post(address, params={"key": key}, json=body, timeout=90)
    else:
        answer = httpx.post(
            address, headers={way: f"Bearer {key}" if way == "Authorization" else key}, json=body, timeout=90
        )
    found = answer.raise_for_status().json()
    assert found["candidates"][0]["content"]["parts"][0]["text"]


@pytest.mark.parametrize("script", ["openai_sdk.mjs", "google_genai.mjs"])
def test_a_javascript_sdk_asks_an_installation(installation: Installation, script: str) -> None:
    node = program(["node"], "nodejs")
    told = {"WONDERCAM_URL": installation.url, "WONDERCAM_KEY": installation.key, "WONDERCAM_MODEL": MODEL}
    command = [node, str(Path(__file__).with_name(script))]
    env = {**os.environ, **told}
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=250, check=False)
    assert done.returncode == 0, done.stderr
    came = json.loads(done.stdout.splitlines()[-1])
    assert came.get("completed") or came["whole"]["text"]
    assert came["unknownModel"]["status"] == 404


def test_curl_asks_an_installation(installation: Installation) -> None:
    headers = ["-H", f"Authorization: Bearer {installation.key}", "-H", "Content-Type: application/json"]
    body = ["-d", '{"contents": [{"text": "Hi"}]}']
    command = [program(["curl"], "curl"), "-sN", f"{installation.url}/v2/echat", *headers, *body]
    said = subprocess.run(command, capture_output=True, text=True, timeout=250, check=True).stdout
    assert said.startswith("retry: 1000\nid: ")
    assert said.endswith("data: [DONE]\n\n")


async def test_the_page_of_an_installation_answers_in_a_browser(page: Page, installation: Installation) -> None:
    await asyncio.to_thread(getattr, installation, "key")  # its account is there
    await page.goto(f"{installation.url}/accounts/signin/")
    await page.get_by_label("Username").fill("ada")
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Sign in").click()
    await expect(page.get_by_label("Your message")).to_be_visible()
    await page.wait_for_load_state()
    await ask(page, "Hi from a browser")
    await ended(page, "complete")
    shown = await answer(page).locator("[data-part=text]").inner_text()

    async with httpx.AsyncClient(base_url=installation.url, timeout=90) as client:
        client.headers["Authorization"] = f"Bearer {installation.key}"
        body = {"contents": [{"text": "Hi"}], "stream": False}
        told = (await client.post("/v2/chat", json=body)).json()
    first = told["candidates"][0]["content"]["parts"][0]["text"].split()[0]
    assert first.strip("*#") in shown
