"""One connection: its requests one after the other, its deadlines, and refusals.

`parser.py` reads one request at a time: what arrives while a request is answered is kept unparsed, and the socket is
paused if that is much. A deadline is a number that `check` compares once a second, not a timer; there is none while a
response is being sent.
"""

# Twisted and Daphne carry few types: what is inherited from them is unchecked.
# mypy: disable-error-code="misc, no-untyped-call, override"

import asyncio
import time
from typing import Any

from twisted.internet.interfaces import IHalfCloseableProtocol, IProtocol
from twisted.internet.protocol import ServerFactory
from zope.interface import implementer  # type: ignore[import-untyped]

from wondercam.server import access
from wondercam.server.bodies import BodyRefused
from wondercam.server.errors import refusal
from wondercam.server.options import Options
from wondercam.server.parser import END, Event, Head, Malformed, Parser
from wondercam.server.request import ServedRequest
from wondercam.server.transport import Address

BODY_RATE = 16 * 1024
"""The slowest average rate of a body, in bytes per second, after the time that every body has."""
LINGER = 2
"""Seconds that a refused client has to read the response before the connection is cut."""
COMMENT = b":\n\n"
"""In an event stream, between two events."""
RESET = 0.1
"""Seconds in which most clients that have gone reset their connection."""
LEAVING = 2
"""Seconds after a client's end of file in which its connection shows whether it still reads, or has to be answered."""
UNREAD_BYTES = 16 * 1024
"""Bytes kept while a request is answered before the socket is paused. Up to that it is read, to notice a disconnect."""


