"""Django's ASGI handler on a few shared threads."""

from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import aclosing
from inspect import isasyncgen
from io import BytesIO
from typing import Any

from asgiref.sync import ThreadSensitiveContext
from django.core.exceptions import RequestAborted
from django.core.handlers.asgi import ASGIHandler

LANES = 4
"""Threads for the blocking parts of all requests; each has a database connection of its own."""


class Lane(ThreadPoolExecutor):
    """One thread for the blocking parts of many requests; `waiting` counts the calls it has not finished."""

    def __init__(self) -> None:
        super().__init__(max_workers=1, thread_name_prefix="lane")
        self.waiting = 0

    def submit(self, *args: Any, **kwargs: Any) -> "Future[Any]":
        self.waiting += 1
        future = super().submit(*args, **kwargs)
        future.add_done_callback(self.finished)
        return future

    def finished(self, _: "Future[Any]") -> None:
        self.waiting -= 1


class Handler(ASGIHandler):
    """Django's handler, whose requests share `LANES` threads.

    Django gives each request a thread of its own for its blocking parts, and keeps it, with its database
    connection, until the response ends: one thread an open stream.
    """

    def __init__(self) -> None:
        super().__init__()
        self.lanes = [Lane() for _ in range(LANES)]

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        lane = min(self.lanes, key=lambda lane: lane.waiting)
        async with ThreadSensitiveContext(executor=lane):
            await self.handle(scope, receive, send)

    async def read_body(self, receive: Any) -> Any:
        """The whole body, which the server has limited and read before: no file is needed to hold it."""
        body = BytesIO()
        more = True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise RequestAborted
            body.write(message.get("body", b""))
            more = message.get("more_body", False)
        body.seek(0)
        return body

    async def send_response(self, response: Any, send: Any) -> None:
        """As Django's; a client that went ends it in silence, and the response is closed as after any end."""
        try:
            # Files of the page come from iterators that are no generators, a 304 among them.
            if response.streaming and isasyncgen(response._iterator) and not response.cookies:
                await self.send_stream(response, send)
            else:
                await super().send_response(response, send)
        except ConnectionError:
            return

    async def send_stream(self, response: Any, send: Any) -> None:
        """An event stream: each piece as it is, without Django's two layers of iterators around it."""
        headers = [(name.encode("ascii"), value.encode("latin-1")) for name, value in response.items()]
        await send({"type": "http.response.start", "status": response.status_code, "headers": headers})
        message = {"type": "http.response.body", "body": b"", "more_body": True}
        async with aclosing(response._iterator) as pieces:
            async for piece in pieces:
                message["body"] = piece
                await send(message)
        await send({"type": "http.response.body"})
