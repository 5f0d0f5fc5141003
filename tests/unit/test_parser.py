"""The reading of requests: the hostile cases of llhttp and h11, each refused where one of the two refuses it.

What is a case and what is right was taken from llhttp's `test/request/*.md` and from h11's `test_io.py`,
`test_headers.py` and `test_against_stdlib_http.py`.
"""

import h11
import pytest
from hypothesis import given
from hypothesis import strategies as some

from wondercam.server.parser import END, FRAMING_BYTES, HEAD_BYTES, MOST_HEADERS, Event, Head, Malformed, Parser

GET = b"GET / HTTP/1.1\r\nHost: a\r\n"
POST = b"POST / HTTP/1.1\r\nHost: a\r\n"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"


def read(data: bytes, size: int = 1 << 20) -> list[Event]:
    """All events of `data`, given to the parser in pieces of that size."""
    parser, found = Parser(), list[Event]()
    for start in range(0, len(data), size):
        rest = data[start : start + size]
        while rest:
            events, rest = parser.read(rest)
            found += events
    return found


def requests(data: bytes, size: int = 1 << 20) -> list[tuple[Head, bytes]]:
    """Each whole request of `data` with its body."""
    found: list[tuple[Head, bytes]] = []
    pieces: list[bytes] = []
    for event in read(data, size):
        if isinstance(event, Head):
            head, pieces = event, []
        elif event is END:
            found.append((head, b"".join(pieces)))
        elif isinstance(event, bytes):
            pieces.append(event)
    return found


