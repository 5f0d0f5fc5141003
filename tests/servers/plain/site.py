"""The running server, and a client written by hand."""

import json
import os
import socket
import struct
import sys
from pathlib import Path
from typing import Any

from tests.servers.process import Process, wait_until

ROOT = Path(__file__).resolve().parents[3]
QUICK = {"tick": 0.05}


class Client:
    """One connection, read and written by hand."""

    def __init__(self, port: int, receive_buffer: int = 0) -> None:
        self.socket = socket.socket()
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(90)
        self.socket.connect(("127.0.0.1", port))
        self.unread = b""

    def ask(self, path: str, *headers: str, method: str = "GET", body: bytes = b"") -> "Client":
        lines = [f"{method} {path} HTTP/1.1", "Host: localhost", *headers]
        if body:
            lines.append(f"Content-Length: {len(body)}")
        return self.write("\r\n".join([*lines, "", ""]).encode() + body)

    def write(self, data: bytes) -> "Client":
        self.socket.sendall(data)
        return self

    def read_until(self, end: bytes) -> bytes:
        """What arrives up to and with `end`; ConnectionError when the connection ends before it."""
        while end not in self.unread:
            data = self.socket.recv(65536)
            if not data:
                raise ConnectionError(f"closed after {self.unread!r}")
            self.unread += data
        found, _, self.unread = self.unread.partition(end)
        return found + end

    def read_to_close(self) -> bytes:
        while data := self.socket.recv(65536):
            self.unread += data
        data, self.unread = self.unread, b""
        return data

    def answer(self) -> tuple[int, dict[str, str], bytes]:
        """A whole response with a Content-Length."""
        first, *lines = self.read_until(b"\r\n\r\n").decode().strip().split("\r\n")
        headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
        length = int(headers.get("content-length", 0))
        while len(self.unread) < length:
            self.unread += self.socket.recv(65536)
        body, self.unread = self.unread[:length], self.unread[length:]
        return int(first.split()[1]), headers, body

    def close(self) -> None:
        self.socket.close()

    def reset(self) -> None:
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()


class Site:
    """The running server."""

    def __init__(self, workers: int, options: dict[str, Any], env: dict[str, str]) -> None:
        command = [sys.executable, "-m", "tests.plain_asgi", str(workers), json.dumps({**QUICK, **options})]
        self.process = Process(command, env={**os.environ, "DJANGO_SETTINGS_MODULE": "", **env}, cwd=ROOT)
        self.clients: list[Client] = []
        self.port = 0

    def wait(self) -> "Site":
        self.port = int(self.process.wait_for_line("Listening on").split()[-1])
        return self

    def connect(self, receive_buffer: int = 0) -> Client:
        self.clients.append(Client(self.port, receive_buffer))
        return self.clients[-1]

    def get(self, path: str, *headers: str) -> tuple[int, dict[str, str], bytes]:
        client = Client(self.port)
        try:
            return client.ask(path, *headers).answer()
        finally:
            client.close()

    def json(self, path: str, *headers: str) -> dict[str, Any]:
        answer: dict[str, Any] = json.loads(self.get(path, *headers)[2])
        return answer

    @property
    def state(self) -> dict[str, Any]:
        return self.json("/state")

    def becomes(self, **expected: int) -> None:
        """Wait until the state has these values."""
        last: dict[str, Any] = {}

        def so() -> bool:
            last.update(self.state)
            return all(last[name] == value for name, value in expected.items())

        try:
            wait_until(so, f"the state {expected}")
        except TimeoutError:
            raise AssertionError(f"expected {expected}, it is {last}") from None

    def streams(self, count: int, path: str = "/stream") -> list[Client]:
        """That many streams, each of which has sent its first event."""
        clients = [self.connect().ask(path) for _ in range(count)]
        for client in clients:
            client.read_until(b"one\r\n")
        return clients

    def end(self) -> None:
        for client in self.clients:
            client.close()
        self.process.kill9()


def assert_whole(streams: list[Client]) -> None:
    """Each of these has its last event and its end."""
    for stream in streams:
        assert stream.read_until(b"0\r\n\r\n").startswith(b"4\r\nlast")
