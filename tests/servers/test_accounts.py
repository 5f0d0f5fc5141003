"""Accounts, guests and keys at a running server: what goes on and what ends when somebody leaves."""

import json
import time
from collections.abc import Callable

import httpx
import pytest

from tests.servers.wondercam import Serve, WonderCam

SLOW = {"WONDERCAM_MODELS": "recording/long", "WONDERCAM_RECORDING_SPEED": "0.05", "WONDERCAM_LIMITS": "on"}
ASK = {"contents": [{"text": "Why?"}]}
PASSWORD = "a long enough pass phrase"
MAKE_ALICE = f"from chat.models import User; User.objects.create_user('alice', password='{PASSWORD}')"


@pytest.fixture
def server(serve: Serve) -> WonderCam:
    return serve({**SLOW, "WONDERCAM_LIMIT_GUEST_UNREAD_SECONDS": "1", "WONDERCAM_LIMIT_STREAMS_USER": "1"})


def begin(client: httpx.Client) -> str:
    """Start a long answer and go away after its OK; the stream's id."""
    with client.stream("POST", "/v2/echat", json=ASK) as response:
        assert response.status_code == 200, response.read()
        next(response.iter_raw())
        return response.headers["X-Stream-Id"]


def status_of(server: WonderCam, stream: str) -> str:
    return next(row["status"] for row in json.loads(server.manage("list_streams", "--json")) if row["id"] == stream)


def wait_until(true: Callable[[], bool], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.2)


def test_signing_out_stops_what_was_asked_by_that_sign_in_and_frees_the_place(server: WonderCam):
    server.manage("shell", "-c", MAKE_ALICE)
    sign_in = {"username": "alice", "password": PASSWORD}
    pair = httpx.post(f"{server.url}/v2/auth/token", json=sign_in, timeout=30).json()
    with server.client(pair["access"]) as client:
        key = client.post("/v2/keys", json={"name": "laptop"}).json()["key"]
        stream = begin(client)
        with server.client(key) as other:
            assert other.post("/v2/echat", json=ASK).status_code == 429  # the one place is taken
            assert client.post("/v2/auth/logout", json={"refresh": pair["refresh"]}).status_code == 204
            assert client.get("/v2/models").status_code == 401
            wait_until(lambda: status_of(server, stream) == "stopped")
            begin(other)  # the key is no part of that sign-in


def test_a_guest_who_leaves_frees_the_place(server: WonderCam):
    with server.client() as guest:
        stream = begin(guest)
        assert guest.post("/v2/echat", json=ASK).status_code == 429
        wait_until(lambda: status_of(server, stream) == "stopped")
        begin(guest)
        assert "nobody reads a guest's answer" in server.log
