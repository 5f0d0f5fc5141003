"""One connection: its deadlines, the limits on what it sends, and the refusal of what is over them.

A deadline is a number that `check` compares once a second: no timer per connection, and none runs
while a response is under way.
"""

# Twisted and Daphne carry few types: what is inherited from them is unchecked.
# mypy: disable-error-code="misc, no-untyped-call, override"

import asyncio
import time
from typing import Any

from daphne.http_protocol import HTTPFactory
from twisted.protocols import basic
from twisted.web import http

from wondercam.server import access
from wondercam.server.errors import error_body
from wondercam.server.fields import field_of
from wondercam.server.request import Request
from wondercam.server.transport import Address

BODY_RATE = 16 * 1024
"""Bytes a second that a body must bring on average, once its first grace is over."""
LENGTHS = {b"content-length": b"Content-Length", b"transfer-encoding": b"Transfer-Encoding"}
"""The fields that say how long a body is, and what Twisted calls them."""
LINGER = 2
"""Seconds a refused client has to read why, before the connection is cut."""


class Channel(http.HTTPChannel):
    """Reads requests from one connection, one after the other."""

    transport: Any
    requestFactory: Any = Request

    def __init__(self, factory: "Factory") -> None:
        super().__init__()
        self.factory = factory
        self.options = factory.server.options
        self.timeOut = None  # Twisted's own timer: every byte would restart it
        self.refused = False
        self.reading = False
        self.body_since = 0.0
        self.deadline: float | None = None

    def connectionMade(self) -> None:
        self._networkProducer = self.transport  # as in Twisted's, but for an option that the listening socket has set
        self.transport.registerProducer(self, True)
        self.factory.opened(self)
        self.deadline = time.monotonic() + self.options.idle_time

    def connectionLost(self, reason: Any) -> None:
        self.factory.closed(self)
        super().connectionLost(reason)

    def getPeer(self) -> Address:
        return Address(*self.transport.client[:2])

    def getHost(self) -> Address:
        return self.transport.host_address()

    def dataReceived(self, data: bytes) -> None:
        if self.refused:
            return
        if not self.reading:
            self.reading = True
            self.deadline = time.monotonic() + self.options.header_time
        basic.LineReceiver.dataReceived(self, data)

    def headerReceived(self, line: bytes) -> bool:
        self._receivedHeaderCount += 1
        field = field_of(line)
        known = field is not None and (field[0] not in LENGTHS or self.length_known(*field))
        if field is None or not known or self._receivedHeaderCount > self.maxHeaders:
            self._respondToBadRequestAndDisconnect()
            return False
        self.requests[-1].requestHeaders.pairs.append(field)
        return True

    def length_known(self, name: bytes, value: bytes) -> bool:
        """Take the body's length from the field that says it; False where it says it wrongly, or once again."""
        try:
            return bool(self._maybeChooseTransferDecoder(LENGTHS[name], value))
        except ValueError:  # a Content-Length of more digits than Python reads
            return False

    def allHeadersReceived(self) -> None:
        if self.length is not None and self.length > self.options.body_bytes:
            self.refuse_body()
            return
        super().allHeadersReceived()
        self.body_since = time.monotonic()
        self.body_arrived(0)

    def body_arrived(self, size: int) -> None:
        """Give a body more time as it grows."""
        self.deadline = self.body_since + self.options.body_time + size / BODY_RATE

    def allContentReceived(self) -> None:
        if not self.refused:
            self.deadline = None
            super().allContentReceived()

    def checkPersistence(self, request: Any, version: bytes) -> bool:
        if self.factory.server.draining:
            request.responseHeaders.setRawHeaders(b"Connection", [b"close"])
            return False
        return bool(super().checkPersistence(request, version))

    def requestDone(self, request: Any) -> None:
        if self.factory.server.draining:
            self.persistent = False
        self.reading = bool(self._dataBuffer)
        wait = self.options.header_time if self.reading else self.options.idle_time
        self.deadline = time.monotonic() + wait
        super().requestDone(request)

    def check(self, now: float) -> None:
        """Close the connection when its deadline has passed or its peer takes nothing."""
        if self.transport.queued and now > self.transport.moved + self.options.stalled_time:
            self.transport.abortConnection()
        elif self.deadline is not None and now > self.deadline:
            if self.refused:
                self.transport.abortConnection()
            elif self.reading:
                self.refuse(408, "The request took too long to arrive.")
            else:
                self.loseConnection()

    def refuse_body(self) -> None:
        self.refuse(413, f"The request is too large: at most {self.options.body_bytes:,} bytes.")

    def refuse(self, code: int, message: str) -> None:
        """Say no and read nothing more. The peer closes, or `LINGER` does: closing at once could destroy the no."""
        self.refused = True
        access.refused(code, str(self.getPeer().host), message)
        self.deadline = time.monotonic() + LINGER
        self.lineReceived = self.rawDataReceived = lambda data: None  # type: ignore[method-assign]
        self.clearLineBuffer()
        body = error_body(code, message)
        reason = http.RESPONSES.get(code, b"Error")
        head = b"HTTP/1.1 %d %b\r\nContent-Type: application/json\r\nContent-Length: %d\r\nConnection: close\r\n\r\n"
        self.transport.write(head % (code, reason, len(body)) + body)
        self.transport.loseWriteConnection()

    def _respondToBadRequestAndDisconnect(self) -> None:
        if not self.refused:
            self.refuse(400, "This is not a valid HTTP request.")

    def lineLengthExceeded(self, line: bytes) -> None:
        self._respondToBadRequestAndDisconnect()


class Factory(HTTPFactory):
    """Makes the channels and knows those that are open. In place of Twisted's access log there is ours."""

    def __init__(self, server: Any) -> None:
        super().__init__(server)
        self.channels: set[Channel] = set()
        self.empty = asyncio.Event()
        self.empty.set()

    def opened(self, channel: Channel) -> None:
        self.channels.add(channel)
        self.empty.clear()

    def closed(self, channel: Channel) -> None:
        self.channels.discard(channel)
        if not self.channels:
            self.empty.set()

    def buildProtocol(self, addr: Any) -> Channel:
        return Channel(self)

    def startFactory(self) -> None:
        pass

    def stopFactory(self) -> None:
        pass

    def log(self, request: Any) -> None:
        access.answered(request)
