"""The process's own life: what begins before the first request and ends after the last.

An ASGI `lifespan` application (https://asgi.readthedocs.io/en/latest/specs/lifespan.html).
"""

from collections.abc import Awaitable, Callable
from typing import Any

from chat.process import this_process
from chat.views import health

UNFINISHED = "wondercam.unfinished"
"""By this name the server asks, when it is to stop, how many answers it will wait for."""

Message = dict[str, Any]


async def application(
    scope: dict[str, Any],
    receive: Callable[[], Awaitable[Message]],
    send: Callable[[Message], Awaitable[None]],
) -> None:
    """Answer `lifespan.startup` and `lifespan.shutdown`."""
    process = this_process()
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            health.has_its_database_file()  # from now on it must stay the same file
            await process.open()
            scope.get("state", {})[UNFINISHED] = lambda: len(process.turns.running())
            await send({"type": "lifespan.startup.complete"})
        elif message["type"] == "lifespan.shutdown":
            await process.close()
            return await send({"type": "lifespan.shutdown.complete"})
