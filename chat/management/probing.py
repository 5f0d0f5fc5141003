"""A client of the probe that records the time of every read; each plan has its own connection.

It reads from sockets directly, because the buffers of a client library would affect the measurement. `h2` implements
HTTP/2.
"""

import asyncio
import errno
import os
import re
import socket
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from time import monotonic
from urllib.parse import SplitResult, urlsplit

import h2.config
import h2.connection
import h2.events
import h2.exceptions

from chat.protocol.buffering import Observation, Plan, Read

PIECE = 65536
MARGIN = 6.0
"""Seconds that a run may take beyond its plan: a hop that buffers everything delivers it soon after the end."""

REACH = 6
"""Seconds for a first connection, with the look-up of its name and TLS."""

LARGEST_HEAD = 65536
CUT = (
    OSError,
    EOFError,
    asyncio.IncompleteReadError,
    asyncio.LimitOverrunError,
    h2.exceptions.ProtocolError,
    ValueError,
)


class ProbedSite:
    """The probed site: its URL, the Bearer token to send, and the file of a certificate authority to trust besides the
    system's. Raises OSError for a file that is missing or holds no certificate."""

    def __init__(self, url: str, token: str = "", ca: str = "") -> None:
        self.split: SplitResult = urlsplit(url)
        self.is_https = self.split.scheme == "https"
        self.port = self.split.port or (443 if self.is_https else 80)
        self._token = token or "none"
        # One context per HTTP version, because the context has the offered protocols, and runs are concurrent.
        offers = {"2": ["h2"], "1.1": ["http/1.1"]}
        self._tls = {http: context_of(names, ca) for http, names in offers.items()} if self.is_https else {}

    def path(self, plan: Plan) -> str:
        """Return the probe's path and query for a plan, under the path of the URL."""
        size = f"&size={plan.size}" if plan.size else ""
        return f"{self.split.path.rstrip('/')}/v2/probe?events={plan.events}&gap={plan.gap}{size}"

    def headers(self, plan: Plan) -> list[tuple[str, str]]:
        """Return the request headers of a client that resumes."""
        return [
            ("accept", "text/event-stream"),
            ("accept-encoding", "gzip, deflate" if plan.compressed else "identity"),
            ("authorization", f"Bearer {self._token}"),
            ("cache-control", "no-cache"),
            ("last-event-id", "probe:0"),
            ("user-agent", "wondercam-check-streaming"),
        ]

    def tls(self, http: str) -> ssl.SSLContext | None:
        """Return the TLS context for a version of HTTP ("2" or "1.1"); None for http:// URLs."""
        return self._tls.get(http)


def context_of(protocols: list[str], ca: str = "") -> ssl.SSLContext:
    """Return a TLS context that offers these protocols."""
    context = ssl.create_default_context()
    if ca:
        context.load_verify_locations(ca)
    context.set_alpn_protocols(protocols)
    return context


async def unreachable(address: ProbedSite) -> str:
    """Connect once; returns why nothing answers there, as a sentence, or "" if something does."""
    host = address.split.hostname or ""
    place = f"{host} at port {address.port}"
    try:
        async with asyncio.timeout(REACH):
            await asyncio.get_running_loop().getaddrinfo(host, address.port, type=socket.SOCK_STREAM)
            async with _connected(address, "1.1"):
                return ""
    except (socket.gaierror, UnicodeError) as wrong:  # the latter for labels that are empty or too long
        return f"The name {host} cannot be looked up: {getattr(wrong, 'strerror', None) or wrong}."
    except TimeoutError:
        return f"{place} does not answer within {REACH} s: a firewall drops what is sent, or nothing has that address."
    except ssl.SSLCertVerificationError as wrong:
        return f"The certificate of {place} is refused: {wrong.verify_message}. --ca FILE trusts one more authority."
    except ssl.SSLError as wrong:
        return f"{place} does not speak TLS ({wrong.reason or wrong}): is its address http://…?"
    except OSError as wrong:
        return f"{place} {refused_as(wrong)}."


def refused_as(wrong: OSError) -> str:
    """What a connection failed by: asyncio puts the errors of several addresses into the text of one."""
    codes = [int(code) for code in re.findall(r"\[Errno (\d+)\]", str(wrong))]
    if errno.ECONNREFUSED in codes:
        return "refuses connections: no server runs at that port"
    return f"cannot be reached: {os.strerror(codes[0]) if codes else wrong}"


