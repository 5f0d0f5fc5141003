"""Django's ASGI handler on a few shared threads; for the API without the tasks and hops that it takes for pages.

Every request goes through all of MIDDLEWARE and sends Django's signals (`request_started`, `request_finished`,
`got_request_exception`), event streams among them.
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

from wondercam.request import SiteRequest
from wondercam.security import is_direct, resolved

PUSH = "wondercam.push"
"""Our server's own ASGI extension: `write(piece) -> bool`, for pieces of a body that has begun, and `when_gone(call)`,
which calls once its client has gone."""
EXECUTORS = 4
"""Threads for the blocking parts of all requests; each has a database connection of its own."""


class Executor(ThreadPoolExecutor):
    """One thread for the blocking parts of many requests.

    `waiting` counts the calls it has not finished, `requests` those that are answered now and may have one.
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
    """Call it, then give the connection back to its pool, or drop a broken one.

    Django does that at a request's end, which for a stream is minutes later, and hops into the thread for it.
    """
    try:
        return call(*args, **kwargs)
    finally:
        close_old_connections()


def disconnect_receivers() -> None:
    """Take Django's own receivers off its signals: they are sync, and each signal would hop into a thread for them.

    `Executor` gives connections back after each call, and what a request sets is its task's own: its context ends too.
    """
    request_started.disconnect(reset_queries)
    request_started.disconnect(close_old_connections)
    request_finished.disconnect(close_old_connections)
    request_finished.disconnect(close_caches)
    request_finished.disconnect(reset_urlconf)


class Handler(ASGIHandler):
    """Django's handler, whose requests share `EXECUTORS` threads.

    Django gives each request a thread of its own for its blocking parts, and keeps it, with its database
    connection, until the response ends: one thread an open stream.
    """

    request_class = SiteRequest

    def __init__(self) -> None:
        super().__init__()
        self.executors = [Executor() for _ in range(EXECUTORS)]
        disconnect_receivers()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        executor = min(self.executors, key=attrgetter("waiting", "requests"))
        executor.requests += 1  # those that arrive together have no call yet, and are not to wait for each other
        try:
            async with ThreadSensitiveContext(executor=executor):
                await (self.answer if is_direct(scope["path"]) else self.handle)(scope, receive, send)
        finally:
            executor.requests -= 1

    def resolve_request(self, request: Any) -> Any:
        """As Django's, which takes eighty calls to find a path's view: it is kept."""
        request.resolver_match = match = resolved(request.path_info)
        return match

    async def answer(self, scope: Any, receive: Any, send: Any) -> None:
        """`handle` for the API: no two tasks a request, and no hop into a thread for signals that nobody receives."""
        try:
            body = await self.read_body(receive)
        except RequestAborted:
            return
        if prefix := get_script_prefix(scope):  # of which a context that was told nothing knows as much
            set_script_prefix(prefix)
        await request_started.asend(sender=self.__class__, scope=scope)
        request, refusal = self.create_request(scope, body)
        response: Any = refusal if request is None else await self.run_get_response(request)
        try:
            if is_event_stream(response):
                await send(start_of(response))
                scope["headers"] = []  # a stream may be open for minutes: what asked for it is let go of
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
        """Send an event stream; when its reader goes it ends at once, not at its next event.

        Our server calls when that is so; of another one it is asked in a task, a kilobyte more for every stream.
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
        """The whole body, which the server has limited and read before: no file is needed to hold it."""
        pieces, more = [], True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise RequestAborted
            pieces.append(message.get("body", b""))
            more = message.get("more_body", False)
        return BytesIO(pieces[0] if len(pieces) == 1 else b"".join(pieces))  # which shares the bytes, not copies them

    async def send_stream(self, response: Any, send: Any) -> None:
        """An event stream's body, each piece as it is; what a middleware has put around it is heard."""
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
        """As Django's; a client that went ends it in silence, and the response is closed as after any end."""
        try:
            if is_event_stream(response):
                await send(start_of(response))
                await self.send_stream(response, send)
            else:
                await super().send_response(response, send)
        except ConnectionError:
            return


async def close(response: Any) -> None:
    """Close it and send `request_finished`: in a thread where a receiver may block, for which Django assumes all do."""
    if request_finished.has_listeners():
        await sync_to_async(response.close)()
    else:
        response.close()


def start_of(response: Any) -> dict[str, Any]:
    """ASGI's message that begins a response."""
    headers = [(name.encode("ascii"), value.encode("latin-1")) for name, value in response.headers.items()]
    return {"type": "http.response.start", "status": response.status_code, "headers": headers}


def is_event_stream(response: Any) -> bool:
    """Whether its content comes from an async iterator; a file of the page comes from a plain one."""
    return bool(response.streaming and response.is_async and not response.cookies)
