"""A connection's bytes as requests: what llhttp makes of them, and where h11 is stricter, as h11 does. No I/O.

    read(data) -> events, rest     Head, then pieces of the body, then END; `rest` belongs to the next request

llhttp (by httptools) reads the bytes. It is fed up to the end of one request at a time, which it does not tell: a
counted body's end is known, and every other end is a `CRLF CRLF`. What neither RFC 9112 nor h11 allows and llhttp does
is refused here: another number of Host headers than one, two spaces in the request line, versions other than 1.0 and
1.1, transfer codings other than `chunked`. `tests/unit/test_parser.py` has the hostile cases of both.
"""

import re
from enum import Enum
from typing import NamedTuple

import httptools
from daphne.utils import INVALID_HEADER_VALUE_BYTES

HEAD_BYTES = 16 * 1024
"""The largest request line and headers together."""
MOST_HEADERS = 500
FRAMING_BYTES = 16 * 1024
"""What chunk sizes, chunk extensions and trailers may take beside `FRAMING_SHARE` bytes for each byte of the body."""
FRAMING_SHARE = 8

BLANK_LINE = b"\r\n\r\n"
REQUEST_LINE = re.compile(rb"(?:\r\n)?[!#$%&'*+.^_`|~0-9A-Za-z-]+ [!-~]+ HTTP/1\.[01]\r\n")
"""RFC 9112, 3; one empty line before it is allowed (2.2)."""
ABSOLUTE = re.compile(rb"https?://([^/?#]+)([^?#]*)(?:\?([^#]*))?", re.IGNORECASE)
"""An absolute-form target (RFC 9112, 3.2.2): authority, path, query."""
UNCLEAN = re.compile(b"[%b]" % re.escape(bytes(sorted(INVALID_HEADER_VALUE_BYTES))))
"""Characters by which another program might see a line's end in a header's value; llhttp allows NEL."""

Header = tuple[bytes, bytes]
"""Its name in small letters, and its value."""


class Malformed(Exception):
    """These bytes are no request that can be answered; the reason, without a full stop."""


class End(Enum):
    """The end of a request."""

    END = "end"


END = End.END


class Head(NamedTuple):
    """The request line and headers of one request."""

    method: bytes
    path: bytes
    query: bytes
    version: str
    """`1.0` or `1.1`."""
    headers: list[Header]
    length: int | None
    """Bytes of the body; None where it is chunked."""
    is_persistent: bool
    """Whether another request may follow on the connection."""

    def has(self, name: bytes, token: bytes) -> bool:
        """Whether a comma list by that name has that token (both in small letters)."""
        values = b",".join([value for key, value in self.headers if key == name])
        return bool(values) and token in [item.strip(b" \t") for item in values.lower().split(b",")]


Event = Head | bytes | End


