"""Accounts, guests and keys at a running server: what goes on and what ends when somebody leaves."""

from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest

from tests.equality import row_of
from tests.servers.process import wait_until
from tests.servers.wondercam import Serve, WonderCam

SLOW = {"WONDERCAM_MODELS": "recording/long", "WONDERCAM_RECORDING_SPEED": "0.05", "WONDERCAM_LIMITS": "on"}
ASK = {"contents": [{"text": "Why?"}]}
PASSWORD = "a long enough pass phrase"
MAKE_ALICE = f"from chat.models import User; User.objects.create_user('alice', password='{PASSWORD}')"


@pytest.fixture
def server(serve: Serve) -> WonderCam:
    return serve({**SLOW, "WONDERCAM_LIMIT_GUEST_UNREAD_SECONDS": "1", "WONDERCAM_LIMIT_STREAMS_USER": "1"})


@contextmanager
def begun(client: httpx.Client) -> Iterator[str]:
    """A long answer that has begun, and is read until the block ends; the stream's id."""
    with client.stream("POST", "/v2/echat", json=ASK) as response:
        assert response.status_code == 200, response.read()
        next(response.iter_raw())
        yield response.headers["X-Stream-Id"]


def status_of(server: WonderCam, stream: str) -> str:
    return str(row_of(server, stream)["status"])


def test_signing_out_stops_what_was_asked_by_that_sign_in_and_frees_the_place(server: WonderCam):
    server.manage("shell", "-c", MAKE_ALICE)
    sign_in = {"username": "alice", "password": PASSWORD}
    pair = httpx.post(f"{server.url}/v2/auth/token", json=sign_in, timeout=90).json()
    with server.client(pair["access"]) as client:
        key = client.post("/v2/keys", json={"name": "laptop"}).json()["key"]
        with begun(client) as stream, server.client(key) as other:
            assert other.post("/v2/echat", json=ASK).status_code == 429  # the one place is taken
            assert client.post("/v2/auth/logout", json={"refresh": pair["refresh"]}).status_code == 204
            assert client.get("/v2/models").status_code == 401
            wait_until(lambda: status_of(server, stream) == "stopped", "the answer is stopped")
            with begun(other):
                pass  # the key is no part of that sign-in


def test_a_guest_who_leaves_frees_the_place(server: WonderCam):
    with server.client() as guest:
        with begun(guest) as stream:
            assert guest.post("/v2/echat", json=ASK).status_code == 429
        wait_until(lambda: status_of(server, stream) == "stopped", "the answer is stopped")
        with begun(guest):
            pass
        wait_until(lambda: "nobody reads a guest's answer" in server.log, "the log says why")
