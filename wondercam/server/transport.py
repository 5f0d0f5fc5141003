"""The socket: a write goes out at once when nothing is queued before it.

Twisted gathers writes and sends them in the next event-loop iteration; for an event of a stream that
is most of its delay. Here only what the socket does not take is queued, in Twisted's own queue, and
the reactor goes on with it.

This is the only module that uses names which Twisted does not promise. `check_twisted` looks at the start whether they
are there; `requirements.in` holds the versions that were tried.

    FileDescriptor._tempDataLen, _writeDisconnected      what is queued, whether we have closed: a write would overtake
                                                         what waits, or go to a closed socket
    Port._fromListeningDescriptor                        a port of our class on the workers' common socket: none would
                                                         be opened
    AsyncioSelectorReactor._asyncioEventloop, _readers,  events without Twisted's log: no connection would be read
    _readOrWrite
"""

# Twisted and Daphne carry few types: what is inherited from them is unchecked.
# mypy: disable-error-code="misc, no-untyped-call, override"

import socket
import sys
import time
from collections.abc import Iterable
from contextlib import suppress
from typing import Any, NamedTuple

from django.core.exceptions import ImproperlyConfigured
from twisted import version as twisted_version  # type: ignore[attr-defined]
from twisted.internet import tcp
from twisted.internet.abstract import FileDescriptor
from twisted.internet.asyncioreactor import AsyncioSelectorReactor
from twisted.internet.main import CONNECTION_LOST

TRIED = (26, 26)
"""The first and the last major version of Twisted whose private names were tested."""
BACKLOG = 1024
UNSENT = 128 * 1024
"""The most unsent bytes of a connection in the kernel's buffer, so that a client that stopped reading does not hold
megabytes there."""

ACKNOWLEDGED = slice(120, 128)
"""Where Linux has `tcpi_bytes_acked` in its `struct tcp_info`."""


class Address(NamedTuple):
    """One end of a connection."""

    host: str
    port: int


class Transport(tcp.Server):
    """A connection's socket. `moved` is the monotonic time when it last accepted queued bytes."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.moved = 0.0
        self.held: list[bytes] | None = None
        self.host: Address | None = None

    @property
    def queued(self) -> int:
        """Bytes that wait in this process for the peer to read."""
        return len(self.dataBuffer) - self.offset + self._tempDataLen

    @property
    def is_reset(self) -> bool:
        """Whether the peer, or its machine, has reset the connection: asked once, since the kernel forgets it."""
        return not self.connected or bool(self.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR))

    @property
    def acknowledged(self) -> int:
        """Bytes that the peer's machine has acknowledged, modulo 2^64; always 0 where the kernel does not tell."""
        try:
            info = self.socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, ACKNOWLEDGED.stop)
        except (OSError, AttributeError):
            return 0
        return int.from_bytes(info[ACKNOWLEDGED], sys.byteorder)

    def doRead(self) -> Any:
        """As Twisted's, but a connection that was reset behind its last bytes is lost: uvloop tells of an error once,
        by one call for these bytes, and watches the socket no more."""
        why = super().doRead()
        if why is None and self.connected and self.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            return CONNECTION_LOST
        return why

    def write(self, data: bytes) -> None:
        if self.held is not None:
            self.held.append(data)
        elif self.dataBuffer or self._tempDataLen:
            super().write(data)
        elif data and self.connected and not self._writeDisconnected:
            try:
                sent = self.socket.send(data)
            except BlockingIOError:
                sent = 0
            except OSError:  # nobody else may notice: see `doRead`
                self.abortConnection()
                return
            if sent < len(data):
                self.moved = time.monotonic()
                super().write(data[sent:])

    def writeSequence(self, iovec: Iterable[bytes]) -> None:
        self.write(b"".join(iovec))

    def writeSomeData(self, data: bytes) -> int | BaseException:
        sent = super().writeSomeData(data)
        if isinstance(sent, int) and sent > 0:
            self.moved = time.monotonic()
        return sent

    def hold(self) -> None:
        """Hold writes until `release`, so that a response's headers and its first chunk are one system call."""
        self.held = []

    def release(self) -> None:
        data, self.held = b"".join(self.held or ()), None
        self.write(data)

    def host_address(self) -> Address:
        """Return the local address, which is read from the kernel once per connection."""
        if self.host is None:
            self.host = Address(*self.socket.getsockname()[:2])
        return self.host


class Port(tcp.Port):
    """The listening socket. At most `most` connections are accepted in one event-loop iteration."""

    transport: Any = Transport
    most = 100

    @classmethod
    def on(cls, listener: socket.socket, factory: Any, reactor: Any) -> "Port":
        """Return a port for a socket that is already listening."""
        port: Port = cls._fromListeningDescriptor(reactor, listener.fileno(), listener.family, factory)
        return port

    def doRead(self) -> None:
        self.numberAccepts = self.most  # Twisted increases it with each connection
        super().doRead()


class Reactor(AsyncioSelectorReactor):
    """Twisted's reactor on an asyncio loop, whose callbacks the loop calls directly.

    Twisted's own wraps each event in a logging context: ten calls for a log that is not used.
    """

    def addReader(self, reader: Any) -> None:
        if reader in self._readers:
            return
        descriptor = reader.fileno()
        try:
            self._asyncioEventloop.add_reader(descriptor, self._readOrWrite, reader, True)
        except OSError:  # not a socket: Twisted handles it
            super().addReader(reader)
        else:
            self._readers[reader] = descriptor


def check_twisted(version: Any = twisted_version) -> None:
    """Raise ImproperlyConfigured if the installed Twisted is not a tested version, or lacks a name that is used
    here."""
    nobody: Any = object()
    needed = [
        (FileDescriptor(nobody), ("dataBuffer", "offset", "_tempDataLen", "_writeDisconnected")),
        (tcp.Port, ("_fromListeningDescriptor",)),
        (AsyncioSelectorReactor, ("_readOrWrite",)),
    ]
    missing = [name for owner, names in needed for name in names if not hasattr(owner, name)]
    if TRIED[0] <= version.major <= TRIED[1] and not missing:
        return
    why = f"has no {', '.join(missing)}" if missing else "was never tried"
    raise ImproperlyConfigured(
        f"Twisted {version.short()} {why}, and the server relies on its inside: install what requirements.txt locks."
    )


def listening_socket(host: str, port: int, unacknowledged: int = 120) -> socket.socket:
    """Return a listening socket for all workers; accepted connections inherit its options. Raises OSError, and
    UnicodeError if the host is no name that DNS could have.

    The kernel closes a connection whose peer acknowledges nothing for `unacknowledged` seconds; its default is a
    quarter of an hour.
    """
    host.encode("idna")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.create_server((host, port), family=family, backlog=BACKLOG)
    listener.setblocking(False)
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    with suppress(OSError, AttributeError):  # not all systems support them
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, UNSENT)
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, unacknowledged * 1000)
    return listener
