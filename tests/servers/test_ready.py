"""Readiness by a real server: what a load balancer is told when the database file is not where it was."""

import shutil
import signal
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from tests.servers.wondercam import Serve, WonderCam


@pytest.fixture
def server(serve: Serve) -> WonderCam:
    return serve()


def database_of(server: WonderCam) -> Path:
    return server.data_dir / "wondercam.sqlite3"


def readiness(server: WonderCam) -> httpx.Response:
    return httpx.get(f"{server.url}/readyz", timeout=90)


def conversations(server: WonderCam, token: str) -> int:
    with server.client(token) as client:
        return client.get("/v2/conversations").status_code


def test_a_database_file_that_was_moved_away_ends_readiness_until_it_is_back(server: WonderCam) -> None:
    token = server.guest()
    file, elsewhere = database_of(server), server.data_dir / "elsewhere"
    file.rename(elsewhere)
    away = readiness(server)
    assert (away.status_code, away.json()["error"]["status"]) == (503, "UNAVAILABLE")
    assert "put it back, or restart the server" in away.json()["error"]["message"]
    with ThreadPoolExecutor(8) as pool:  # requests in threads that had no connection before
        assert set(pool.map(lambda _: conversations(server, token), range(32))) <= {200, 503}
    assert not file.exists()

    elsewhere.rename(file)
    assert readiness(server).status_code == 200
    with server.client() as client:
        assert client.post("/v2/echat", json={"contents": [{"text": "Why?"}]}).status_code == 200


def test_a_database_file_that_was_replaced_ends_readiness_until_a_restart(server: WonderCam) -> None:
    file = database_of(server)
    copy = shutil.copy(file, server.data_dir / "copy")
    Path(copy).replace(file)
    assert readiness(server).status_code == 503

    server.restart()
    assert readiness(server).status_code == 200


def test_ctrl_c_counts_the_answers_that_are_generated_not_their_readers(serve: Serve) -> None:
    server = serve({"WONDERCAM_MODELS": "recording/long", "WONDERCAM_RECORDING_SPEED": "0.05"})
    with server.client() as client:
        question = {"contents": [{"text": "Why?"}]}
        with client.stream("POST", "/v2/echat", json=question) as answer:
            stream = answer.headers["X-Stream-Id"]
            next(answer.iter_raw())
        with client.stream("GET", f"/v2/streams/{stream}") as once_more, client.stream("GET", f"/v2/streams/{stream}"):
            next(once_more.iter_raw())
            server.process.popen.send_signal(signal.SIGINT)
            assert "finishing 1 answer, press Ctrl-C again" in server.process.wait_for_line("finishing")
