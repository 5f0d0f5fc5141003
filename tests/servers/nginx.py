"""`nginx`: a real nginx with the `http { … }` content a test gives it."""

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import pytest

from tests.servers.process import Process, accepts, free_port, program, wait_until

CONFIG = """
daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log stderr;
events {{ worker_connections 1024; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
{http}
}}
"""


class Nginx:
    """A running nginx; `url` is where its `listen` is."""

    def __init__(self, folder: Path, http: str, port: int) -> None:
        self.port, self.url = port, f"http://127.0.0.1:{port}"
        config = folder / f"nginx-{port}.conf"
        config.write_text(CONFIG.format(folder=folder, http=http))
        command = [program(["nginx"], "nginx", [Path("/usr/sbin/nginx")]), "-p", str(folder), "-c", str(config)]
        check = subprocess.run([*command, "-t", "-q"], capture_output=True, text=True, timeout=90, check=False)
        if check.returncode:
            raise RuntimeError(f"nginx refuses this configuration:\n{check.stderr}")
        self.process = Process(command, cwd=folder)
        wait_until(lambda: accepts(port) or not self.process.running, "nginx accepts connections")
        if not self.process.running:
            raise RuntimeError(f"nginx ended:\n{self.process.log}")

    def stop(self) -> None:
        """SIGKILL: connections through it are cut."""
        self.process.kill9()


class StartNginx(Protocol):
    """What the fixture `nginx` is called with: the inside of `http`, with `PORT` where its port belongs."""

    def __call__(self, http: str) -> Nginx: ...


@pytest.fixture
def nginx(tmp_path: Path) -> Iterator[StartNginx]:
    """Start as many as the test needs: `nginx("server { listen 127.0.0.1:PORT; location / { … } }")`."""
    started: list[Nginx] = []

    def start(http: str) -> Nginx:
        port = free_port()
        started.append(Nginx(tmp_path, http.replace("PORT", str(port)), port))
        return started[-1]

    yield start
    for server in started:
        server.stop()
