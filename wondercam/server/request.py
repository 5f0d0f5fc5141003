"""One request: makes the ASGI scope, writes the response, and applies backpressure while the client does not read.

An event of a stream is one check and one system call. An application may return before its response has ended: it parks
the response, and is called again when there is more to send (`ServedRequest.park`), so that a silent stream needs no
task.
"""

# Twisted and Daphne carry few types: what is inherited from them is unchecked.
# mypy: disable-error-code="misc, no-untyped-call, override"

import asyncio
from collections.abc import Callable, Coroutine
from http.client import responses
from typing import Any

from wondercam.server import access
from wondercam.server.bodies import Body, BodyRefused
from wondercam.server.errors import error_body
from wondercam.server.inbox import Inbox
from wondercam.server.parser import Head, Header
from wondercam.server.scope import scope_of

PIECE = 64 * 1024
"""The largest write to the transport, which pauses the request when it holds as much: at most twice this is queued."""
CHUNKED = (b"Transfer-Encoding", b"chunked")
CLOSE = (b"Connection", b"close")
NO_BODY_CODES = (204, 304)

Again = Callable[[Any, Any], Coroutine[Any, Any, None]]
"""Goes on with a parked response, given ASGI's `receive` and `send`."""


class Disconnected(ConnectionError):
    """Raised by `send` after the client has disconnected, as ASGI 2.4 requires."""


