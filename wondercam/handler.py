"""Django's ASGI handler on a few shared threads, and the short way for the API."""

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import aclosing
from inspect import isasyncgen
from io import BytesIO
from operator import attrgetter
from typing import Any

from asgiref.sync import SyncToAsync, ThreadSensitiveContext
from django.core.exceptions import RequestAborted
from django.core.handlers.asgi import ASGIHandler, get_script_prefix
from django.db import close_old_connections
from django.urls import set_script_prefix
from django.utils.log import log_response

from wondercam.request import Request
from wondercam.security import is_direct

log = logging.getLogger(__name__)

PUSH = "wondercam.push"
"""Our server's own ASGI extension: `write(piece) -> bool`, for pieces of a body that has begun, and `when_gone(call)`,
which calls once its client has gone."""
LANES = 4
"""Threads for the blocking parts of all requests; each has a database connection of its own."""


class Lane(ThreadPoolExecutor):
    """One thread for the blocking parts of many requests; `waiting` counts the calls it has not finished.

    `context` is how asgiref is told of it: entered once for good, since each entering and leaving takes fifty calls.
    """

    def __init__(self) -> None:
        super().__init__(max_workers=1, thread_name_prefix="lane")
        self.waiting = 0
        self.context = ThreadSensitiveContext(executor=self)
        SyncToAsync.context_to_thread_executor[self.context] = self

    def submit(self, what: Callable[..., Any], /, *args: Any, **kwargs: Any) -> "Future[Any]":
        self.waiting += 1
        future = super().submit(tidily, what, *args, **kwargs)
        future.add_done_callback(self.finished)
        return future

    def finished(self, _: "Future[Any]") -> None:
        self.waiting -= 1


def tidily(what: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
    """Call it, then give the connection back to its pool, or drop a broken one.

    Django does that at a request's end, which for a stream is minutes later, and hops into the thread for it.
    """
    try:
        return what(*args, **kwargs)
    finally:
        close_old_connections()


class Handler(ASGIHandler):
    """Django's handler, whose requests share `LANES` threads.

    Django gives each request a thread of its own for its blocking parts, and keeps it, with its database
    connection, until the response ends: one thread an open stream.
    """

    request_class = Request

    def __init__(self) -> None:
        super().__init__()
        self.lanes = [Lane() for _ in range(LANES)]

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        lane = min(self.lanes, key=attrgetter("waiting"))
        before = SyncToAsync.thread_sensitive_context.set(lane.context)
        try:
            await (self.answer if is_direct(scope["path"]) else self.handle)(scope, receive, send)
        finally:
            SyncToAsync.thread_sensitive_context.reset(before)

    async def answer(self, scope: Any, receive: Any, send: Any) -> None:
        """`handle` for the API: neither signals, each with hops into a thread, nor two more tasks a request."""
        try:
            body = await self.read_body(receive)
        except RequestAborted:
            return
        if prefix := get_script_prefix(scope):  # of which a context that was told nothing knows as much
            set_script_prefix(prefix)
        request, refusal = self.create_request(scope, body)
        response: Any = refusal if request is None else await self.respond(request)
        if not is_event_stream(response):
            try:
                await self.send_response(response, send)
            finally:
                close(response)
            return
        extension = scope.get("extensions", {}).get(PUSH, {})
        start, pieces = start_of(response), response._iterator
        close(response)
        scope["headers"] = []  # a stream may be open for minutes: what asked for it is let go of
        del scope, body, request, response
        try:
            await send(start)
            del start
            await self.stream_while_read(pieces, receive, send, extension.get("when_gone"))
        except ConnectionError:
            return

    async def respond(self, request: Any) -> Any:
        """`run_get_response` for the API: its views ask nobody for the address of another one."""
        response: Any = await self._middleware_chain(request)  # type: ignore[attr-defined]
        response._resource_closers.append(request.close)
        if response.status_code >= 400:
            log_response("%s: %s", response.reason_phrase, request.path, response=response, request=request)
        return response

    async def stream_while_read(self, pieces: Any, receive: Any, send: Any, when_gone: Any) -> None:
        """Send an event stream; when its reader goes it ends at once, not at its next event.

        Our server calls when that is so; of another one it is asked in a task, a kilobyte more for every stream.
        """
        task, gone, asking = asyncio.current_task(), False, None
        assert task is not None

        def leave() -> None:
            nonlocal gone
            gone = True
            task.cancel()

        if when_gone is not None:
            when_gone(leave)
        else:
            asking = asyncio.get_running_loop().create_task(receive())
            asking.add_done_callback(lambda asked: None if asked.cancelled() else leave())
        try:
            await self.send_stream(pieces, send)
        except asyncio.CancelledError:
            if not gone:
                raise
            task.uncancel()
        finally:
            if asking is not None:
                asking.cancel()

    async def read_body(self, receive: Any) -> Any:
        """The whole body, which the server has limited and read before: no file is needed to hold it."""
        pieces, more = [], True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise RequestAborted
            pieces.append(message.get("body", b""))
            more = message.get("more_body", False)
        return BytesIO(pieces[0] if len(pieces) == 1 else b"".join(pieces))  # which shares the bytes, not copies them

    async def send_response(self, response: Any, send: Any) -> None:
        """As Django's; a client that went ends it in silence, and the response is closed as after any end."""
        try:
            if is_event_stream(response):
                await send(start_of(response))
                await self.send_stream(response._iterator, send)
            else:
                await super().send_response(response, send)
        except ConnectionError:
            return

    async def send_stream(self, pieces: Any, send: Any) -> None:
        """An event stream's body: each piece as it is, without Django's two layers of iterators around it."""
        message = {"type": "http.response.body", "body": b"", "more_body": True}
        async with aclosing(pieces):
            async for piece in pieces:
                message["body"] = piece
                await send(message)
        await send({"type": "http.response.body"})


def close(response: Any) -> None:
    """Let go of what a response held, as its own `close` does, but for the signal: what hears it tidies up after the
    middlewares that the API goes past, and after database connections, which are the lanes' here."""
    for closer in response._resource_closers:
        try:
            closer()
        except Exception:
            log.exception("A part of a response could not be closed.")
    response._resource_closers.clear()
    response.closed = True


def start_of(response: Any) -> dict[str, Any]:
    """ASGI's message that begins a response."""
    pairs = response.headers._store.values()  # as they were given; to ask the mapping takes four calls a header
    headers = [(name.encode("ascii"), value.encode("latin-1")) for name, value in pairs]
    return {"type": "http.response.start", "status": response.status_code, "headers": headers}


def is_event_stream(response: Any) -> bool:
    """Whether its content comes from an async generator; files of the page, a 304 among them, come from iterators."""
    return bool(response.streaming and isasyncgen(response._iterator) and not response.cookies)
