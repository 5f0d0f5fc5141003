"""The site's ASGI handler: a blocking request does not delay others while a thread is free."""

import asyncio
import threading
import weakref
from collections.abc import AsyncIterator
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.db import connection
from django.http import HttpResponseBase, StreamingHttpResponse

from wondercam.handler import EXECUTORS, Handler, call_and_release


class Blocking(Handler):
    """Answers each request by a call that blocks until all `EXECUTORS` of them are in their threads."""

    def __init__(self) -> None:
        super().__init__()
        self.together = threading.Barrier(EXECUTORS)
        self.passed = 0

    async def answer(self, scope: Any, receive: Any, send: Any) -> None:
        await asyncio.sleep(0)  # as a view does that has something to await before it asks the database
        await sync_to_async(self.together.wait)(60)
        self.passed += 1


async def test_requests_that_arrive_together_block_in_threads_of_their_own():
    handler = Blocking()
    await asyncio.gather(*(handler({"path": "/v2/models"}, None, None) for _ in range(EXECUTORS)))
    assert handler.passed == EXECUTORS
    for executor in handler.executors:
        executor.shutdown()


class Streaming(Handler):
    """Answers with an event stream whose pieces say which headers and which request are still held."""

    async def get_response_async(self, request: Any) -> HttpResponseBase:
        response = StreamingHttpResponse(
            self.pieces(), headers={"Content-Type": "text/event-stream", "X-Stream-Id": "7"}
        )
        self.response, self.request = response, weakref.ref(request)
        response._resource_closers.append(request.close)  # type: ignore[attr-defined]
        return response

    async def pieces(self) -> AsyncIterator[bytes]:
        yield repr((dict(self.response.headers), self.request())).encode()


async def test_an_event_stream_keeps_neither_headers_that_were_sent_nor_its_request():
    """A stream may be open for hours, and they would be most of its memory."""
    handler, sent = Streaming(), list[Any]()

    async def receive() -> dict[str, Any]:
        return {"type": "http.request"} if not sent else await asyncio.Future()

    async def send(message: dict[str, Any]) -> None:
        sent.append(dict(message))

    scope = {"type": "http", "method": "GET", "path": "/v2/streams/7", "headers": [], "query_string": b""}
    await handler(scope, receive, send)
    assert (b"X-Stream-Id", b"7") in sent[0]["headers"]
    assert sent[1]["body"] == b"({}, None)"
    for executor in handler.executors:
        executor.shutdown()


@pytest.mark.django_db
def test_with_debug_no_statement_of_a_request_is_kept(settings: Any) -> None:
    """Django keeps 9,000 for each connection, and an event's has its text."""
    settings.DEBUG = True
    assert call_and_release(lambda: [connection.cursor().execute("SELECT 1"), len(connection.queries)])[1] == 1
    assert connection.queries == []
