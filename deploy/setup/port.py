"""Looks whether the port that `make run` will serve on is free, before minutes of set-up are spent.

Run by whatever python3 there is (3.7 or newer), without any package: HOST and PORT come from the environment, else
from `.env`, as `serve` will read them.
"""

from __future__ import annotations

import errno
import os
import re
import socket
import sys

DEFAULTS = {"HOST": "127.0.0.1", "PORT": "18000"}
LINE = re.compile(r"""^\s*(?:export\s+)?(HOST|PORT)\s*=\s*["']?([^"'#\s]*)""", re.MULTILINE)
NO_ADDRESS = "which is no address of this machine: 127.0.0.1 is for this machine only, 0.0.0.0 for all."


def chosen(env_file: str, environment: dict[str, str]) -> tuple[str, str]:
    """HOST and PORT; an empty variable counts as unset."""
    given = [dict(LINE.findall(env_file)), {name: environment.get(name, "").strip() for name in DEFAULTS}]
    found = dict(DEFAULTS)
    for source in given:
        found.update({name: value for name, value in source.items() if value})
    return found["HOST"], found["PORT"]


def wrong_with(host: str, port: str) -> str:
    """A sentence that says why nothing can be served there; empty where it can."""
    if not (port.isascii() and port.isdigit() and int(port) <= 65535):
        return f"PORT is {port!r}: write a whole number from 0 to 65535."
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, int(port), type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as trial:
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            trial.bind(address)
    except PermissionError:
        return f"PORT is {port}, which this user may not open: choose one from 1024 up, such as `make run PORT=18000`."
    except OSError as wrong:
        if isinstance(wrong, socket.gaierror) or wrong.errno == errno.EADDRNOTAVAIL:
            return f"HOST is {host!r}, {NO_ADDRESS}"
        other = int(port) + 1 if int(port) < 65535 else 18000
        return f"Cannot listen on {host}:{port} ({wrong.strerror}). Choose another port: `make run PORT={other}`."
    return ""


def main() -> int:
    """Exit status 1, and the sentence, when the port cannot be used."""
    try:
        with open(".env", encoding="utf-8", errors="replace") as file:
            written = file.read()
    except OSError:
        written = ""
    wrong = wrong_with(*chosen(written, dict(os.environ)))
    if wrong:
        print(wrong, file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
