"""Clients that close their half of the connection behind a request, as `nc -N` does, and those that have gone."""

import asyncio
import json
import socket

import pytest

from tests.faults.arena import Arena
from tests.servers.process import wait_until
from tests.servers.wondercam import WonderCam

GET = "GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"


def connected(server: WonderCam, raw: str) -> socket.socket:
    """A connection on which this was sent, and whose half is closed."""
    found = socket.create_connection(("127.0.0.1", server.port), timeout=60)
    found.sendall(raw.encode())
    found.shutdown(socket.SHUT_WR)
    return found


def read(connection: socket.socket) -> str:
    """All that comes up to the end."""
    with connection, connection.makefile("rb") as file:
        return file.read().decode()


def question(token: str, path: str, words: str, version: str = "1.1") -> str:
    body = json.dumps({"contents": [{"role": "user", "parts": [{"text": words}]}]})
    head = f"POST {path} HTTP/{version}\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {token}\r\n"
    return f"{head}Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n{body}"


def test_one_answer_and_two_in_a_row_are_sent_whole(shared_server: WonderCam):
    said = read(connected(shared_server, GET))
    assert said.startswith("HTTP/1.1 200 OK")
    assert said.endswith('{"status":"ok"}')
    assert read(connected(shared_server, GET * 2)).count('{"status":"ok"}') == 2
    assert read(connected(shared_server, "GET / HTTP/1.1\r\nHost: ")) == "", "no request"
    assert "HTTP/1.1 400" in read(connected(shared_server, "nonsense\r\n\r\n"))


@pytest.mark.parametrize("version", ["1.1", "1.0"])
async def test_an_event_stream_is_sent_to_its_end(arena: Arena, version: str):
    server = await arena.shared()
    raw = question(arena.tokens[server.url], "/v2/echat", "words=60 gap=50", version)
    said = await asyncio.to_thread(lambda: read(connected(server, raw)))
    assert '"finishReason":"STOP"' in said
    assert "data: [DONE]" in said


@pytest.mark.parametrize(
    "path", ["/v1beta/models/script:streamGenerateContent?alt=sse", "/v1beta/models/script:generateContent"]
)
async def test_who_has_gone_in_a_silence_is_still_noticed(arena: Arena, path: str):
    """The doors stop what nobody reads."""
    server = await arena.serve()
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as connection:
        connection.sendall(question(arena.tokens[server.url], path, "words=5 gap=0 hold=2").encode())
        if "alt=sse" in path:
            await asyncio.to_thread(connection.recv, 4096)
        await asyncio.to_thread(wait_until, lambda: "running" in server.manage("list_streams"), "it runs")
    await asyncio.to_thread(wait_until, lambda: "stopped" in server.manage("list_streams"), "it is stopped", 30)
