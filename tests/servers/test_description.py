"""`/v2/openapi.json` against the server that it describes: requests made from it by schemathesis, and a client that is
generated from it.

Left out of its checks: that whatever fits a schema is accepted. What a question may hold is more than a schema says,
and a refusal is a sentence. WONDERCAM_TEST_SOAK=1 makes many more requests.
"""

import json
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.servers.wondercam import Serve, WonderCam
from tests.soak import SOAK

QUICK = {"WONDERCAM_MODELS": "recording/hello", "WONDERCAM_RECORDING_SPEED": "0"}
PASSWORD = "a long enough pass phrase"
MAKE_ALICE = f"from chat.models import User; User.objects.create_user('alice', password='{PASSWORD}')"
LEFT_OUT = "/v2/auth/logout|/v2/me$|/v2/feed$|/events$|/v2/probe"
"""What ends the sign-in, and what does not end by itself for a minute."""
AMOUNT = ["--max-examples", "60" if SOAK else "2", "--phases", "coverage,fuzzing,stateful" if SOAK else "fuzzing"]
OPERATION = """
[[operations]]
include-path-regex = "{path}"
parameters = {{ "path.{name}" = "{id}" }}
"""


@pytest.fixture
def server(serve: Serve) -> WonderCam:
    """One with an account."""
    found = serve(QUICK)
    found.manage("shell", "-c", MAKE_ALICE)
    return found


def configuration(server: WonderCam, folder: Path) -> tuple[Path, str]:
    """What schemathesis is told: ids that are there; and a token of their owner."""
    signed_in = {"username": "alice", "password": PASSWORD}
    token = httpx.post(f"{server.url}/v2/auth/token", json=signed_in, timeout=90).raise_for_status().json()["access"]
    with server.client(token) as alice:
        asked = alice.post("/v2/chat", json={"contents": [{"text": "Hello?"}], "stream": False}).raise_for_status()
        response = alice.post("/v1/responses", json={"input": "Hello?"}).raise_for_status().json()["id"]
    found = {
        "^/v2/streams/": ("stream", "x-stream-id"),
        "^/v2/conversations/": ("id", "x-conversation-id"),
        "^/v2/messages/": ("id", "x-answer-id"),
    }
    operations = [
        OPERATION.format(path=path, name=name, id=asked.headers[header]) for path, (name, header) in found.items()
    ]
    operations.append(OPERATION.format(path="^/v1/responses/.*response", name="response", id=response))
    file = folder / "schemathesis.toml"
    file.write_text("[generation]\nallow-x00 = false\n" + "".join(operations))
    return file, token


def test_the_server_answers_as_its_description_says(server: WonderCam, tmp_path: Path):
    file, token = configuration(server, tmp_path)
    command = [str(Path(sys.executable).with_name("schemathesis")), "--config-file", str(file), "run"]
    command += [f"{server.url}/v2/openapi.json", "--header", f"Authorization: Bearer {token}", *AMOUNT]
    command += ["--exclude-path-regex", LEFT_OUT, "--exclude-checks", "positive_data_acceptance"]
    command += ["--seed", "1", "--request-timeout", "60", "--no-color"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=1800, check=False)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    assert "Traceback" not in server.log


USE = f"""
from made import AuthenticatedClient, Client, models
from made.api.asking import ask_plainly
from made.api.conversations import conversation, list_conversations
from made.api.signing_in import sign_in
import sys

pair = sign_in.sync(client=Client(sys.argv[1]), body=models.TokenBody("alice", "{PASSWORD}"))
alice = AuthenticatedClient(sys.argv[1], token=pair.access, timeout=90)
question = models.Ask.from_dict({{"contents": [{{"text": "Hi"}}], "stream": False}})
asked = ask_plainly.sync_detailed(client=alice, body=question)
assert asked.status_code == 200, asked.content
(found,) = list_conversations.sync(client=alice).conversations
shown = conversation.sync(id=found.id, client=alice)
print([message.role.value for message in shown.messages], shown.messages[1].stream.status)
"""


def test_a_client_is_generated_from_it_that_works(server: WonderCam, tmp_path: Path):
    description = tmp_path / "openapi.json"
    description.write_text(json.dumps(httpx.get(f"{server.url}/v2/openapi.json", timeout=90).json()))
    generate = [str(Path(sys.executable).with_name("openapi-python-client")), "generate", "--meta", "none"]
    generate += ["--path", str(description), "--output-path", str(tmp_path / "made")]
    subprocess.run(generate, cwd=tmp_path, capture_output=True, timeout=300, check=True)
    use = subprocess.run(
        [sys.executable, "-c", USE, server.url], cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False
    )
    assert use.stdout == "['user', 'model'] complete\n", use.stderr
