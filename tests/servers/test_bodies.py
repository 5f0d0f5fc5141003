"""What strangers, and guests, can make the real server hold by sending bodies."""

import json
import socket
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from tests.servers.process import wait_until
from tests.servers.wondercam import Serve, WonderCam

MIB = 1024 * 1024
CROWD = 100
PHOTO = {"photo": bytes(70_000)}


@pytest.fixture
def server(serve: Serve) -> WonderCam:
    return serve({"WONDERCAM_MODELS": "recording/hello"})


def resident(server: WonderCam) -> int:
    status = Path(f"/proc/{server.pid}/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1]) * 1024


def send(server: WonderCam, path: str, head: str, size: int, wait: float = 2) -> tuple[socket.socket, bytes]:
    """Begin a request, and send as much of its body as the server takes; what it has answered `wait` seconds later."""
    client = socket.create_connection(("127.0.0.1", server.port), timeout=90)
    client.sendall(f"POST {path} HTTP/1.1\r\nHost: localhost\r\n{head}\r\n".encode())
    answer = b""
    try:
        for _ in range(size // 65536):
            client.sendall(b"x" * 65536)
        client.settimeout(wait)
        answer = client.recv(65536)
    except (TimeoutError, ConnectionError):
        pass
    return client, answer


def test_the_bodies_of_a_hundred_strangers_are_not_held(server: WonderCam) -> None:
    heads = [("/v2/echat", ""), ("/v2/attachments", ""), ("/nowhere", ""), ("/accounts/signin/", "")]
    heads += [("/v2/echat", "Authorization: Bearer a.b.c\r\n"), ("/", "Cookie: wcsession=x\r\n")]
    before = resident(server)
    with ThreadPoolExecutor(CROWD) as crowd:

        def one(number: int) -> tuple[socket.socket, bytes]:
            path, head = heads[number % len(heads)]
            length = "Transfer-Encoding: chunked\r\n" if number % 2 else f"Content-Length: {8 * MIB}\r\n"
            return send(server, path, head + length, 4 * MIB)

        clients = list(crowd.map(one, range(CROWD)))
    grown = resident(server) - before
    for client, answer in clients:
        client.close()
        assert answer[:12] in (b"", b"HTTP/1.1 400", b"HTTP/1.1 401", b"HTTP/1.1 404", b"HTTP/1.1 413")
    assert grown < 32 * MIB, f"{grown / MIB:.0f} MiB"
    assert httpx.get(f"{server.url}/healthz", timeout=90).status_code == 200


def test_who_is_not_signed_in_is_told_so_before_the_body(server: WonderCam) -> None:
    client, answer = send(server, "/v2/echat", f"Content-Length: {MIB}\r\nExpect: 100-continue\r\n", 0, wait=90)
    head, _, body = answer.partition(b"\r\n\r\n")
    client.close()
    assert head.startswith(b"HTTP/1.1 401 Unauthorized\r\n")
    assert b"WWW-Authenticate: Bearer" in head
    assert json.loads(body)["error"]["status"] == "UNAUTHENTICATED"


def test_the_bodies_of_a_hundred_guests_are_bounded_together_and_a_question_gets_through(server: WonderCam) -> None:
    token = server.guest()
    bearer = f"Authorization: Bearer {token}\r\nContent-Length: {8 * MIB}\r\n"
    before = resident(server)
    with ThreadPoolExecutor(CROWD) as crowd:
        clients = list(crowd.map(lambda _: send(server, "/v2/echat", bearer, 4 * MIB), range(CROWD)))
    grown = resident(server) - before
    busy = [answer for _, answer in clients if answer.startswith(b"HTTP/1.1 503")]
    with server.client(token) as client:
        answer = client.post("/v2/echat", json={"contents": [{"text": "Hello"}]})
        photo = client.post("/v2/attachments", files=PHOTO)
    for held, _ in clients:
        held.close()

    assert grown < 64 * MIB + 64 * MIB, f"{grown / MIB:.0f} MiB"
    assert busy
    assert all(b"\r\nRetry-After: 1\r\n" in said for said in busy)
    assert answer.text.endswith("data: [DONE]\n\n")
    assert photo.status_code == 503
    with server.client(token) as client:
        wait_until(
            lambda: client.post("/v2/attachments", files=PHOTO).status_code == 415, "it is read, and is no photo"
        )
