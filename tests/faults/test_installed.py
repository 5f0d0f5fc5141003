"""The whole wheel in an empty environment, as a stranger installs it: nothing of the checkout is there."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import wheel
from tests.servers.process import Process, program
from tests.wheel import OF_THE_MACHINE

ROOT = Path(__file__).resolve().parent.parent.parent
UV = [sys.executable, "-m", "uv"]
START_SECONDS = 600.0


@pytest.fixture(scope="module")
def command(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The installed command `wondercam`."""
    folder = tmp_path_factory.mktemp("empty")
    file = wheel.made(tmp_path_factory.mktemp("wheel"))
    subprocess.run([*UV, "venv", "--quiet", "--python", sys.executable, str(folder / "env")], check=True)
    asked = [f"wondercam[local,ocr] @ {file.as_uri()}", "--constraints", str(ROOT / "requirements.txt")]
    python = str(folder / "env" / "bin" / "python")
    subprocess.run([*UV, "pip", "install", "--quiet", "--python", python, *asked], check=True)
    return folder / "env" / "bin" / "wondercam"


@pytest.fixture(scope="module")
def url(command: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where it serves, started without a command or a setting in an empty home."""
    home = tmp_path_factory.mktemp("home")
    kept = {name: value for name, value in os.environ.items() if name.startswith(OF_THE_MACHINE)}
    uv = {"UV": str(Path(sys.executable).parent / "uv"), "HOME": str(home), "PORT": "0", "PYTHONUNBUFFERED": "1"}
    process = Process([str(command)], {**kept, **uv}, cwd=home)
    try:
        yield process.wait_for_line("Listening on ", START_SECONDS).removeprefix("Listening on ").strip()
    finally:
        process.kill9()


def curl(*words: str) -> str:
    """What curl prints; a status of 400 and above fails it."""
    name = program(["curl"], "curl")
    done = subprocess.run([name, "-sSf", "--max-time", "300", *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.timeout(3600)
def test_the_embedded_model_answers_a_stranger_s_first_question_and_looks_at_a_photo(url: str) -> None:
    assert "WonderCam" in curl(url)
    access = json.loads(curl("-X", "POST", f"{url}/v2/auth/guest"))["access"]
    headers = ("-H", f"Authorization: Bearer {access}", "-H", "Content-Type: application/json")
    question = json.dumps({"contents": [{"text": "Why is the sky blue?"}]})
    said = curl("-N", f"{url}/v2/echat", *headers, "-d", question)
    assert said.endswith("data: [DONE]\n\n")
    assert '"error"' not in said
    (model,) = json.loads(curl(f"{url}/v2/models", *headers))["models"]
    assert model["photos"] == "read"
