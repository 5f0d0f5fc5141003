"""Readiness by a real server: what a load balancer is told when the database file is not where it was."""

import shutil
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
    return httpx.get(f"{server.url}/readyz", timeout=10)


def test_a_database_file_that_was_moved_away_ends_readiness_until_it_is_back(server: WonderCam) -> None:
    file, elsewhere = database_of(server), server.data_dir / "elsewhere"
    file.rename(elsewhere)
    away = readiness(server)
    assert (away.status_code, away.json()["error"]["status"]) == (503, "UNAVAILABLE")
    assert "put it back, or restart the server" in away.json()["error"]["message"]
    assert not file.exists()

    elsewhere.rename(file)
    assert readiness(server).status_code == 200


def test_a_database_file_that_was_replaced_ends_readiness_until_a_restart(server: WonderCam) -> None:
    file = database_of(server)
    copy = shutil.copy(file, server.data_dir / "copy")
    Path(copy).replace(file)
    assert readiness(server).status_code == 503

    server.restart()
    assert readiness(server).status_code == 200
