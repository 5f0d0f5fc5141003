"""`deploy/nginx.conf` in the real nginx: the file itself, with only its names, ports and folders changed (front.py)."""

import json
import re
import subprocess
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread
from typing import Any

import httpx
import pytest

from chat.protocol.sse import Decoder
from tests.servers.front import CONFIG, StartFront
from tests.servers.process import free_port, program
from tests.servers.wondercam import Serve

NOSY = {
    "X-Forwarded-For": "203.0.113.9",
    "X-Forwarded-Host": "evil.example",
    "Forwarded": "for=203.0.113.9",
    "X-Real-IP": "203.0.113.9",
    "Daphne-Root-Path": "//evil.example",
    "Proxy": "http://evil.example",
}
"""What a client may write, and the server must never believe."""


class Mirror(BaseHTTPRequestHandler):
    """Answers with the headers it got.

    `/slow`, `/v2/slow`, and any path with `X-Mirror: stream` send one event, then wait until the test says go on.
    """

    protocol_version = "HTTP/1.1"
    server: Any

    def do_GET(self) -> None:
        if not self.path.endswith("slow") and self.headers.get("X-Mirror") != "stream":
            self.answer(json.dumps(dict(self.headers.items())).encode())
            return
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        if not self.path.endswith("/v2/slow"):
            self.send_header("X-Accel-Buffering", "no")
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(b"data: first\n\n")
        self.server.go_on.wait(100)
        self.wfile.write(b"data: second\n\n")

    def do_POST(self) -> None:
        self.answer(b"%d" % len(self.rfile.read(int(self.headers["Content-Length"]))))

    def answer(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Not into the test's output."""


@pytest.fixture
def mirror() -> Iterator[Any]:
    """The server behind, where what nginx passes on is the question."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Mirror)
    server.go_on = Event()  # type: ignore[attr-defined]
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.go_on.set()  # type: ignore[attr-defined]
    server.shutdown()
    server.server_close()
    thread.join()


Connect = Callable[[int], httpx.Client]


@pytest.fixture
def connect(front: StartFront) -> Iterator[Connect]:
    """`connect(port)`: a client of nginx before the server on that port."""
    clients: list[httpx.Client] = []

    def start(port: int) -> httpx.Client:
        started = front([f"127.0.0.1:{port}"])
        clients.append(httpx.Client(base_url=started.url, verify=started.trusted, timeout=90))
        return clients[-1]

    yield start
    for client in clients:
        client.close()


@pytest.fixture
def client(connect: Connect, mirror: Any) -> httpx.Client:
    """A client of nginx before the mirror."""
    return connect(mirror.server_address[1])


def test_events_come_through_and_a_client_cannot_choose_its_address(connect: Connect, serve: Serve) -> None:
    settings = {
        "WONDERCAM_HTTPS": "1",
        "WONDERCAM_TRUSTED_PROXIES": "127.0.0.1",
        "WONDERCAM_MODELS": "recording/hello",
        "WONDERCAM_LIMITS": "1",
        "WONDERCAM_LIMIT_PROBE_IP": "2",
    }
    client = connect(serve(settings).port)
    decoder, came = Decoder(), list[str]()
    with client.stream("GET", "/v2/probe", params={"events": 10, "gap": 60}) as answer:
        for piece in answer.iter_raw():
            came += [event.data for event in decoder.feed(piece)]
    token = client.post("/v2/auth/guest").json()["access"]
    question = {"contents": [{"text": "Hello"}]}
    chat = client.post("/v2/echat", json=question, headers={"Authorization": f"Bearer {token}"})

    assert len(came) == 11
    assert chat.text.startswith("retry: 1000\nid: ")
    assert chat.text.endswith("data: [DONE]\n\n")
    assert "content-encoding" not in chat.headers
    codes = [client.get("/v2/probe?events=1", headers={"X-Forwarded-For": f"203.0.113.{n}"}) for n in (1, 2)]
    assert [answer.status_code for answer in codes] == [200, 429]
    assert client.get("/metrics").status_code == client.get("/readyz").status_code == 404


def test_what_a_client_says_of_itself_does_not_reach_the_server(client: httpx.Client) -> None:
    for path in ("/", "/static/x", "/v2/models", "/v2/echat", "/v2/chat", "/v1beta/models", "/v1alpha/models"):
        passed_on = client.get(path, headers=NOSY).json()
        assert passed_on.pop("X-Forwarded-For") == "127.0.0.1"
        assert passed_on.pop("X-Forwarded-Proto") == "https"
        assert passed_on.pop("Host") == "localhost"
        assert set(passed_on) == {"Accept", "Accept-Encoding", "User-Agent"}, path


@pytest.mark.parametrize("path", ["/v2/slow", "/slow"], ids=["by its place", "by X-Accel-Buffering"])
def test_a_stream_is_not_held_back(client: httpx.Client, mirror: Any, path: str) -> None:
    with client.stream("GET", path, headers={"Accept-Encoding": "gzip"}) as answer:
        pieces = answer.iter_raw()
        assert next(pieces) == b"data: first\n\n"
        mirror.go_on.set()
        assert b"".join(pieces) == b"data: second\n\n"


@pytest.mark.parametrize("path", ["/slow", "/v2/echat", "/v2/chat", "/v1beta/models/x:streamGenerateContent"])
def test_whatever_stands_before_nginx_is_told_not_to_buffer(client: httpx.Client, mirror: Any, path: str) -> None:
    mirror.go_on.set()
    assert client.get(path, headers={"X-Mirror": "stream"}).headers["x-accel-buffering"] == "no"


def test_a_stream_is_not_held_back_over_http_2(client: httpx.Client, mirror: Any, tmp_path: Path) -> None:
    options = ["-sN", "--http2", "--cacert", str(tmp_path / "fullchain.pem"), "-w", "HTTP/%{http_version}"]
    command = [program(["curl"], "curl"), *options, str(client.base_url.join("/v2/slow"))]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as curl:
        assert curl.stdout is not None
        assert curl.stdout.readline() == b"data: first\n"
        mirror.go_on.set()
        assert curl.stdout.read() == b"\ndata: second\n\nHTTP/2"


@pytest.mark.parametrize(
    ("path", "most"),
    [
        ("/v2/auth/token", 256),
        ("/v2/echat", 8192),
        ("/v2/chat", 8192),
        ("/v2/attachments", 21504),
        *((f"/{version}/x", 8192) for version in ("v1", "v1beta", "v1alpha")),
    ],
)
def test_a_body_that_is_too_large_is_refused_as_the_api_would(client: httpx.Client, path: str, most: int) -> None:
    fits = client.post(path, content=bytes(most * 1024))
    refused = client.post(path, content=bytes(most * 1024 + 1))

    assert fits.text == str(most * 1024)
    assert refused.status_code == refused.json()["error"]["code"] == 413


def test_a_server_that_is_away_is_said_in_the_api_s_words(connect: Connect) -> None:
    client = connect(free_port())
    for path in ("/v2/models", "/v2/echat", "/v1beta/models"):
        answer = client.get(path)
        assert answer.status_code == answer.json()["error"]["code"] == 503
        assert answer.headers["retry-after"] == "5"


def test_no_log_holds_what_stood_behind_the_question_mark(connect: Connect, mirror: Any, tmp_path: Path) -> None:
    secrets = {"ticket": "a-secret-ticket", "data": "a-secret-question", "key": "a-secret-key"}
    for client in (connect(mirror.server_address[1]), connect(free_port())):
        for path in ("/v2/echat", *(f"/{version}/models/x:streamGenerateContent" for version in ("v1beta", "v1alpha"))):
            client.get(path, params=secrets, headers={"Referer": f"https://localhost{path}?ticket=a-secret-ticket"})
    lines = [json.loads(line) for line in (tmp_path / "access.log").read_text().splitlines()]
    logs = "".join(path.read_text() for path in tmp_path.glob("*.log"))

    assert [(line["path"], line["status"]) for line in lines[::3]] == [("/v2/echat", "200"), ("/v2/echat", "503")]
    assert "secret" not in logs


def test_plain_http_is_sent_on_to_https() -> None:
    plain = re.search(r"server \{\s+listen 80;.*?\n\}", CONFIG, re.DOTALL)
    assert plain
    assert "return 308 https://" in plain[0]
    assert re.search(r"location ~ \^/v\[0-9\] \{[^}]*return 403 .*Use HTTPS", plain[0], re.DOTALL)
    assert "proxy_pass" not in plain[0]
