"""`/healthz` and `/readyz`, for load balancers and monitors."""

import os
from functools import cache

from asgiref.sync import sync_to_async
from django.db import connection
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from chat.protocol.errors import Unavailable
from chat.views.api import Request, api, json_response


@api("GET")
async def alive(request: HttpRequest) -> HttpResponseBase:
    """200 as long as the process serves requests."""
    return json_response({"status": "ok"})


@api("GET")
async def ready(request: Request) -> HttpResponseBase:
    """200 if the process takes new turns; 503 while it drains, and without its database."""
    if request.process.turns.is_draining():
        raise Unavailable("This server is shutting down.", retry_after=1)
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
    """Whether the SQLite file is still the one that was there at the start; True for other databases.

    Connections keep a file open that was moved or deleted, while new ones would create another in its place.
    """
    path = str(connection.settings_dict["NAME"])
    if connection.vendor != "sqlite" or ":memory:" in path or "mode=memory" in path:
        return True
    return identity_at_start(path) == identity(path) is not None


@cache
def identity_at_start(path: str) -> tuple[int, int] | None:
    """The `identity` of the file at the first call, which `chat.lifespan` makes at the start."""
    return identity(path)


def identity(path: str) -> tuple[int, int] | None:
    """The device and inode of the file at `path`; None if there is none."""
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino
