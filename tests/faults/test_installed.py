"""The whole wheel with all its extras in an empty environment, as a stranger installs it: nothing of the checkout is
there, and each extra is used."""

import asyncio
import json
import os
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from tests import wheel
from tests.fakes.server import Reply, Request, Server
from tests.servers.postgres import Postgres
from tests.servers.process import Process, program
from tests.servers.redis import Redis
from tests.wheel import OF_THE_MACHINE

pytestmark = pytest.mark.soak  # it installs every extra
ROOT = Path(__file__).resolve().parent.parent.parent
UV = [sys.executable, "-m", "uv"]
START_SECONDS = 600.0
EXTRAS = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]


@pytest.fixture(scope="module")
def command(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The installed command `wondercam`."""
    folder = tmp_path_factory.mktemp("empty")
    file = wheel.made(tmp_path_factory.mktemp("wheel"))
    subprocess.run([*UV, "venv", "--quiet", "--python", sys.executable, str(folder / "env")], check=True)
    locked = [f"--constraints={ROOT / name}" for name in ("requirements.txt", "requirements-dev.txt")]
    asked = [f"wondercam[{','.join(EXTRAS)}] @ {file.as_uri()}", *locked]
    python = str(folder / "env" / "bin" / "python")
    subprocess.run([*UV, "pip", "install", "--quiet", "--python", python, *asked], check=True)
    return folder / "env" / "bin" / "wondercam"


@pytest.fixture(scope="module")
def url(command: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where it serves, started without a command or a setting in an empty home."""
    with served(command, tmp_path_factory.mktemp("home")) as address:
        yield address


def environment(home: Path, settings: dict[str, str]) -> dict[str, str]:
    """These settings and no others, in a home folder of their own."""
    kept = {name: value for name, value in os.environ.items() if name.startswith(OF_THE_MACHINE)}
    uv = {"UV": str(Path(sys.executable).parent / "uv"), "HOME": str(home), "PORT": "0", "PYTHONUNBUFFERED": "1"}
    return {**kept, **uv, **settings}


@contextmanager
def served(command: Path, home: Path, **settings: str) -> Iterator[str]:
    """The address of a server from the installation that has these settings and no others."""
    process = Process([str(command)], environment(home, settings), cwd=home)
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


def asked_as_a_guest(url: str) -> tuple[str, ...]:
    """Ask one question, which is answered; the guest's headers for curl."""
    access = json.loads(curl("-X", "POST", f"{url}/v2/auth/guest"))["access"]
    headers = ("-H", f"Authorization: Bearer {access}", "-H", "Content-Type: application/json")
    question = json.dumps({"contents": [{"text": "Why is the sky blue?"}]})
    said = curl("-N", f"{url}/v2/echat", *headers, "-d", question)
    assert said.endswith("data: [DONE]\n\n")
    assert '"error"' not in said
    return headers


@pytest.mark.timeout(3600)
def test_the_embedded_model_answers_a_stranger_s_first_question_and_looks_at_a_photo(url: str) -> None:
    assert "WonderCam" in curl(url)
    headers = asked_as_a_guest(url)
    (model,) = json.loads(curl(f"{url}/v2/models", *headers))["models"]
    assert model["photos"] == "read"


@pytest.mark.timeout(3600)
async def test_two_workers_on_postgresql_and_redis_answer_and_tell_their_collector(
    command: Path, postgres: Postgres, redis: Redis, tmp_path: Path
) -> None:
    async def collect(_: Request, reply: Reply) -> None:
        await reply.whole(200, b"", "application/x-protobuf")

    async with Server(collect) as collector:
        settings = {
            "DATABASE_URL": postgres.new_database(),
            "REDIS_URL": redis.url,
            "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url,
            "OTEL_BSP_SCHEDULE_DELAY": "100",
            "WEB_WORKERS": "2",
            "WONDERCAM_MODELS": "recording/hello",
            "WONDERCAM_RECORDINGS": str(ROOT / "tests" / "recordings"),
            "WONDERCAM_OIDC_URL": "http://127.0.0.1:9/of-nobody",
            "WONDERCAM_OIDC_CLIENT_ID": "wondercam",
            "WONDERCAM_OIDC_CLIENT_SECRET": "a-secret-of-the-tests",
            "WONDERCAM_OIDC_NAME": "Example ID",
        }
        migrate = [str(command), "migrate", "--verbosity", "0"]
        subprocess.run(migrate, env=environment(tmp_path, settings), cwd=tmp_path, check=True)
        server = served(command, tmp_path, **settings)
        url = await asyncio.to_thread(server.__enter__)
        try:
            await asyncio.to_thread(asked_as_a_guest, url)
            assert "Sign in by Example ID" in await asyncio.to_thread(curl, f"{url}/accounts/signin/")
            async with asyncio.timeout(90):
                while not any(request.target == "/v1/traces" for request in collector.requests):
                    await asyncio.sleep(0.05)
        finally:
            server.__exit__(None, None, None)
    with psycopg.connect(settings["DATABASE_URL"]) as database:
        assert database.execute("SELECT status FROM chat_stream").fetchall() == [("complete",)]
    assert "limit" in redis.command("KEYS", "*").lower()  # rates are counted there