REFUSED = {
    # the request line
    "no version": b"GET /\r\n\r\n",
    "HTTP/0.9": b"GET / HTTP/0.9\r\nHost: a\r\n\r\n",
    "HTTP/1.2": b"GET / HTTP/1.2\r\nHost: a\r\n\r\n",
    "HTTP/1.10": b"GET / HTTP/1.10\r\nHost: a\r\n\r\n",
    "HTTP/2.0": b"GET / HTTP/2.0\r\nHost: a\r\n\r\n",
    "HTTP/5.6": b"GET / HTTP/5.6\r\nHost: a\r\n\r\n",
    "the preface of HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "a TLS client hello": bytes.fromhex("16030100c4010000c00303"),
    "http in small letters": b"GET / http/1.1\r\nHost: a\r\n\r\n",
    "IHTTP": b"GET / IHTTP/1.1\r\nHost: a\r\n\r\n",
    "RTSP": b"DESCRIBE / RTSP/1.0\r\nHost: a\r\n\r\n",
    "ICE": b"SOURCE / ICE/1.0\r\nHost: a\r\n\r\n",
    "a method that is none": b"MKCOLA / HTTP/1.1\r\nHost: a\r\n\r\n",
    "a method in small letters": b"get / HTTP/1.1\r\nHost: a\r\n\r\n",
    "a method with a colon": b"G:T / HTTP/1.1\r\nHost: a\r\n\r\n",
    "CONNECT": b"CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n",
    "a space before the method": b" GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    "a tab after the method": b"GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n",
    "two spaces after the method": b"GET  / HTTP/1.1\r\nHost: a\r\n\r\n",
    "two spaces after the target": b"GET /  HTTP/1.1\r\nHost: a\r\n\r\n",
    "a space in the target": b"GET /a b HTTP/1.1\r\nHost: a\r\n\r\n",
    "a space after the version": b"GET / HTTP/1.1 \r\nHost: a\r\n\r\n",
    "words after the version": b"GET / HTTP/1.1 xxxxxx\r\nHost: a\r\n\r\n",
    "NUL in the target": b"GET /\0 HTTP/1.1\r\nHost: a\r\n\r\n",
    "a control character in the target": b"GET /\x01 HTTP/1.1\r\nHost: a\r\n\r\n",
    "DEL in the target": b"GET /\x7f HTTP/1.1\r\nHost: a\r\n\r\n",
    "a target that is not ASCII": "GET /é HTTP/1.1\r\nHost: a\r\n\r\n".encode(),
    "a query that is not ASCII": "GET /?é HTTP/1.1\r\nHost: a\r\n\r\n".encode(),
    "a target without a slash": b"GET a HTTP/1.1\r\nHost: a\r\n\r\n",
    "a target of another scheme": b"GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n",
    "an asterisk for GET": b"GET * HTTP/1.1\r\nHost: a\r\n\r\n",
    "an empty target": b"GET  HTTP/1.1\r\nHost: a\r\n\r\n",
    "two empty lines first": b"\r\n\r\n" + GET + b"\r\n",
    "line feeds first": b"\n\n" + GET + b"\r\n",
    "only line feeds": b"GET / HTTP/1.1\nHost: a\n\n",
    "a line feed after the version": b"GET / HTTP/1.1\nHost: a\r\n\r\n",
    "a carriage return after the version": b"GET / HTTP/1.1\rHost: a\r\n\r\n",
    # header lines
    "no Host": b"GET / HTTP/1.1\r\n\r\n",
    "two Hosts": GET + b"Host: b\r\n\r\n",
    "the same Host twice": GET + b"Host: a\r\n\r\n",
    "a space before the first header": b"GET / HTTP/1.1\r\n Host: a\r\n\r\n",
    "a space before the colon": GET + b"X : y\r\n\r\n",
    "a tab before the colon": GET + b"X\t: y\r\n\r\n",
    "a space in the name": GET + b"X Y: y\r\n\r\n",
    "no name": GET + b": y\r\n\r\n",
    "no colon": GET + b"X\r\n\r\n",
    "an at sign in the name": GET + b"Fo@: y\r\n\r\n",
    "a control character in the name": GET + b"Foo\x01\x0btest: y\r\n\r\n",
    "a name that is not ASCII": GET + b"X\xff: y\r\n\r\n",
    "NUL in the name": GET + b"X\0: y\r\n\r\n",
    "a carriage return in the name": b"GET / HTTP/1.1\r\nHost: a\r\nContent\rLength: 3\r\n\r\nabc",
    "NUL in the value": GET + b"X: a\0b\r\n\r\n",
    "a control character in the value": GET + b"X: a\x01b\r\n\r\n",
    "a vertical tab in the value": GET + b"X: a\x0bb\r\n\r\n",
    "a unit separator in the value": GET + b"X: a\x1fb\r\n\r\n",
    "NEL in the value": GET + b"X: a\x85b\r\n\r\n",
    "a carriage return in the value": GET + b"X: a\rY: b\r\n\r\n",
    "a carriage return after the colon": GET + b"X:\rTransfer-Encoding: chunked\r\n\r\n",
    "a line feed in the value": GET + b"X: a\nTransfer-Encoding: chunked\r\n\r\n",
    "a line feed after the colon": GET + b"X:\nTransfer-Encoding: chunked\r\n\r\n",
    "a value that goes on in the next line": GET + b"X: a\r\n b\r\n\r\n",
    "a name that goes on in the next line": GET + b"X\r\n : b\r\n\r\n",
    "a length that goes on in the next line": POST + b"Content-Length:\r\n 3\r\n\r\nabc",
    "a length under a folded header": POST + b"Foo: bar\r\n Content-Length: 38\r\n\r\n",
    "a coding that goes on in the next line": POST + b"Transfer-Encoding: chunked\r\n  abc\r\n\r\n0\r\n\r\n",
    "a blank line without a line feed": GET + b"\rZGET /evil HTTP/1.1\r\nHost: a\r\n\r\n",
    "Connection with a carriage return": GET + b"Connection: keep\ralive\r\n\r\n",
    "Connection with a space before the colon": GET + b"Connection : close\r\n\r\n",
    # lengths
    "a signed length": POST + b"Content-Length: +3\r\n\r\nabc",
    "a negative length": POST + b"Content-Length: -3\r\n\r\nabc",
    "no length": POST + b"Content-Length:\r\n\r\n",
    "a length of words": POST + b"Content-Length: three\r\n\r\nabc",
    "a length of digits and letters": POST + b"Content-Length: 3x\r\n\r\nabc",
    "a hexadecimal length": POST + b"Content-Length: 0x3\r\n\r\nabc",
    "a length with a space in it": POST + b"Content-Length: 4 2\r\n\r\nabc",
    "a length with a point": POST + b"Content-Length: 3.0\r\n\r\nabc",
    "a length of other digits": "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ３\r\n\r\nabc".encode(),
    "a length of 21 digits": POST + b"Content-Length: 1000000000000000000000\r\n\r\n",
    "a length of 5,000 digits": POST + b"Content-Length: " + b"9" * 5000 + b"\r\n\r\n",
    "a list of lengths": POST + b"Content-Length: 3, 3\r\n\r\nabc",
    "a list of two lengths": POST + b"Content-Length: 1,2\r\n\r\nabc",
    "the same length twice": POST + b"Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc",
    "two lengths": POST + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nabc",
    "a space before the length's colon": POST + b"Content-Length : 3\r\n\r\nabc",
    # transfer codings
    "identity": POST + b"Transfer-Encoding: identity\r\n\r\n",
    "identity beside a length": POST + b"Transfer-Encoding: identity\r\nContent-Length: 3\r\n\r\nabc",
    "a length beside identity": POST + b"Content-Length: 3\r\nTransfer-Encoding: identity\r\n\r\nabc",
    "chunked beside a length": POST + b"Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n",
    "a length beside chunked": POST + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "an empty coding beside a length": POST + b"Content-Length: 3\r\nTransfer-Encoding:\r\n\r\nabc",
    "an empty coding": POST + b"Transfer-Encoding:\r\n\r\n",
    "pigeons": POST + b"Transfer-Encoding: pigeons\r\n\r\n",
    "chunkedchunked": POST + b"Transfer-Encoding: chunkedchunked\r\n\r\n0\r\n\r\n",
    "xchunked": POST + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "chunked not last": POST + b"Transfer-Encoding: chunked, deflate\r\n\r\n0\r\n\r\n",
    "chunked not last, in two lines": POST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: gzip\r\n\r\n0\r\n\r\n",
    "deflate before chunked": POST + b"Transfer-Encoding: deflate, chunked\r\n\r\n0\r\n\r\n",
    "deflate before chunked, in two lines": POST
    + b"Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "chunked twice": POST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "chunked twice in a line": POST + b"Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
    "chunked with a parameter": POST + b"Transfer-Encoding: chunked;a=b\r\n\r\n0\r\n\r\n",
    "chunked in quotes": POST + b'Transfer-Encoding: "chunked"\r\n\r\n0\r\n\r\n',
    "chunked after a vertical tab": POST + b"Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n",
    "chunked in HTTP/1.0": b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    # chunks
    "no size": CHUNKED + b"\r\nabc\r\n0\r\n\r\n",
    "a size of words": CHUNKED + b"three\r\nabc\r\n0\r\n\r\n",
    "a signed size": CHUNKED + b"+3\r\nabc\r\n0\r\n\r\n",
    "a negative size": CHUNKED + b"-3\r\nabc\r\n0\r\n\r\n",
    "a size with a prefix": CHUNKED + b"0x3\r\nabc\r\n0\r\n\r\n",
    "a size with an underscore": CHUNKED + b"3_0\r\nabc\r\n0\r\n\r\n",
    "a size that is too large": CHUNKED + b"fffffffffffffffff\r\nabc\r\n0\r\n\r\n",
    "a space before the size": CHUNKED + b" 3\r\nabc\r\n0\r\n\r\n",
    "a space after the size": CHUNKED + b"3 \r\nabc\r\n0\r\n\r\n",
    "a line feed after the size": CHUNKED + b"3\nabc\r\n0\r\n\r\n",
    "a carriage return after the size": CHUNKED + b"3\rabc\r\n0\r\n\r\n",
    "two carriage returns after the size": CHUNKED + b"3\r\r\nabc\r\n0\r\n\r\n",
    "more content than the size": CHUNKED + b"3\r\nabcd\r\n0\r\n\r\n",
    "less content than the size": CHUNKED + b"5\r\nabc\r\n0\r\n\r\n",
    "no line end after the content": CHUNKED + b"3\r\nabc0\r\n\r\n",
    "a line feed after the content": CHUNKED + b"3\r\nabc\n0\r\n\r\n",
    "other letters after the content": CHUNKED + b"3\r\nabc__1a\r\n",
    "an extension without a semicolon": CHUNKED + b"2 erfrferferf\r\naa\r\n0\r\n\r\n",
    "an empty extension": CHUNKED + b"2;\r\naa\r\n0\r\n\r\n",
    "an open quote in an extension": CHUNKED + b'2;a="b\r\naa\r\n0\r\n\r\n',
    "NUL in an extension": CHUNKED + b"2;a=\0\r\naa\r\n0\r\n\r\n",
    "a carriage return in an extension": CHUNKED + b"2;a\rb\r\naa\r\n0\r\n\r\n",
    "a line feed in an extension": CHUNKED + b"2;a\nb\r\naa\r\n0\r\n\r\n",
    "an extension without end": CHUNKED + b"2;" + b"a" * 2 * FRAMING_BYTES,
    "extensions larger than the content": CHUNKED + (b"1;" + b"a" * 100 + b"\r\nx\r\n") * 1000,
    # trailers
    "a trailer without a colon": CHUNKED + b"0\r\nX y\r\n\r\n",
    "a trailer with a space before the colon": CHUNKED + b"0\r\nX : y\r\n\r\n",
    "a trailer that is folded": CHUNKED + b"0\r\nX: y\r\n z\r\n\r\n",
    "a trailer that begins with a space": CHUNKED + b"0\r\n X: y\r\n\r\n",
    "a trailer with NUL": CHUNKED + b"0\r\nX: y\0\r\n\r\n",
    "a trailer with a line feed": CHUNKED + b"0\r\nX: y\n\r\n",
    "a trailer with no name": CHUNKED + b"0\r\n: y\r\n\r\n",
    "a length in the trailer": CHUNKED + b"0\r\nContent-Length: 5\r\n\r\n",
    "a coding in the trailer": CHUNKED + b"0\r\nTransfer-Encoding: chunked\r\n\r\n",
    "trailers without end": CHUNKED + b"0\r\n" + b"X: y\r\n" * 10_000,
    # sizes
    "a line that is too long": GET + b"X: " + b"y" * HEAD_BYTES + b"\r\n\r\n",
    "a target that is too long": b"GET /" + b"y" * HEAD_BYTES + b" HTTP/1.1\r\nHost: a\r\n\r\n",
    "a head that is too large": GET + b"X: y\r\n" * 3000 + b"\r\n",
    "too many headers": GET + b"X:\r\n" * MOST_HEADERS + b"\r\n",
}


