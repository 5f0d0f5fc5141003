"""What README and docs tell people to type is typed: against a real server, with only its address changed."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from chat.protocol import events
from chat.protocol.prompt import Prompt
from chat.providers.catalogue import Provider
from tests.equality import newest, row_of, text_of
from tests.fakes.gguf import MODEL_HEAD, PROJECTOR_HEAD, gguf
from tests.servers.process import program
from tests.servers.wondercam import Serve, WonderCam
from wondercam import variables

ROOT = Path(__file__).resolve().parent.parent.parent
HERE = "http://127.0.0.1:18000"


def blocks(page: str, language: str, words: str) -> list[str]:
    """The code blocks of a page in that language that have these words in them."""
    found = re.findall(rf"^```{language}\n(.*?)^```$", (ROOT / page).read_text(), re.MULTILINE | re.DOTALL)
    return [block for block in found if words in block]


def shell(script: str, server: WonderCam) -> str:
    """What a shell prints that is given the script with the server's address in it."""
    program(["curl"], "curl")
    told = script.replace(HERE, server.url).replace("https://chat.example.com", server.url)
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", told],
        env=server.env,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=250,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_what_the_readme_types_into_a_shell_streams_an_answer(shared_server: WonderCam) -> None:
    [script] = blocks("README.md", "sh", "/v2/echat")
    said = shell(script, shared_server)
    assert said.startswith("retry: 1000\nid: ")
    assert 'data: {"candidates": [{"content": {"parts": [{"text": "OK"}]}}]}' in said
    assert said.endswith("data: [DONE]\n\n")


