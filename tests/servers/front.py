"""`front`: `deploy/nginx.conf` in the real nginx, with only its names, ports, folders and machines changed.

`front(servers)` has them behind it, over TLS and HTTP/2 with a certificate made for the test.
"""

import re
import ssl
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.servers.nginx import StartNginx
from tests.servers.process import free_port, program

CONFIG = (Path(__file__).resolve().parent.parent.parent / "deploy" / "nginx.conf").read_text()
MACHINE = re.compile(r"server 127\.0\.0\.1:18000 (.*);")


class Front(NamedTuple):
    """Where nginx is, and what its certificate is trusted by."""

    url: str
    trusted: ssl.SSLContext


StartFront = Callable[[Sequence[str]], Front]


def make_certificate(folder: Path) -> ssl.SSLContext:
    """`privkey.pem` and `fullchain.pem` for localhost, as nginx wants them; the context that trusts them."""
    subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
    make = [program(["openssl"], "openssl"), "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", *subject]
    files = ["-keyout", f"{folder}/privkey.pem", "-out", f"{folder}/fullchain.pem"]
    subprocess.run([*make, *files], check=True, capture_output=True)
    return ssl.create_default_context(cafile=str(folder / "fullchain.pem"))


def configured(servers: Sequence[str], folder: Path) -> str:
    """The file with these servers (`address:port`) in its upstream, its certificate and logs in the folder."""
    text, count = MACHINE.subn("\n".join(rf"server {each} \1;" for each in servers), CONFIG)
    assert count == 1, "deploy/nginx.conf names its one machine differently"
    text = text.replace("chat.example.com", "localhost")
    text = text.replace("/etc/nginx/tls", str(folder)).replace("/var/log/nginx", str(folder))
    text = re.sub(r"listen \[::\].*\n", "\n", text).replace("listen 80;", f"listen 127.0.0.1:{free_port()};")
    return text.replace("listen 443", "listen 127.0.0.1:PORT")


@pytest.fixture
def front(nginx: StartNginx, tmp_path: Path) -> StartFront:
    """Starts nginx before the servers given."""
    trusted = make_certificate(tmp_path)

    def start(servers: Sequence[str]) -> Front:
        server = nginx(configured(servers, tmp_path))
        return Front(server.url.replace("http://127.0.0.1", "https://localhost"), trusted)

    return start
