"""What a load balancer and a monitor ask."""

import os
from functools import cache

from asgiref.sync import sync_to_async
from django.db import connection
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from chat.protocol.errors import Unavailable
from chat.views.api import Request, api, json_response


@api("GET", "HEAD")
async def alive(request: HttpRequest) -> HttpResponseBase:
    """Whether the process answers at all."""
    return json_response({"status": "ok"})


@api("GET", "HEAD")
async def ready(request: Request) -> HttpResponseBase:
    """Whether it takes new turns: not while draining, and not without its database."""
    if request.process.turns.is_draining():
        raise Unavailable("This server is going down.", retry_after=1)
    if not has_its_database_file():
        raise Unavailable(
            "The database file was moved, deleted or replaced under the server: put it back, or restart the server."
        )
    try:
        await sync_to_async(connection.ensure_connection)()
    except Exception:
        raise Unavailable("The database cannot be reached.", retry_after=1) from None
    return json_response({"status": "ready"})


def has_its_database_file() -> bool:
    """Whether the SQLite file at the configured path is the one that was there at the start; True for other databases.

    Open connections go on with a file that was moved or deleted, and new ones would open another at its place.
    """
    path = str(connection.settings_dict["NAME"])
    if connection.vendor != "sqlite" or ":memory:" in path or "mode=memory" in path:
        return True
    return identity_at_start(path) == identity(path) is not None


@cache
def identity_at_start(path: str) -> tuple[int, int] | None:
    """What `identity` said when it was first asked, which `chat.lifespan` does at the start."""
    return identity(path)


def identity(path: str) -> tuple[int, int] | None:
    """The device and inode of the file at `path`; None where there is none."""
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino
