"""Open WebUI from PyPI, pointed at an installation from the wheel by nothing but its address and a key."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.servers.process import Process, accepts, free_port, wait_until
from tests.wheel import OF_THE_MACHINE, Installation

pytestmark = pytest.mark.soak  # it installs gigabytes
UV = [sys.executable, "-m", "uv"]
START_SECONDS = 900.0
MODEL = "recording/hello"
QUIET = {"OFFLINE_MODE": "true", "HF_HUB_OFFLINE": "1", "DO_NOT_TRACK": "true", "ANONYMIZED_TELEMETRY": "false"}
"""It loads no models of its own from elsewhere."""
PERSON = {"name": "Ada", "email": "ada@example.com", "password": "correct horse battery"}


@pytest.fixture(scope="module")
def command(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its installed command: 7 GB, for it brings PyTorch."""
    folder = tmp_path_factory.mktemp("open-webui")
    subprocess.run([*UV, "venv", "--quiet", "--python", sys.executable, str(folder / "env")], check=True)
    python = str(folder / "env" / "bin" / "python")
    subprocess.run([*UV, "pip", "install", "--quiet", "--python", python, "open-webui"], check=True)
    return folder / "env" / "bin" / "open-webui"


@pytest.fixture(scope="module")
def webui(command: Path, installation: Installation, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of one that has the installation for its model server."""
    home, port = tmp_path_factory.mktemp("home"), free_port()
    kept = {name: value for name, value in os.environ.items() if name.startswith(OF_THE_MACHINE)}
    told = {"OPENAI_API_BASE_URL": f"{installation.url}/v1", "OPENAI_API_KEY": installation.key}
    own = {"DATA_DIR": str(home), "HOME": str(home), "ENABLE_OLLAMA_API": "false", "WEBUI_SECRET_KEY": "of-the-tests"}
    process = Process(
        [str(command), "serve", "--host", "127.0.0.1", "--port", str(port)], {**kept, **told, **own, **QUIET}, cwd=home
    )
    try:
        wait_until(lambda: accepts(port) or not process.running, "Open WebUI listens", START_SECONDS)
        assert process.running, process.log
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill9()


@pytest.mark.timeout(3600)
async def test_its_people_see_the_models_and_get_streamed_answers(webui: str, installation: Installation) -> None:
    async with httpx.AsyncClient(base_url=webui, timeout=300) as client:
        signed_up = (await client.post("/api/v1/auths/signup", json=PERSON)).raise_for_status().json()
        client.headers["Authorization"] = f"Bearer {signed_up['token']}"
        models = (await client.get("/api/models")).raise_for_status().json()["data"]
        asked: Any = {"model": MODEL, "messages": [{"role": "user", "content": "Hi"}], "stream": True}
        answer = (await client.post("/api/chat/completions", json=asked)).raise_for_status()
        whole = (await client.post("/api/chat/completions", json={**asked, "stream": False})).raise_for_status().json()
    chunks = [json.loads(line[6:]) for line in answer.text.splitlines() if line.startswith("data: {")]
    said = "".join(chunk["choices"][0]["delta"].get("content") or "" for chunk in chunks if chunk.get("choices"))

    assert MODEL in [model["id"] for model in models]
    assert len(chunks) > 2
    assert said == whole["choices"][0]["message"]["content"] == await asyncio.to_thread(last_answer, installation)


def last_answer(installation: Installation) -> str:
    """What the installation has in its log."""
    headers = {"Authorization": f"Bearer {installation.key}"}
    with httpx.Client(base_url=installation.url, headers=headers, timeout=90) as client:
        newest = client.get("/v2/conversations").raise_for_status().json()["conversations"][0]["id"]
        return str(client.get(f"/v2/conversations/{newest}").raise_for_status().json()["messages"][-1]["text"])
