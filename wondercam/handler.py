"""Django's ASGI handler on a few shared threads, with a shorter path for requests of the API.

Every request, event streams included, passes all of MIDDLEWARE and sends Django's signals (`request_started`,
`request_finished`, `got_request_exception`).
"""

from collections.abc import Callable, Coroutine
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import aclosing
from io import BytesIO
from operator import attrgetter
from typing import Any

from asgiref.sync import ThreadSensitiveContext
from django.conf import settings
from django.core.cache import close_caches
from django.core.exceptions import RequestAborted
from django.core.handlers.asgi import ASGIHandler, get_script_prefix
from django.core.handlers.base import reset_urlconf
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, reset_queries
from django.http.response import ResponseHeaders
from django.urls import set_script_prefix

from wondercam.open_stream import OpenStream, close, send_all
from wondercam.request import SiteRequest
from wondercam.security import is_direct, resolved

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
    """Call it, then return the database connection to its pool, or close a broken one. With DEBUG the connection also
    forgets its statements, of which Django keeps the newest 9,000.

    Django does that for each request, whose end is minutes later for a stream, and with a hop into the thread.
    """
    try:
        return call(*args, **kwargs)
    finally:
        if settings.DEBUG:
            reset_queries()
        close_old_connections()


def disconnect_receivers() -> None:
    """Disconnect Django's own receivers from its signals: they are sync, so each signal would need a hop into a thread.

    Connections are returned, and their statements forgotten, after each call (`call_and_release`); what a request sets
    ends with its task's context.
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
        await self.on_executor((self.answer if is_direct(scope["path"]) else self.handle)(scope, receive, send))

    async def on_executor(self, work: Coroutine[Any, Any, Any]) -> None:
        """Do `work`; its blocking calls run on the executor that has the fewest."""
        executor = min(self.executors, key=attrgetter("waiting", "requests"))
        executor.requests += 1  # spreads requests that arrive together, before any of them makes a call
        try:
            async with ThreadSensitiveContext(executor=executor):
                await work
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
        if is_event_stream(response):
            stream, start = OpenStream(response, scope, self.on_executor), start_of(response)
            response.headers, scope["headers"] = ResponseHeaders({}), []  # a stream may be open for hours: free them
            if isinstance(request, SiteRequest):
                request.let_go(response)
            del body, request, response
            return await stream.go_on(receive, send, start)
        try:
            await self.send_response(response, send)
        finally:
            await close(response)

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

    async def send_response(self, response: Any, send: Any) -> None:
        """As Django's, but a disconnect is no error: the response is closed as after any other end."""
        try:
            if is_event_stream(response):
                await send(start_of(response))
                async with aclosing(response.streaming_content) as pieces:
                    await send_all(pieces, send)
            else:
                await super().send_response(response, send)
        except ConnectionError:
            return


def start_of(response: Any) -> dict[str, Any]:
    """The message `http.response.start`."""
    headers = [(name.encode("ascii"), value.encode("latin-1")) for name, value in response.headers.items()]
    return {"type": "http.response.start", "status": response.status_code, "headers": headers}


def is_event_stream(response: Any) -> bool:
    """Whether the response streams from an async iterator; static files stream from a plain one."""
    return bool(response.streaming and response.is_async and not response.cookies)