@implementer(IProtocol, IHalfCloseableProtocol)
class Channel:
    """A connection to a client, and the push producer of its transport. `requests` has the request being read or
    answered; `is_kept` is set while the connection waits for a further one. There is a parser while one is read."""

    __slots__ = (
        "body_since",
        "deadline",
        "factory",
        "is_answering",
        "is_ending",
        "is_full",
        "is_half_closed",
        "is_kept",
        "is_paused",
        "is_persistent",
        "is_reading",
        "is_refused",
        "parser",
        "requests",
        "transport",
        "unread",
        "was_acknowledged",
    )

    def __init__(self, factory: "Factory") -> None:
        self.factory = factory
        self.transport: Any = None
        self.parser: Parser | None = None
        self.requests: list[ServedRequest] = []
        self.unread = b""
        self.is_reading = self.is_answering = False
        self.is_full = self.is_paused = self.is_refused = self.is_ending = False
        self.is_persistent, self.is_kept, self.is_half_closed = True, False, False
        self.body_since, self.was_acknowledged = 0.0, 0
        self.deadline: float | None = None

    @property
    def options(self) -> Options:
        """The server's options."""
        options: Options = self.factory.server.options
        return options

    def makeConnection(self, transport: Any) -> None:
        self.transport = transport
        transport.registerProducer(self, True)
        self.factory.opened(self)
        self.deadline = time.monotonic() + self.options.idle_time

    def connectionLost(self, reason: Any) -> None:
        self.factory.closed(self)
        for request in self.requests:
            request.lost()

    def readConnectionLost(self) -> None:
        """The client sends no more: it has gone, or has only closed its half, as `nc -N` does, and reads its answer.

        Both look the same until something is sent, which is answered by a reset where it has gone. So an event stream
        is sent a comment, and `check` looks after `LEAVING` seconds; the stream is left at the first reset. Other
        responses are looked at by what of them arrives.
        """
        if self.is_refused or not self.is_answering:
            return self.loseConnection()
        if not self.is_half_closed:
            self.is_half_closed, self.was_acknowledged = True, self.transport.acknowledged
            self.is_persistent = self.is_persistent and bool(self.unread)
            if self.requests[0].is_events:
                self.requests[0].push(COMMENT)
            self.deadline = time.monotonic() + LEAVING
            asyncio.get_running_loop().call_later(RESET, self.check_reset)

    def writeConnectionLost(self) -> None:
        """Nothing to do: `refuse` closed it."""

    def check_reset(self) -> None:
        """Let go of a client whose machine has reset the half-closed connection."""
        if self.is_answering and self.transport.is_reset:
            self.transport.abortConnection()

    # Reading

    def dataReceived(self, data: bytes) -> None:
        if self.is_ending:
            return
        self.unread = self.unread + data if self.unread else data
        if not self.is_reading:
            self.is_reading, self.is_kept = True, False
            self.deadline = time.monotonic() + self.options.header_time
        self.read_on()

    def read_on(self) -> None:
        """Parse what has arrived, up to the end of a request; then pause or resume the socket."""
        while self.unread and not (self.is_answering or self.is_full or self.is_ending):
            data, self.unread = self.unread, b""
            self.parser = self.parser or Parser()
            try:
                events, rest = self.parser.read(data)
                for event in events:
                    self.take(event)
            except Malformed as wrong:
                self.refuse(400, f"This is not a valid HTTP request: {wrong}.")
            except BodyRefused as refused:
                self.refuse(refused.code, refused.message)
            else:
                self.unread = rest
        pause = len(self.unread) > UNREAD_BYTES or (self.is_full and not self.is_answering)
        if pause != self.is_paused and not self.is_ending:
            self.is_paused = pause
            (self.transport.pauseProducing if pause else self.transport.resumeProducing)()

    def take(self, event: Event) -> None:
        """Process one event of the parser. BodyRefused if the body is too large."""
        if isinstance(event, Head):
            self.begin(event)
        elif event is END:
            self.deadline = self.parser = None
            self.is_answering, self.is_ending = True, not self.is_persistent
            self.requests[0].start()
        else:
            self.deadline = self.body_since + self.options.body_time + self.requests[0].take(event) / BODY_RATE

    def begin(self, head: Head) -> None:
        """Begin a request; its headers decide whether the body is read."""
        self.is_persistent = head.is_persistent and not self.factory.server.draining
        request = ServedRequest(self, head)
        self.requests.append(request)
        request.open()
        self.body_since = time.monotonic()
        self.deadline = self.body_since + self.options.body_time
        if head.length != 0 and head.version == "1.1" and head.has(b"expect", b"100-continue"):
            self.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    # What a request calls on its channel

    def peer(self) -> Address:
        """The address of the connection's other end."""
        return Address(*self.transport.client[:2])

    def host(self) -> Address:
        """The address of this end."""
        address: Address = self.transport.host_address()
        return address

    def request_done(self) -> None:
        """Continue with the next request, or close."""
        self.requests.clear()
        self.is_answering = False
        if not self.is_persistent or self.factory.server.draining or (self.is_half_closed and not self.unread):
            self.loseConnection()
            return
        self.is_reading = bool(self.unread)
        self.is_kept = not self.is_reading
        wait = self.options.header_time if self.is_reading else self.options.idle_time
        self.deadline = time.monotonic() + wait
        self.read_on()

    def loseConnection(self) -> None:
        """Close the connection once everything is sent."""
        self.is_ending = True
        self.transport.unregisterProducer()
        self.transport.loseConnection()

    # Backpressure, called by the transport

    def pauseProducing(self) -> None:
        self.is_full = True
        for request in self.requests:
            request.pauseProducing()
        self.read_on()

    def resumeProducing(self) -> None:
        self.is_full = False
        for request in self.requests:
            request.resumeProducing()
        self.read_on()

    def stopProducing(self) -> None:
        self.loseConnection()

    # Deadlines and refusals

    def check(self, now: float) -> None:
        """Close the connection if its deadline has passed or its peer reads nothing."""
        if self.transport.queued and now > self.transport.moved + self.options.stalled_time:
            self.transport.abortConnection()
        elif self.deadline is not None and now > self.deadline:
            if self.is_refused:
                self.transport.abortConnection()
            elif self.is_answering:
                self.leave_or_stay()
            elif self.is_reading:
                self.refuse(408, "The request took too long to arrive.")
            else:
                self.loseConnection()

    def leave_or_stay(self) -> None:
        """Decide about a half-closed connection. Who has gone resets what is sent, so who was sent a comment, or has
        acknowledged more of the response since, still reads; while more is queued, that shows later. Other answers
        cannot be asked about: nobody may read them, and nothing may ever be sent that tells."""
        self.deadline, request = None, self.requests[0]
        is_asked = request.is_events and request.has_begun and request.headers is None
        if self.transport.is_reset:
            self.transport.abortConnection()
        elif not is_asked and self.transport.acknowledged == self.was_acknowledged:
            if self.transport.queued:
                self.deadline = time.monotonic() + LEAVING
            else:
                self.transport.abortConnection()

    def refuse(self, code: int, message: str) -> None:
        """Send an error and read nothing more. The peer closes, or `check` does after `LINGER` seconds: closing at once
        could reset the connection before the error is read."""
        self.is_refused = self.is_ending = True
        access.refused(code, self.peer().host, message)
        self.unread = b""
        for request in self.requests:
            request.release_body()
        self.deadline = time.monotonic() + LINGER
        self.transport.write(refusal(code, message))
        self.transport.loseWriteConnection()


class Factory(ServerFactory):
    """Makes the channels and knows those that are open."""

    noisy = False

    def __init__(self, server: Any) -> None:
        self.server = server
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

    def close_kept(self) -> None:
        """Close idle keep-alive connections. Connections without a request so far may still send one."""
        for channel in list(self.channels):
            if channel.is_kept:
                channel.transport.doRead()  # a request that has arrived already is answered
            if channel.is_kept:
                channel.loseConnection()

    def buildProtocol(self, addr: Any) -> Channel:
        return Channel(self)
