"""One request: makes the ASGI scope, writes the response, and applies backpressure while the client does not read.

It replaces Daphne's `process` and `handle_reply`: it parses no form, spools no body to a file and takes no second pass
through the reactor. An event of a stream is one check and one system call.
"""

# Twisted and Daphne carry few types: what is inherited from them is unchecked.
# mypy: disable-error-code="misc, no-untyped-call, override"

import asyncio
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

from daphne.http_protocol import WebRequest
from twisted.web.http import NO_BODY_CODES
from twisted.web.http import Request as TwistedRequest
from twisted.web.http_headers import Headers

from wondercam.server import access
from wondercam.server.bodies import Body, BodyRefused
from wondercam.server.errors import error_body
from wondercam.server.parser import Head, Header
from wondercam.server.proxies import scheme, without_forwarding

PIECE = 64 * 1024
"""The largest write to the transport, which pauses the request when it holds as much: at most twice this is queued."""
OWN_HEADERS = {b"daphne-root-path"}
"""Headers that instruct Daphne, and are ignored from clients."""
NO_HEADERS: Any = Headers()
"""Replaces response headers that were sent, to free them."""
NO_SCOPE: dict[str, Any] = {}
CHUNKED = (b"Transfer-Encoding", b"chunked")


class Disconnected(ConnectionError):
    """Raised by `send` after the client has disconnected, as ASGI 2.4 requires."""


class ServedRequest(WebRequest):
    """The application's side of one request. Its channel pauses it while the transport's buffer is full."""

    chunked: Any
    startedWriting: Any
    request_id = stream_id = ""

    def __init__(self, channel: Any, head: Head) -> None:
        TwistedRequest.__init__(self, channel, False)  # Daphne's would look for what the parser has read
        self.server = channel.factory.server
        self.head: Head | None = head
        self.method, self.path, self.clientproto = head.method, head.path, b"HTTP/" + head.version.encode()
        self.client_addr: Any = None
        self.scope = self.scope_of(head)
        self.body: Body | None = None
        self.application_queue: Any = None
        self.has_begun = False
        self.paused = self.streaming = self.is_encoded = self.is_counted = False
        self.resumed: asyncio.Future[None] | None = None
        self.on_gone: Callable[[], None] | None = None
        self.headers: list[Header] | None = None
        if not channel.is_persistent and head.version == "1.1":
            self.responseHeaders.setRawHeaders(b"Connection", [b"close"])
        self.server.protocol_connected(self)

    __hash__, __eq__ = object.__hash__, object.__eq__  # as Daphne writes them out

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
        scope, self.scope, self.head = self.scope, NO_SCOPE, None  # the application has it; a stream must not keep it
        self.application_queue = self.server.create_application(self, scope)
        self.application_queue.put_nowait({"type": "http.request", "body": body, "more_body": False})

    def release_body(self) -> None:
        """Stop counting the body as in flight."""
        if self.body is not None:
            self.body.release()
            self.body = None

    def scope_of(self, head: Head) -> dict[str, Any]:
        """https://asgi.readthedocs.io/en/latest/specs/www.html#http-connection-scope"""
        headers = [header for header in head.headers if b"_" not in header[0] and header[0] not in OWN_HEADERS]
        client, proxies = [self.client.host, self.client.port], self.server.options.proxies
        called_with = "http"
        if proxies.trusts(client[0]):
            called_with = scheme(headers)
            if (address := proxies.client(client[0], headers)) != client[0]:
                client = [address, 0]
        else:
            headers = without_forwarding(headers)
        self.client_addr = client
        return {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.4"},
            "http_version": head.version,
            "method": head.method.decode(),
            "path": unquote(head.path.decode()),
            "raw_path": head.path,
            "root_path": "",
            "scheme": called_with,
            "query_string": head.query,
            "headers": headers,
            "client": client,
            "server": [self.host.host, self.host.port],
            "extensions": {"wondercam.push": {"write": self.push, "when_gone": self.when_gone}},
        }

    def when_gone(self, call: Callable[[], None]) -> None:
        """Call `call` when the client disconnects, or at once if it has; it saves a task that waits in `receive`."""
        self.on_gone = call
        if self.channel is None:
            call()

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
        self.setResponseCode(status)
        self.headers = list(headers)
        named = {name.lower(): value for name, value in self.headers}
        self.stream_id = named.get(access.STREAM_ID, b"").decode("ascii")
        self.is_encoded, self.is_counted = b"content-encoding" in named, b"content-length" in named

    async def put(self, piece: bytes, more: bool) -> None:
        self.write_piece(piece, more)
        # Whether the head has been sent and any number of chunks follows.
        self.streaming = bool(more and self.chunked and self.startedWriting)
        if self.streaming:
            self.responseHeaders = NO_HEADERS
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
                self.write_head(more)
            if self.chunked and piece:
                transport.write(b"%x\r\n%b\r\n" % (len(piece), piece))
            elif not self.startedWriting or piece:
                self.write(piece)
            if not more:
                self.finish()
        finally:
            transport.release()

    def write_head(self, more: bool) -> None:
        """Write the head of a chunked response. Others are left to Twisted, which handles each header six times."""
        headers, self.headers = self.headers or [], None
        bare = self.method == b"HEAD" or self.code in NO_BODY_CODES
        if self.is_counted or bare or not more or self.clientproto != b"HTTP/1.1":
            for name, value in headers:
                self.responseHeaders.addRawHeader(name, value)
            return
        of_channel = [(name, value) for name, values in self.responseHeaders.getAllRawHeaders() for value in values]
        lines = [b"HTTP/1.1 %d %b" % (self.code, self.code_message)]
        lines += [b"%b: %b" % header for header in (*headers, *of_channel, CHUNKED)]
        head = b"\r\n".join(lines) + b"\r\n\r\n"
        if head.count(b"\n") != len(lines) + 1 or head.count(b"\r") != len(lines) + 1:
            raise ValueError("A header of the response has a line end in it.")
        self.startedWriting = self.chunked = 1
        self.transport.write(head)

    def basic_error(self, status: int, status_text: bytes, body: str) -> None:
        """Answer with an error, or cut off a response that has begun, so that it does not look complete."""
        if self.finished or self.channel is None:
            return
        if not self.has_begun:
            page = error_body(status, body)
            length = b"%d" % len(page)
            self.begin(status, [(b"Content-Type", b"application/json"), (b"Content-Length", length)])
            self.write_piece(page, False)
        elif self.chunked or not self.startedWriting or self.responseHeaders.hasHeader(b"Content-Length"):
            self.channel.loseConnection()  # what was written still arrives; the missing end shows the error
        else:
            self.transport.abortConnection()  # without a length only a reset shows it

    def handle_exception(self, exception: BaseException) -> None:
        self.basic_error(500, b"Internal Server Error", "Something went wrong here.")

    def check_timeouts(self) -> None:
        """Nothing: the channel has deadlines, a response has none."""

    def finish(self) -> None:
        if self.application_queue:
            self.send_disconnect()
        TwistedRequest.finish(self)
        self.server.protocol_disconnected(self)

    def connectionLost(self, reason: Any) -> None:
        access.lost(self)
        super().connectionLost(reason)
        self.release_body()
        self.resumeProducing()
        if self.on_gone is not None:
            self.on_gone()

    def pauseProducing(self) -> None:
        self.paused = True

    def resumeProducing(self) -> None:
        self.paused = False
        if self.resumed is not None and not self.resumed.done():
            self.resumed.set_result(None)
