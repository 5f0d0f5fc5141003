"""The log of a real server: a line for each request and stream, nothing secret, and no 500 in silence."""

import json
import re
import socket
import sqlite3
from typing import Any
from uuid import UUID

import httpx

from tests.servers.process import wait_until
from tests.servers.wondercam import Serve, WonderCam

QUICK = {"WONDERCAM_MODELS": "recording/hello", "WONDERCAM_RECORDING_SPEED": "0", "WONDERCAM_LOG": "json"}


def lines(server: WonderCam) -> list[dict[str, Any]]:
    """The log so far, every line of which is JSON."""
    printed = [line for line in server.log.splitlines() if not line.startswith("Listening")]
    return [json.loads(line) for line in printed]


def waited_for(server: WonderCam, **fields: Any) -> dict[str, Any]:
    """The first line with these fields, once it is there."""

    def found() -> list[dict[str, Any]]:
        return [line for line in lines(server) if fields.items() <= line.items()]

    wait_until(lambda: bool(found()), f"a line with {fields}")
    return found()[0]


def test_a_request_and_its_stream_leave_a_line_each_and_neither_holds_a_secret(serve: Serve) -> None:
    server = serve(QUICK)
    token = server.guest()
    with server.client(token) as client:
        answer = client.post("/v2/echat?ticket=a-secret-ticket", json={"contents": [{"text": "a secret question"}]})
        client.get("/v2/models", params={"key": "a-secret-key"})
        client.get("/healthz")
    stream = answer.headers["X-Stream-Id"]

    access = waited_for(server, logger="wondercam.access", path="/v2/echat")
    assert (access["method"], access["status"], access["client"]) == ("POST", 200, "127.0.0.1")
    assert access["stream"] == stream
    assert access["ms"] > 0
    ended = waited_for(server, logger="chat.streams", stream=stream)
    assert (ended["status"], ended["reason"], ended["model"]) == ("complete", "STOP", "recording/hello")
    models = waited_for(server, logger="wondercam.access", path="/v2/models")
    assert models["request"] != access["request"]
    assert "secret" not in server.log
    assert token not in server.log
    assert "/healthz" not in server.log


def test_a_reader_that_goes_and_a_request_that_is_refused_are_told(serve: Serve) -> None:
    server = serve({**QUICK, "WONDERCAM_RECORDING_SPEED": "0.01"})
    with server.client() as client, client.stream("POST", "/v2/echat", json={"contents": [{"text": "Hi"}]}) as answer:
        assert next(answer.iter_raw())
    assert waited_for(server, path="/v2/echat")["note"] == "the client went"
    with socket.create_connection(("127.0.0.1", server.port)) as stranger:
        stranger.sendall(b"nonsense\r\n\r\n")
        assert b"400" in stranger.recv(4096)
    assert waited_for(server, status=400)["client"] == "127.0.0.1"


def test_no_request_writes_a_line_of_its_own(serve: Serve) -> None:
    server = serve({**QUICK, "WONDERCAM_LOG": "text"})
    forged = "2026-01-01T00:00:00.000Z INFO    chat: forged"
    httpx.get(f"{server.url}/%0a{forged.replace(' ', '%20')}", timeout=90)
    httpx.get(server.url, headers={"Host": "evil.example"}, timeout=90)
    with socket.create_connection(("127.0.0.1", server.port)) as raw:
        raw.sendall(b"GET /\x1b[2Jraw HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        while raw.recv(4096):
            pass
    httpx.get(f"{server.url}/last", timeout=90)
    wait_until(lambda: "/last" in server.log, "the last request's line")

    of_log = r"\d{4}-\d\d-\d\dT[\d:.]{12}Z (INFO |WARNING|ERROR) +[\w.]+( \[[^]]*\])?: .*|    .*|Listening .*"
    printed = server.log.splitlines()
    assert [line for line in printed if not re.fullmatch(of_log, line)] == []
    assert [line for line in printed if line.startswith("2026-01-01")] == []
    assert "\x1b" not in server.log


def test_no_500_leaves_the_log_silent(serve: Serve) -> None:
    server = serve(QUICK)
    token = server.guest()
    with server.client(token) as client:
        client.post("/v2/auth/session")
        database = sqlite3.connect(server.data_dir / "wondercam.sqlite3")
        database.execute("ALTER TABLE django_session RENAME TO gone")
        database.execute("ALTER TABLE chat_conversation RENAME TO gone_too")
        database.commit()
        database.close()
        failed = {
            path: client.get(path, headers={"Cookie": "wcsession=abcdefghijklmnopqrstuvwxyz012345"}).status_code
            for path in ("/admin/", "/v2/conversations", f"/v2/conversations/{UUID(int=1)}")
        }
    assert all(status >= 500 for status in failed.values()), failed
    for path in failed:
        of_request = waited_for(server, logger="wondercam.access", path=path)["request"]
        told = [line for line in lines(server) if line.get("request") == of_request]
        assert [line for line in told if line["logger"] != "wondercam.access"], (path, told)
    assert waited_for(server, level="ERROR", logger="django.request")["error"].startswith("Traceback")
