"""What a person with a shell does: curl against the real server and the embedded model."""

import asyncio
import json
import subprocess
import time
from itertools import pairwise
from pathlib import Path

import pytest

from chat.protocol import events
from chat.protocol.sse import Decoder
from tests.equality import equal
from tests.servers.process import program
from tests.servers.wondercam import WonderCam

OK = '{"candidates": [{"content": {"parts": [{"text": "OK"}]}}]}'
QUESTION = {"contents": [{"text": "Tell me about the sea."}], "generationConfig": {"maxOutputTokens": 48}}


@pytest.fixture
def server(shared_server: WonderCam) -> WonderCam:
    return shared_server


def curl(server: WonderCam, path: str, *options: str, token: str | None = None) -> list[str]:
    """The command line of one curl call."""
    who = ["-H", f"Authorization: Bearer {token}"] if token else []
    return [program(["curl"], "curl"), "-sN", *who, *options, server.url + path]


def post(body: object) -> list[str]:
    return ["-H", "Content-Type: application/json", "-d", json.dumps(body)]


def test_curl_shows_the_ok_at_once_then_events_one_by_one_then_the_end(server: WonderCam):
    token = server.guest()
    command = curl(server, "/v2/echat", *post(QUESTION), token=token)
    arrivals: list[tuple[float, bytes]] = []
    with subprocess.Popen(command, stdout=subprocess.PIPE) as running:
        assert running.stdout is not None
        for line in running.stdout:
            arrivals.append((time.monotonic(), line))
    lines = [line for _, line in arrivals]
    moments = [moment for moment, line in arrivals if line.startswith(b"data: {")]
    came = Decoder().feed(b"".join(lines))

    assert lines[0] == b"retry: 1000\n"
    assert came[0].data == OK
    assert came[-1].data == "[DONE]"
    assert [event.id.rsplit(":")[-1] for event in came[:-1]] == [str(seq) for seq in range(len(came) - 1)]
    assert "finishReason" in json.loads(came[-2].data)["candidates"][0]
    # Tokens take milliseconds each: had they come in a lump, all would carry one and the same moment.
    apart = sum(later - earlier > 0.001 for earlier, later in pairwise(moments[1:]))
    assert apart > len(moments) / 10
    shown = "".join(events.text_of(events.decode(event.data)) for event in came[1:-1])
    assert asyncio.run(equal(server, token, came[0].id.rpartition(":")[0])) == shown


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/v2/echat", {"contents": []}, "INVALID_ARGUMENT"),
        ("/v2/echat", {"content": [{"text": "a typing error"}]}, "INVALID_ARGUMENT"),
        ("/v2/echat", {"contents": [{"text": "x"}], "model": "no/such"}, "NOT_FOUND"),
        ("/v2/echat", {"contents": [{"text": "x"}], "conversation_id": "0" * 32}, "NOT_FOUND"),
        ("/v2/chat", {"contents": [{"text": "x"}], "generationConfig": {"temperature": "hot"}}, "INVALID_ARGUMENT"),
    ],
)
def test_what_cannot_be_used_gets_its_status_and_a_sentence(server: WonderCam, path, body, status):
    command = curl(server, path, *post(body), "-w", "\n%{http_code}", token=server.guest())
    answer, code = subprocess.run(command, capture_output=True, text=True, timeout=90, check=True).stdout.rsplit(
        "\n", 1
    )
    error = json.loads(answer)["error"]

    assert error["status"] == status
    assert str(error["code"]) == code
    assert error["message"].endswith(".")


def test_a_wrong_token_and_no_token_get_401_and_a_foreign_stream_gets_404(server: WonderCam, tmp_path: Path):
    asked = curl(server, "/v2/echat", *post(QUESTION), "-D", str(tmp_path / "headers"), token=server.guest())
    subprocess.run(asked, capture_output=True, timeout=200, check=True)
    headers = (tmp_path / "headers").read_text().lower().splitlines()
    stream = next(line.split(": ")[1] for line in headers if line.startswith("x-stream-id"))

    def code(path: str, token: str | None) -> str:
        command = curl(server, path, "-o", "/dev/null", "-w", "%{http_code}", token=token)
        return subprocess.run(command, capture_output=True, text=True, timeout=90, check=True).stdout

    assert code("/v2/models", None) == "401"
    assert code("/v2/models", "not.a.token") == "401"
    assert code(f"/v2/streams/{stream}", server.guest()) == "404"
    assert code("/v2/streams/00000000-0000-0000-0000-000000000000", server.guest()) == "404"
