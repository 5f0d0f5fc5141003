"""Django's ASGI handler on a few shared threads, with a shorter path for requests of the API.

Every request, event streams included, passes all of MIDDLEWARE and sends Django's signals (`request_started`,
`request_finished`, `got_request_exception`).
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import aclosing
from io import BytesIO
from operator import attrgetter
from typing import Any

from asgiref.sync import ThreadSensitiveContext, sync_to_async
from django.core.cache import close_caches
from django.core.exceptions import RequestAborted
from django.core.handlers.asgi import ASGIHandler, get_script_prefix
from django.core.handlers.base import reset_urlconf
from django.core.signals import got_request_exception, request_finished, request_started
from django.db import close_old_connections, reset_queries
from django.http.response import ResponseHeaders
from django.urls import set_script_prefix

from wondercam.headers import stored
from wondercam.request import SiteRequest
from wondercam.security import is_direct, resolved

PUSH = "wondercam.push"
"""The ASGI extension of `wondercam.server`: `write(piece) -> bool` writes a piece of a body that has begun, and
`when_gone(call)` registers a function to call when the client disconnects."""
EXECUTORS = 4
"""Threads for the blocking parts of all requests; each has its own database connection."""


class Executor(ThreadPoolExecutor):
    """One thread for the blocking parts of many requests.

    `waiting` counts its unfinished calls, `requests` the requests assigned to it.
    """

    def __init__(self) -> None:
        super().__init__(max_workers=1, thread_name_prefix="executor")
        self.waiting = self.requests = 0

    def submit(self, call: Callable[..., Any], /, *args: Any, **kwargs: Any) -> "Future[Any]":
        self.waiting += 1
        future = super().submit(call_and_release, call, *args, **kwargs)
        future.add_done_callback(self.finished)
        return future

    def finished(self, _: "Future[Any]") -> None:
        self.waiting -= 1


def call_and_release(call: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
    """Call it, then return the database connection to its pool, or close a broken one.

    Django does that at the end of the request, which for a stream is minutes later, and with a hop into the thread.
    """
    try:
        return call(*args, **kwargs)
    finally:
        close_old_connections()


def disconnect_receivers() -> None:
    """Disconnect Django's own receivers from its signals: they are sync, so each signal would need a hop into a thread.

    Connections are returned after each call (`call_and_release`), and what a request sets ends with its task's context.
    """
    request_started.disconnect(reset_queries)
    request_started.disconnect(close_old_connections)
    request_finished.disconnect(close_old_connections)
    request_finished.disconnect(close_caches)
    request_finished.disconnect(reset_urlconf)


class Handler(ASGIHandler):
    """Django's handler, whose requests share `EXECUTORS` threads.

    Django gives each request a thread of its own for its blocking parts, and keeps the thread and its database
    connection until the response ends: that would be one thread for each open stream.
    """

    request_class = SiteRequest

    def __init__(self) -> None:
        super().__init__()
        self.executors = [Executor() for _ in range(EXECUTORS)]
        disconnect_receivers()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        executor = min(self.executors, key=attrgetter("waiting", "requests"))
        executor.requests += 1  # spreads requests that arrive together, before any of them makes a call
        try:
            async with ThreadSensitiveContext(executor=executor):
                await (self.answer if is_direct(scope["path"]) else self.handle)(scope, receive, send)
        finally:
            executor.requests -= 1

    def resolve_request(self, request: Any) -> Any:
        """As Django's, but cached: resolving a path takes eighty calls."""
        request.resolver_match = match = resolved(request.path_info)
        return match

    async def answer(self, scope: Any, receive: Any, send: Any) -> None:
        """`handle` for the API, without two tasks per request and hops into a thread for signals without receivers."""
        try:
            body = await self.read_body(receive)
        except RequestAborted:
            return
        if prefix := get_script_prefix(scope):  # an empty one is the default of a new context anyway
            set_script_prefix(prefix)
        await request_started.asend(sender=self.__class__, scope=scope)
        request, refusal = self.create_request(scope, body)
        response: Any = refusal if request is None else await self.run_get_response(request)
        try:
            if is_event_stream(response):
                await send(start_of(response))
                scope["headers"] = []  # a stream may be open for minutes: free its request
                response.headers = ResponseHeaders({})
                if isinstance(request, SiteRequest):
                    request.let_go()
                del body, request
                await self.stream_while_read(response, receive, send, scope)
            else:
                await self.send_response(response, send)
        except ConnectionError:
            return
        finally:
            await close(response)

    async def stream_while_read(self, response: Any, receive: Any, send: Any, scope: Any) -> None:
        """Send an event stream, and end it as soon as its reader disconnects, not at its next event.

        `wondercam.server` calls back on a disconnect; under another server a task waits for it, a kilobyte per stream.
        """
        task, gone, asking = asyncio.current_task(), False, None
        assert task is not None

        def leave() -> None:
            nonlocal gone
            gone = True
            task.cancel()

        if when_gone := scope.get("extensions", {}).get(PUSH, {}).get("when_gone"):
            when_gone(leave)
        else:
            asking = asyncio.get_running_loop().create_task(receive())
            asking.add_done_callback(lambda asked: None if asked.cancelled() else leave())
        try:
            await self.send_stream(response, send)
        except asyncio.CancelledError:
            if not gone:
                raise
            task.uncancel()
        finally:
            if asking is not None:
                asking.cancel()

    async def read_body(self, receive: Any) -> Any:
        """The whole body in memory: the server has bounded its size, and has received all of it."""
        pieces, more = [], True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise RequestAborted
            pieces.append(message.get("body", b""))
            more = message.get("more_body", False)
        return BytesIO(pieces[0] if len(pieces) == 1 else b"".join(pieces))  # shares the bytes, without a copy

    async def send_stream(self, response: Any, send: Any) -> None:
        """Send the body of an event stream piece by piece, through whatever a middleware has wrapped around it."""
        message = {"type": "http.response.body", "body": b"", "more_body": True}
        try:
            async with aclosing(response.streaming_content) as pieces:
                async for piece in pieces:
                    message["body"] = piece
                    await send(message)
        except Exception as wrong:
            if not isinstance(wrong, ConnectionError):
                await got_request_exception.asend(sender=None, request=None)
            raise
        await send({"type": "http.response.body"})

    async def send_response(self, response: Any, send: Any) -> None:
        """As Django's, but a disconnect is no error: the response is closed as after any other end."""
        try:
            if is_event_stream(response):
                await send(start_of(response))
                await self.send_stream(response, send)
            else:
                await super().send_response(response, send)
        except ConnectionError:
            return


async def close(response: Any) -> None:
    """Close the response, which sends `request_finished`: in a thread if that has receivers, since they may block."""
    if request_finished.has_listeners():
        await sync_to_async(response.close)()
    else:
        response.close()


def start_of(response: Any) -> dict[str, Any]:
    """The message `http.response.start`."""
    headers = [(name.encode("ascii"), value.encode("latin-1")) for name, value in stored(response.headers).values()]
    return {"type": "http.response.start", "status": response.status_code, "headers": headers}


def is_event_stream(response: Any) -> bool:
    """Whether the response streams from an async iterator; static files stream from a plain one."""
    return bool(response.streaming and response.is_async and not response.cookies)