async def observe(address: ProbedSite, plan: Plan) -> Observation:
    """Run a plan once. Never raises: failures are in the observation's `error`."""
    seen = Observation(plan)
    began = monotonic()

    def ms() -> float:
        return (monotonic() - began) * 1000

    try:
        async with asyncio.timeout(plan.events * plan.gap / 1000 + MARGIN):
            await (_http2 if plan.http == "2" else _http1)(address, plan, seen, ms)
    except TimeoutError:
        seen.error = f"no end came within {ms() / 1000:.0f} s"
    except CUT as wrong:
        seen.error = str(wrong) or type(wrong).__name__
    seen.ended_ms = ms()
    return seen


@asynccontextmanager
async def _connected(
    address: ProbedSite, http: str
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    tls = address.tls(http)
    reader, writer = await asyncio.open_connection(address.split.hostname, address.port, ssl=tls, limit=LARGEST_HEAD)
    try:
        yield reader, writer
    finally:
        writer.transport.abort()


async def _http1(address: ProbedSite, plan: Plan, seen: Observation, ms: Callable[[], float]) -> None:
    async with _connected(address, plan.http) as (reader, writer):
        head = [f"GET {address.path(plan)} HTTP/1.1", f"Host: {address.split.netloc.rpartition('@')[2]}"]
        head += [f"{name}: {value}" for name, value in address.headers(plan)]
        writer.write("\r\n".join([*head, "", ""]).encode("latin-1"))
        raw = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        status, *lines = raw.split("\r\n")
        seen.http, seen.status = status[5:8], int(status.split()[1])
        seen.headers = {
            name.strip().lower(): value.strip() for name, _, value in (x.partition(":") for x in lines) if name
        }
        if seen.headers.get("transfer-encoding", "").lower() == "chunked":
            await _chunks(reader, seen, ms)
        else:
            await _plain(reader, seen, ms)


async def _chunks(reader: asyncio.StreamReader, seen: Observation, ms: Callable[[], float]) -> None:
    while size := int((await reader.readuntil(b"\n")).split(b";")[0].strip(), 16):
        while size:
            data = await reader.read(min(size, PIECE))
            if not data:
                raise EOFError("the connection was closed in the middle of the body")
            seen.reads.append(Read(ms(), data))
            size -= len(data)
        await reader.readuntil(b"\n")


async def _plain(reader: asyncio.StreamReader, seen: Observation, ms: Callable[[], float]) -> None:
    left = int(seen.headers.get("content-length", 1 << 40))
    while left and (data := await reader.read(min(left, PIECE))):
        seen.reads.append(Read(ms(), data))
        left -= len(data)


async def _http2(address: ProbedSite, plan: Plan, seen: Observation, ms: Callable[[], float]) -> None:
    async with _connected(address, "2") as (reader, writer):
        tls = writer.get_extra_info("ssl_object")
        if tls is None or tls.selected_alpn_protocol() != "h2":
            raise ValueError("HTTP/2 is not offered")
        connection = h2.connection.H2Connection(h2.config.H2Configuration(header_encoding="utf-8"))
        connection.initiate_connection()
        asked = [
            (":method", "GET"),
            (":scheme", "https"),
            (":authority", address.split.netloc),
            (":path", address.path(plan)),
        ]
        connection.send_headers(1, [*asked, *address.headers(plan)], end_stream=True)
        writer.write(connection.data_to_send())
        while data := await reader.read(PIECE):
            for event in connection.receive_data(data):
                if _is_the_end(connection, event, seen, ms()):
                    return
            writer.write(connection.data_to_send())
        raise EOFError("the connection was closed in the middle of the body")


def _is_the_end(connection: h2.connection.H2Connection, event: object, seen: Observation, ms: float) -> bool:
    if isinstance(event, h2.events.ResponseReceived):
        fields = {str(name): str(value) for name, value in event.headers or ()}
        seen.http, seen.status, seen.headers = "2", int(fields.pop(":status")), fields
    elif isinstance(event, h2.events.DataReceived):
        seen.reads.append(Read(ms, event.data or b""))
        connection.acknowledge_received_data(event.flow_controlled_length or 0, event.stream_id or 1)
    elif isinstance(event, h2.events.StreamReset | h2.events.ConnectionTerminated):
        raise EOFError("the stream was reset")
    return isinstance(event, h2.events.StreamEnded)


async def offers_http2(address: ProbedSite) -> bool:
    """Whether the site supports HTTP/2 over TLS."""
    if not address.is_https:
        return False
    try:
        async with asyncio.timeout(5), _connected(address, "2") as (_, writer):
            tls = writer.get_extra_info("ssl_object")
            return tls is not None and tls.selected_alpn_protocol() == "h2"
    except (OSError, TimeoutError):
        return False
