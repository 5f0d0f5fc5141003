"""`OpenStream`: an event stream whose response has begun, from piece to piece.

A piece of the body may be empty and have `until`, a future: nothing follows before that is done. Then the stream is
parked, where the server can do that: its task ends, and what is left of the whole request is this object and the
generators of its body. Under another server a task waits all the time.
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from asgiref.sync import sync_to_async
from django.core.signals import got_request_exception, request_finished

PUSH = "wondercam.push"
"""The ASGI extension of `wondercam.server`: `write(piece) -> bool` writes a piece of a body that has begun,
`leave_when_gone()` has the task cancelled when the client disconnects, and after `park(until, again)` the application
returns with its response open: `again(receive, send)` is called when `until` is done or the client has disconnected."""

Work = Coroutine[Any, Any, Any]


class OpenStream:
    """The rest of a response, through whatever a middleware has wrapped around its pieces.

    `run` does work where its blocking calls have a thread.
    """

    __slots__ = ("_leave_when_gone", "_park", "_pieces", "_response", "_run")

    def __init__(self, response: Any, scope: Any, run: Callable[[Work], Work]) -> None:
        push = scope.get("extensions", {}).get(PUSH, {})
        self._park, self._leave_when_gone = push.get("park"), push.get("leave_when_gone")
        self._response, self._pieces, self._run = response, response.streaming_content, run

    def again(self, receive: Any, send: Any) -> Work:
        """Go on after a pause."""
        return self._run(self.go_on(receive, send))

    async def go_on(self, receive: Any, send: Any, start: dict[str, Any] | None = None) -> None:
        """Send `start` if given, then pieces, until the stream is parked or over or its reader disconnects."""
        is_parked = False
        try:
            if start is not None:
                await send(start)
            is_parked = await (self._send(send) if self._leave_when_gone else self._send_while_read(receive, send))
        except ConnectionError:
            return
        finally:
            if not is_parked:
                await self._pieces.aclose()
                await close(self._response)

    async def _send(self, send: Any) -> bool:
        self._leave_when_gone()
        until = await send_pieces(self._pieces, send)
        if until is not None:
            self._park(until, self.again)
        return until is not None

    async def _send_while_read(self, receive: Any, send: Any) -> bool:
        """The same under a server that tells of a disconnect by a message only, and cannot park."""
        task = asyncio.current_task()
        assert task is not None
        asking = asyncio.ensure_future(receive())
        asking.add_done_callback(lambda asked: asked.cancelled() or task.cancel())
        try:
            await send_all(self._pieces, send)
        except asyncio.CancelledError:
            if not asking.done():
                raise
            task.uncancel()
        finally:
            asking.cancel()
        return False


async def send_pieces(pieces: Any, send: Any) -> "asyncio.Future[Any] | None":
    """Send the pieces of a body up to its end, or to a pause: then return the future that the next piece waits for."""
    message = {"type": "http.response.body", "body": b"", "more_body": True}
    try:
        async for piece in pieces:
            until: asyncio.Future[Any] | None = getattr(piece, "until", None)
            if until is not None:
                return until
            message["body"] = piece
            await send(message)
    except Exception as wrong:
        if not isinstance(wrong, ConnectionError):
            await got_request_exception.asend(sender=None, request=None)
        raise
    await send({"type": "http.response.body"})
    return None


async def send_all(pieces: Any, send: Any) -> None:
    """Send the pieces of a body to its end."""
    while await send_pieces(pieces, send) is not None:
        pass


async def close(response: Any) -> None:
    """Close the response, which sends `request_finished`: in a thread if that has receivers, since they may block."""
    if request_finished.has_listeners():
        await sync_to_async(response.close)()
    else:
        response.close()
