"""What a load balancer and a monitor ask."""

from asgiref.sync import sync_to_async
from django.db import connection
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from chat.protocol.errors import Unavailable
from chat.turns import runner
from chat.views.api import api, json_response


@api("GET", "HEAD")
async def alive(request: HttpRequest) -> HttpResponseBase:
    """Whether the process answers at all."""
    return json_response({"status": "ok"})


@api("GET", "HEAD")
async def ready(request: HttpRequest) -> HttpResponseBase:
    """Whether it takes new turns: not while draining, and not without its database."""
    if runner.is_draining():
        raise Unavailable("This server is going down.", retry_after=1)
    try:
        await sync_to_async(connection.ensure_connection)()
    except Exception:
        raise Unavailable("The database cannot be reached.", retry_after=1) from None
    return json_response({"status": "ready"})
