"""The ASGI `lifespan` application: opens the process before the first request and closes it after the last one.

https://asgi.readthedocs.io/en/latest/specs/lifespan.html
"""

from collections.abc import Awaitable, Callable
from typing import Any

from chat.process import this_process
from chat.views import health

UNFINISHED = "wondercam.unfinished"
"""The key in the lifespan's state of a function that counts the running turns; the server prints it at Ctrl-C."""

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
            health.has_its_database_file()  # remembers which file it is
            await process.open()
            scope.get("state", {})[UNFINISHED] = lambda: len(process.turns.running())
            await send({"type": "lifespan.startup.complete"})
        elif message["type"] == "lifespan.shutdown":
            await process.close()
            return await send({"type": "lifespan.shutdown.complete"})