@pytest.mark.parametrize("size", [1 << 20, 1], ids=["at once", "byte by byte"])
@pytest.mark.parametrize("data", REFUSED.values(), ids=REFUSED)
def test_what_llhttp_or_h11_refuses_is_refused(data: bytes, size: int):
    with pytest.raises(Malformed) as refused:
        read(data, size)
    assert str(refused.value)


TAKEN = {
    "no body": (GET + b"\r\n", b""),
    "an empty line first": (b"\r\n" + GET + b"\r\n", b""),
    "an empty value": (GET + b"X:\r\n\r\n", b""),
    "a value of blanks": (GET + b"X: \t \r\n\r\n", b""),
    "a value of UTF-8": ("GET / HTTP/1.1\r\nHost: a\r\nX: ä\r\n\r\n".encode(), b""),
    "a length": (POST + b"Content-Length: 3\r\n\r\nabc", b"abc"),
    "a length with zeroes": (POST + b"Content-Length: 003\r\n\r\nabc", b"abc"),
    "a length between blanks": (POST + b"Content-Length:\t 3 \t\r\n\r\nabc", b"abc"),
    "a length in other letters": (POST + b"conTENT-Length: 3\r\n\r\nabc", b"abc"),
    "a body of blank lines": (POST + b"Content-Length: 8\r\n\r\n\r\n\r\n\r\n\r\n", b"\r\n" * 4),
    "chunks": (CHUNKED + b"5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n", b"hello world"),
    "chunks of blank lines": (CHUNKED + b"4\r\n\r\n\r\n\r\n2\r\n\r\n\r\n0\r\n\r\n", b"\r\n" * 3),
    "sizes in any case": (CHUNKED + b"a\r\n0123456789\r\nB\r\n01234567890\r\n000\r\n\r\n", b"012345678901234567890"),
    "chunked in other letters": (POST + b"Transfer-Encoding: cHuNkEd\r\n\r\n3\r\nabc\r\n0\r\n\r\n", b"abc"),
    "extensions": (CHUNKED + b'3;a;b=c;d="e \\" f"\r\nabc\r\n0;g\r\n\r\n', b"abc"),
    "trailers": (CHUNKED + b"3\r\nabc\r\n0\r\nVary: *\r\nContent-Type: text/plain\r\n\r\n", b"abc"),
    "many small chunks": (CHUNKED + b"1\r\nx\r\n" * 5000 + b"0\r\n\r\n", b"x" * 5000),
    "an upgrade that is ignored": (GET + b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n\r\n", b""),
    "its body": (POST + b"Connection: Upgrade\r\nUpgrade: h2c\r\nContent-Length: 3\r\n\r\nabc", b"abc"),
    "its chunks": (
        POST + b"Connection: Upgrade\r\nUpgrade: h2c\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
        b"abc",
    ),
}


@pytest.mark.parametrize("size", [1 << 20, 7, 1], ids=["at once", "by seven", "byte by byte"])
@pytest.mark.parametrize(("data", "body"), TAKEN.values(), ids=TAKEN)
def test_what_both_take_is_read_whole_and_the_next_request_after_it(data: bytes, body: bytes, size: int):
    (_, found), *others = requests(data + (GET + b"\r\n") * 2, size)

    assert found == body
    assert [(head.method, content) for head, content in others] == [(b"GET", b"")] * 2


def test_http_1_0_needs_no_host():
    ((head, _),) = requests(b"GET / HTTP/1.0\r\n\r\n")
    assert (head.version, head.headers) == ("1.0", [])


def test_what_follows_a_request_that_closes_is_not_read():
    events, rest = Parser().read(GET + b"Connection: close\r\n\r\n" + GET)
    assert (events[-1], rest) == (END, GET)


def test_a_head_is_what_was_sent():
    ((head, _),) = requests(b"POST /a%20b?c=d HTTP/1.1\r\nHost: a\r\nX-Twice: 1\r\nx-twice:  2 \t\r\n\r\n")

    assert (head.method, head.path, head.query, head.version) == (b"POST", b"/a%20b", b"c=d", "1.1")
    assert head.headers == [(b"host", b"a"), (b"x-twice", b"1"), (b"x-twice", b"2")]
    assert (head.length, head.is_persistent) == (0, True)


@pytest.mark.parametrize(
    ("target", "path", "query", "host"),
    [
        (b"/", b"/", b"", b"a"),
        (b"//b/c?", b"//b/c", b"", b"a"),
        (b"/b#c?d", b"/b", b"", b"a"),
        (b"/b?c?d#e", b"/b", b"c?d", b"a"),
        (b"http://b:1/c?d#e", b"/c", b"d", b"b:1"),
        (b"HTTPS://b", b"/", b"", b"b"),
        (b"http://b?c", b"/", b"c", b"b"),
    ],
)
def test_a_target_is_a_path_or_names_the_host_itself(target: bytes, path: bytes, query: bytes, host: bytes):
    ((head, _),) = requests(b"GET " + target + b" HTTP/1.1\r\nHost: a\r\n\r\n")
    assert (head.path, head.query, dict(head.headers)[b"host"]) == (path, query, host)


def test_options_may_ask_about_the_server_itself():
    ((head, _),) = requests(b"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n")
    assert head.path == b"*"


@pytest.mark.parametrize(
    ("lines", "persistent"),
    [
        (b"Connection: keep-alive\r\n", True),
        (b"Connection: close\r\n", False),
        (b"Connection: close\t\r\n", False),
        (b"Connection: Close\r\n", False),
        (b"Connection: close,foo\r\n", False),
        (b"Connection: foo ,close\r\n", False),
        (b"Connection: keep-alive, close\r\n", False),
        (b"Connection: foo\r\nConnection: close\r\n", False),
        (b"Connection: closed\r\n", True),
    ],
)
def test_close_among_other_tokens_closes(lines: bytes, persistent: bool):
    head = read(GET + lines + b"\r\n")[0]
    assert isinstance(head, Head)
    assert head.is_persistent is persistent


def test_http_1_0_closes_whatever_it_asks_for():
    head = read(b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")[0]
    assert isinstance(head, Head)
    assert not head.is_persistent


def test_a_token_is_found_in_any_line_of_a_list():
    ((head, _),) = requests(GET + b"Expect: a, 100-Continue\r\nExpect: b\r\n\r\n")
    assert head.has(b"expect", b"100-continue")
    assert not head.has(b"expect", b"continue")
    assert not head.has(b"upgrade", b"websocket")


def accepted_by_h11(data: bytes) -> bool:
    connection = h11.Connection(h11.SERVER)
    try:
        connection.receive_data(data)
        while True:
            event = connection.next_event()
            if isinstance(event, h11.EndOfMessage):
                return True
            if event in (h11.NEED_DATA, h11.PAUSED):
                return False
    except h11.RemoteProtocolError:
        return False


HEADERS = (
    *(b"Content-Length: 3", b"Content-Length:  3 ", b"Content-Length: 3,3", b"Transfer-Encoding: chunked"),
    *(b"Transfer-Encoding: identity", b"Host: b", b"Connection: close", b"X: y", b"X : y", b"X:", b"x\x00: y", b" y"),
)
LINES = some.lists(some.sampled_from(HEADERS), max_size=4)
LINE_ENDS = some.sampled_from([b"\r\n", b"\r\n", b"\r\n", b"\n", b"\r"])
BODIES = some.sampled_from([b"", b"abc", b"3\r\nabc\r\n0\r\n\r\n", b"0\r\nX: y\r\n\r\n", b"3;a\r\nabc\r\n0\r\n\r\n"])


@pytest.mark.slow
@given(LINES, LINE_ENDS, BODIES)
def test_nothing_is_read_that_h11_refuses(lines: list[bytes], line_end: bytes, body: bytes):
    data = b"POST / HTTP/1.1\r\nHost: a\r\n" + b"".join(line + line_end for line in lines) + b"\r\n" + body
    try:
        found = requests(data)
    except Malformed:
        return
    assert not found or accepted_by_h11(data)


def test_a_parser_keeps_nothing_of_a_request_that_it_has_read():
    """Its connection may carry a stream for hours, and there are thousands of them."""
    parser = Parser()
    events, _ = parser.read(POST + b"Authorization: Bearer secret\r\nContent-Length: 6\r\n\r\nsecret")
    assert b"secret" in repr(events).encode()
    assert b"secret" not in repr(vars(parser)).encode()