def printed(script: str, server: WonderCam) -> str:
    """What a Python snippet prints as a new guest of the server."""
    told = f"access = {server.guest()!r}\n" + script.replace(HERE, server.url)
    command = [sys.executable, "-W", "ignore", "-c", told]
    done = subprocess.run(command, env=server.env, capture_output=True, text=True, timeout=250, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("script", blocks("docs/api.md", "python", "genai"))
def test_google_s_snippet_prints_the_answer_and_nothing_else(script: str, shared_server: WonderCam) -> None:
    said = printed(script, shared_server)
    assert said.strip()
    assert "None" not in said


CHAT, RESUMED, RESPONSES = blocks("docs/api.md", "python", "client.")[1:]
CLIENT = CHAT[: CHAT.index("messages")]
"""What both of OpenAI's snippets begin with."""


@pytest.mark.parametrize("script", [CHAT, CLIENT + RESPONSES], ids=["chat completions", "responses"])
def test_openai_s_snippet_prints_the_answer(script: str, shared_server: WonderCam) -> None:
    assert printed(script, shared_server).strip()


def test_the_snippet_that_resumes_an_answer_prints_all_of_it(shared_server: WonderCam) -> None:
    said = printed(CHAT[: CHAT.index("for chunk")] + RESUMED, shared_server)
    assert said == text_of(row_of(shared_server, newest(shared_server))["parts"]) + "\n"


MAKE = f"""make() {{ command make --dry-run --silent --directory={ROOT} "$@" > /dev/null; }}\n"""
"""What the README has a reader make is looked up, not made: it is this checkout's own set-up, and all of its tests."""


def test_what_the_readme_makes_is_a_target(shared_server: WonderCam) -> None:
    [script] = blocks("README.md", "sh", "make test")
    shell(MAKE + script, shared_server)


@pytest.mark.slow
def test_a_site_starts_with_each_model_that_the_readme_names(shared_server: WonderCam, tmp_path: Path) -> None:
    [script] = blocks("README.md", "sh", "make run     # a GGUF")
    (tmp_path / "model.gguf").write_bytes(gguf(MODEL_HEAD))
    (tmp_path / "mmproj.gguf").write_bytes(gguf(PROJECTOR_HEAD))
    checks = f"""cd {tmp_path}; make() {{ test "$1" = run; {sys.executable} {ROOT}/manage.py check; }}\n"""
    lines = script.splitlines()
    for line in lines:
        named = re.findall(r"\b([A-Z][A-Z_]+)=", line)
        assert set(named) <= set(variables.ALL), line
        assert "no issues" in shell(checks + line.replace("…", "a-readers-own"), shared_server), line
    assert len(lines) == 4


def test_the_guide_to_a_key_ends_with_an_answer_by_that_key(shared_server: WonderCam) -> None:
    make = "from chat.models import User; User.objects.create_user('ada', password='correct horse battery')"
    shared_server.manage("shell", "-v", "0", "-c", make)
    [script] = blocks("docs/guides/own-key.md", "sh", "/v2/keys")
    assert shell(script, shared_server).endswith("data: [DONE]\n\n")


@pytest.mark.parametrize(
    "script", blocks("docs/guides/from-code.md", "python", "key"), ids=["openai", "google", "http"]
)
def test_each_way_from_code_prints_the_answer(script: str, shared_server: WonderCam) -> None:
    told = f"key = {shared_server.guest()!r}\n" + script.replace(HERE, shared_server.url)
    command = [sys.executable, "-W", "ignore", "-c", told]
    done = subprocess.run(command, env=shared_server.env, capture_output=True, text=True, timeout=110, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()


def test_the_guide_s_request_for_one_json_answer_gets_one(shared_server: WonderCam) -> None:
    [script] = blocks("docs/guides/from-code.md", "sh", "/v2/chat")
    said = json.loads(shell(f"KEY={shared_server.guest()}\n{script}", shared_server))
    assert said["candidates"][0]["finishReason"]


async def test_the_provider_of_the_guide_answers_a_prompt() -> None:
    [script] = blocks("docs/guides/write-a-provider.md", "python", "class Echo")
    made: dict[str, Any] = {}
    exec(script, made)  # what the guide tells people to write
    assert made["from_settings"]({}) is None
    parrot: Provider = made["from_settings"]({"ECHO_PROVIDER": "1"})
    given: list[events.Chunk] = []
    prompt = Prompt(model=parrot.models()[0], contents=[{"role": "user", "parts": [{"text": "Hello there"}]}])
    await parrot.answer(prompt, given.append)
    assert "".join(part["text"] for chunk in given for part in chunk.parts) == "Hello there "
    assert given[-1].reason == "STOP"


def test_every_python_block_of_the_docs_can_be_compiled() -> None:
    for page in [ROOT / "README.md", *ROOT.glob("docs/**/*.md")]:
        for block in blocks(str(page.relative_to(ROOT)), "python", ""):
            compile(block, str(page), "exec")


def test_the_probe_of_the_deployment_page_streams(shared_server: WonderCam) -> None:
    probes = re.findall(r"^ {4}(curl -N .*/v2/probe.*)$", (ROOT / "docs" / "deploy.md").read_text(), re.MULTILINE)
    for script in probes:
        assert shell(script.replace("gap=200", "gap=1"), shared_server).endswith("data: [DONE]\n\n")


def test_the_commands_of_the_operators_page_do_what_it_says(serve: Serve, tmp_path: Path) -> None:
    server = serve({"WONDERCAM_MODELS": "recording/hello", "WONDERCAM_RECORDING_SPEED": "0"})
    with server.client() as client:
        stream = client.post("/v2/echat", json={"contents": [{"text": "Hi"}]}).headers["X-Stream-Id"]
    file = tmp_path / "stream.jsonl"

    assert stream in server.manage("list_streams", "--json")
    assert server.manage("replay_stream", stream, "--speed", "0", "--format", "sse").endswith("data: [DONE]\n\n")
    server.manage("export_stream", stream, str(file))
    assert file.read_text().startswith('{"wondercam":"recording"')
    assert server.manage("replay_stream", str(file), "--speed", "0", "--format", "text").strip()
    server.manage("prune_streams", "--older-than", "30d", "--dry-run")
    server.manage("backup", str(tmp_path / "copy.sqlite3"))
    assert (tmp_path / "copy.sqlite3").stat().st_size > 0