class Parser:
    """Reads one connection; httptools calls its `on_…` methods."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.llhttp = httptools.HttpRequestParser(self)
        self.is_muted = False
        self.begin()

    def begin(self) -> None:
        """Be ready for the next request."""
        self.head: Head | None = None
        self.raw = self.target = self.tail = b""
        self.headers: list[Header] = []
        self.body_bytes = self.received = 0

    def read(self, data: bytes) -> tuple[list[Event], bytes]:
        """The events of `data` up to the end of a request, and what is left after it. Malformed ends the connection."""
        start = 0
        while start < len(data) and (not self.events or self.events[-1] is not END):
            end = self.end_of_piece(data, start)
            self.take(data[start:end])
            start = end
        events, self.events = self.events, []  # not kept: a connection may be open for hours
        return events, data[start:]

    def end_of_piece(self, data: bytes, start: int) -> int:
        """How far to feed llhttp, so that no piece reaches beyond a request's end."""
        if self.head is not None and self.head.length is not None:
            return min(start + self.head.length - self.body_bytes, len(data))
        if not start and self.tail:
            found = (self.tail + data[:3]).find(BLANK_LINE)
            if found >= 0:
                return found + len(BLANK_LINE) - len(self.tail)
        found = data.find(BLANK_LINE, start)
        return found + len(BLANK_LINE) if found >= 0 else len(data)

    def take(self, piece: bytes) -> None:
        """Give llhttp one piece."""
        self.tail = (self.tail + piece)[-3:]
        if self.head is None:
            self.raw += piece
            if len(self.raw) > HEAD_BYTES:
                raise Malformed(f"the request line and headers have more than {HEAD_BYTES:,} bytes")
        self.received += len(piece)
        try:
            self.llhttp.feed_data(piece)
        except httptools.HttpParserUpgrade:
            self.ignore_upgrade()
        except httptools.HttpParserCallbackError as failed:
            raise failed.__context__ or failed from None
        except httptools.HttpParserError as wrong:
            raise Malformed(str(wrong)) from None
        if self.head is not None and self.received - self.body_bytes > FRAMING_BYTES + FRAMING_SHARE * self.body_bytes:
            raise Malformed("the chunks of the body have more framing than content")

    def ignore_upgrade(self) -> None:
        """Read the request's body all the same: llhttp takes what follows an Upgrade for another protocol.

        So another parser goes on, which was told of the body and not of the Upgrade.
        """
        assert self.head is not None
        self.llhttp = httptools.HttpRequestParser(self)
        if self.head.length == 0:
            self.is_muted = False
            self.on_message_complete()
            return
        framing = (
            b"Transfer-Encoding: chunked" if self.head.length is None else b"Content-Length: %d" % self.head.length
        )
        self.llhttp.feed_data(b"POST / HTTP/1.1\r\nHost: a\r\n%b\r\n\r\n" % framing)
        self.is_muted = False

    # What llhttp calls

    def on_url(self, url: bytes) -> None:
        self.target += url

    def on_header(self, name: bytes, value: bytes) -> None:
        if self.head is not None:
            return  # a trailer
        if len(self.headers) == MOST_HEADERS:
            raise Malformed(f"it has more than {MOST_HEADERS} headers")
        self.headers.append((name.lower(), value.strip(b" \t")))

    def on_headers_complete(self) -> None:
        if self.is_muted:
            return
        if not REQUEST_LINE.match(self.raw):
            raise Malformed("Invalid request line")
        keeps_alive = self.llhttp.get_http_version() == "1.1" and self.llhttp.should_keep_alive()
        self.head = head_of(
            self.llhttp.get_method(), self.target, self.llhttp.get_http_version(), self.headers, keeps_alive
        )
        self.is_muted = self.llhttp.should_upgrade()
        self.received = 0
        self.raw = b""
        self.events.append(self.head)

    def on_body(self, piece: bytes) -> None:
        self.body_bytes += len(piece)
        self.events.append(piece)

    def on_message_complete(self) -> None:
        if not self.is_muted:
            self.events.append(END)
            self.begin()


def head_of(method: bytes, target: bytes, version: str, headers: list[Header], is_persistent: bool) -> Head:
    """The head, where llhttp found nothing wrong with it and neither RFC 9112 nor h11 does."""
    if UNCLEAN.search(b" ".join([value for _, value in headers])):
        raise Malformed("Invalid header value")
    hosts, codings, lengths = (
        [value for name, value in headers if name == sought]
        for sought in (b"host", b"transfer-encoding", b"content-length")
    )
    if len(hosts) > 1 or (version == "1.1" and not hosts):
        raise Malformed("Missing Host" if not hosts else "Duplicate Host")
    if codings and (version != "1.1" or [coding.lower() for coding in codings] != [b"chunked"]):
        raise Malformed("Transfer-Encoding must be chunked, in HTTP/1.1")
    if method == b"CONNECT":
        raise Malformed("CONNECT is for proxies")
    if absolute := ABSOLUTE.match(target):
        headers = [(b"host", absolute[1]), *(header for header in headers if header[0] != b"host")]
        path, query = absolute[2] or b"/", absolute[3] or b""
    elif target.startswith(b"/") or (target == b"*" and method == b"OPTIONS"):
        path, _, query = target.partition(b"#")[0].partition(b"?")
    else:
        raise Malformed("Invalid request target")
    length = None if codings else int(lengths[0]) if lengths else 0
    return Head(method, path, query, version, headers, length, is_persistent)