class ServedRequest:
    """The application's side of one request. Its channel pauses it while the transport's buffer is full.

    `task` runs the application; `left_at` is the monotonic time when the response or the connection ended. There may be
    thousands of them, so they have slots, and let go of what a stream that has begun does not need.
    """

    __slots__ = (
        "began",
        "body",
        "channel",
        "chunked",
        "client",
        "code",
        "finished",
        "has_begun",
        "head",
        "headers",
        "inbox",
        "is_bare",
        "is_counted",
        "is_encoded",
        "is_events",
        "is_left_when_gone",
        "left_at",
        "method",
        "parked",
        "path",
        "paused",
        "request_id",
        "resumed",
        "scope",
        "server",
        "stream_id",
        "streaming",
        "task",
        "transport",
        "version",
    )

    def __init__(self, channel: Any, head: Head) -> None:
        self.channel, self.server, self.transport = channel, channel.factory.server, channel.transport
        self.head: Head | None = head
        self.method, self.path, self.version = head.method, head.path, head.version
        scope = scope_of(head, channel.peer(), channel.host(), self.server.options.proxies)
        push = {"write": self.push, "leave_when_gone": self.leave_when_gone, "park": self.park}
        scope["extensions"] = {"wondercam.push": push}
        self.scope: dict[str, Any] | None = scope
        self.client: str = scope["client"][0]
        self.body: Body | None = None
        self.inbox: Inbox | None = None
        self.task: asyncio.Task[None] | None = None
        self.parked: tuple[asyncio.Future[Any], Again] | None = None
        self.left_at: float | None = None
        self.code, self.began = 200, 0.0
        self.request_id = self.stream_id = ""
        self.has_begun = self.finished = False
        self.chunked = self.is_bare = self.is_counted = self.is_encoded = self.is_events = False
        self.paused = self.streaming = self.is_left_when_gone = False
        self.resumed: asyncio.Future[None] | None = None
        self.headers: list[Header] | None = None
        self.server.opened(self)

    def open(self) -> None:
        """Decide by the headers whether the body is read. BodyRefused if not."""
        head = self.head
        assert head is not None
        if head.has(b"upgrade", b"websocket"):
            raise BodyRefused(501, "There are no websockets here.")
        if head.length != 0:
            self.body = self.server.bodies.body(self.server.body_limit(self.scope), head.length)

    def take(self, piece: bytes) -> int:
        """Take a piece of the body; returns its size so far. BodyRefused if that is too large."""
        assert self.body is not None
        self.body.add(piece)
        return self.body.size

    def start(self) -> None:
        """Run the application, when the whole request has arrived."""
        access.begun(self)
        body = b"" if self.body is None else self.body.content()
        scope, self.scope, self.head = self.scope, None, None  # the application has it; a stream must not keep it
        self.inbox = Inbox()
        self.inbox.put_nowait({"type": "http.request", "body": body, "more_body": False})
        self.server.run_application(self, self.server.application(scope, self.inbox.get, self.send))

    def release_body(self) -> None:
        """Stop counting the body as in flight."""
        if self.body is not None:
            self.body.release()
            self.body = None

    def leave_when_gone(self) -> None:
        """Cancel the application's task when the client disconnects, or at once if it has; it saves a task that waits
        in `receive`."""
        self.is_left_when_gone = True
        if self.channel is None and self.task is not None:
            self.task.cancel()

    def park(self, until: "asyncio.Future[Any]", again: Again) -> None:
        """Called by an application that returns next: call `again(receive, send)` when `until` is done, or when the
        client has disconnected. Meanwhile the response has no task, and `push` goes on."""
        self.parked = until, again

    def rest(self) -> None:
        """The application has returned, and its response is parked."""
        assert self.parked is not None
        if self.channel is None:
            self.wake()
        else:
            self.task = None
            self.parked[0].add_done_callback(self.wake, context=self.server.context)

    def wake(self, _: object = None) -> None:
        """Run the application of a parked response again."""
        if self.parked is not None and self.inbox is not None:
            (_, again), self.parked = self.parked, None
            self.server.run_application(self, again(self.inbox.get, self.send))

    def push(self, piece: bytes) -> bool:
        """Write a piece of a body that has begun and not ended, without a task or an event-loop iteration.

        False if the piece has to go through `send`: while the client is behind, if it is larger than `PIECE`, and for
        responses with a `Content-Encoding`, whose bytes a middleware changes.
        """
        if not self.streaming or self.paused or self.is_encoded or self.channel is None or not 0 < len(piece) <= PIECE:
            return False
        self.transport.write(b"%x\r\n%b\r\n" % (len(piece), piece))
        return True

    async def send(self, message: dict[str, Any]) -> None:
        """ASGI's `send`. It waits while more than `PIECE` bytes are queued for a client that does not read."""
        if self.finished:
            return
        if self.channel is None:
            raise Disconnected("The client went away.")
        if self.streaming and message.get("more_body") and self.push(message["body"]):
            if self.paused:
                await self.wait_until_flowing()
            return
        if message["type"] == "http.response.start":
            self.begin(message["status"], message.get("headers", ()))
            return
        if message["type"] != "http.response.body":
            raise ValueError(f"An HTTP response has no message {message['type']!r}.")
        if not self.has_begun:
            raise ValueError("The response's body came before its start.")
        body, more = message.get("body", b""), message.get("more_body", False)
        while len(body) > PIECE:
            await self.put(body[:PIECE], True)
            body = memoryview(body)[PIECE:]
        await self.put(body, more)

    def begin(self, status: int, headers: Any) -> None:
        """Take the status and headers; they are sent with the first piece of the body."""
        if self.has_begun:
            raise ValueError("The response has been started already.")
        self.has_begun = True
        self.release_body()
        self.code, self.headers = status, list(headers)
        named = {name.lower(): value for name, value in self.headers}
        self.stream_id = named.get(access.STREAM_ID, b"").decode("ascii")
        self.is_encoded, self.is_counted = b"content-encoding" in named, b"content-length" in named
        self.is_events = named.get(b"content-type", b"").startswith(b"text/event-stream")
        self.is_bare = self.method == b"HEAD" or status in NO_BODY_CODES
        self.chunked = self.version == "1.1" and not (self.is_bare or self.is_counted)

    async def put(self, piece: bytes, more: bool) -> None:
        self.write_piece(piece, more)
        self.streaming = more and self.chunked
        if more and self.paused:
            await self.wait_until_flowing()

    async def wait_until_flowing(self) -> None:
        """Wait until the client reads again; Disconnected if it disconnects instead."""
        while self.paused and self.channel is not None:
            self.resumed = asyncio.get_running_loop().create_future()
            await self.resumed
        if self.channel is None:
            raise Disconnected("The client went away.")

    def write_piece(self, piece: bytes, more: bool) -> None:
        """Write one piece, together with the head if it is the first, in one system call."""
        transport = self.transport
        transport.hold()
        try:
            if self.headers is not None:
                transport.write(self.head_of_response())
            if piece and not self.is_bare:
                transport.write(b"%x\r\n%b\r\n" % (len(piece), piece) if self.chunked else piece)
            if not more:
                self.finish()
        finally:
            transport.release()

    def head_of_response(self) -> bytes:
        """The status line and the headers, which are not kept."""
        headers, self.headers = self.headers or [], None
        if self.version == "1.1" and not self.channel.is_persistent:
            headers.append(CLOSE)
        if self.chunked:
            headers.append(CHUNKED)
        reason = responses.get(self.code, "Unknown Status")
        lines = [f"HTTP/{self.version} {self.code} {reason}".encode(), *(b"%b: %b" % header for header in headers)]
        head = b"\r\n".join(lines) + b"\r\n\r\n"
        if head.count(b"\n") != len(lines) + 1 or head.count(b"\r") != len(lines) + 1:
            raise ValueError("A header of the response has a line end in it.")
        return head

    def fail(self) -> None:
        """Answer 500, or cut off a response that has begun, so that it does not look complete."""
        if self.finished or self.channel is None:
            return
        if not self.has_begun:
            page = error_body(500, "Something went wrong here.")
            length = b"%d" % len(page)
            self.begin(500, [(b"Content-Type", b"application/json"), (b"Content-Length", length)])
            self.write_piece(page, False)
        elif self.chunked or self.is_counted or self.headers is not None:
            self.channel.loseConnection()  # what was written still arrives; the missing end shows the error
        else:
            self.transport.abortConnection()  # without a length only a reset shows it

    def finish(self) -> None:
        """End the response: the connection goes on with its next request, or is closed."""
        if self.chunked:
            self.transport.write(b"0\r\n\r\n")
        self.finished, self.streaming = True, False
        access.answered(self)
        channel, self.channel = self.channel, None
        self.leave()
        channel.request_done()

    def lost(self) -> None:
        """The client has disconnected."""
        access.lost(self)
        self.channel = None
        self.release_body()
        self.resumeProducing()
        self.leave()
        if self.parked is not None:
            if self.task is None:
                self.wake()
        elif self.is_left_when_gone and self.task is not None:
            self.task.cancel()

    def leave(self) -> None:
        """Nothing more can be sent: tell the application."""
        if self.inbox is not None:
            self.inbox.put_nowait({"type": "http.disconnect"})
        self.server.left(self)

    def pauseProducing(self) -> None:
        self.paused = True

    def resumeProducing(self) -> None:
        self.paused = False
        if self.resumed is not None and not self.resumed.done():
            self.resumed.set_result(None)
