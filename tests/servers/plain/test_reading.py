"""How requests arrive: refusals on the wire, one after the other, in pieces, more than one at once."""

import json
import socket
import time

import pytest

from tests.servers.plain.conftest import Serve
from tests.servers.plain.site import Site
from tests.unit.test_parser import REFUSED
from wondercam.server.channel import LEAVING

MIB = 1024 * 1024
HELLO = b"GET /hello HTTP/1.1\r\nHost: a\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\n"


@pytest.mark.parametrize("data", [data for data in REFUSED.values() if b"\r\n\r\n" in data][::3])
def test_what_is_no_request_is_refused_and_the_connection_closed(site: Site, data: bytes) -> None:
    client = site.connect().write(data)
    status, headers, body = client.answer()
    assert (status, headers["connection"]) == (400, "close")
    assert json.loads(body)["error"]["message"].startswith("This is not a valid HTTP request")
    assert client.read_to_close() == b""


def test_a_request_before_one_that_is_none_is_answered_first(site: Site) -> None:
    client = site.connect().write(HELLO + b"GET  / HTTP/1.1\r\nHost: a\r\n\r\n" + HELLO)
    assert client.answer()[2] == b"hello"
    assert client.answer()[0] == 400
    assert client.read_to_close() == b""


def test_a_hidden_request_in_a_body_is_body(site: Site) -> None:
    hidden = b"POST /scope HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % len(HELLO) + HELLO
    client = site.connect().write(hidden + HELLO)
    assert json.loads(client.answer()[2])["body"] == len(HELLO)
    assert client.answer()[2] == b"hello"


def test_a_body_that_comes_later_is_awaited_where_the_connection_closes_after_it(site: Site) -> None:
    client = site.connect().ask("/scope", "Content-Length: 6", "Connection: close", method="POST")
    for piece in (b"abc", b"def"):
        client.write(piece)
    assert json.loads(client.answer()[2])["body"] == 6
    assert client.read_to_close() == b""


def test_after_close_among_other_tokens_no_request_is_answered(site: Site) -> None:
    client = site.connect().write(b"GET /hello HTTP/1.1\r\nHost: a\r\nConnection: close,foo\r\n\r\n" + HELLO)
    status, headers, body = client.answer()
    assert (status, headers["connection"], body) == (200, "close", b"hello")
    assert client.read_to_close() == b""


def test_an_upgrade_to_another_protocol_is_ignored_and_its_body_read(site: Site) -> None:
    upgrade = ("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA")
    client = site.connect().ask("/scope", *upgrade, method="POST", body=b"abc").ask("/hello")
    assert json.loads(client.answer()[2])["body"] == 3
    assert client.answer()[2] == b"hello"


def test_permission_to_send_is_given_only_where_the_body_will_be_read(site: Site) -> None:
    client = site.connect().ask("/scope", "Content-Length: 3", "Expect: 100-continue", method="POST")
    assert client.read_until(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
    assert json.loads(client.write(b"abc").answer()[2])["body"] == 3


def test_a_thousand_requests_at_once_are_answered_in_order(site: Site) -> None:
    client = site.connect()
    paths = [b"/hello", b"/chunked"] * 500
    client.write(b"".join(b"GET %b HTTP/1.1\r\nHost: a\r\n\r\n" % path for path in paths))
    for path in paths:
        head = client.read_until(b"\r\n\r\n")
        assert (b"chunked" in head) == (path == b"/chunked")
        client.read_until(b"0\r\n\r\n" if path == b"/chunked" else b"hello")


def test_what_a_client_sends_during_a_response_is_not_held_without_end(serve: Serve) -> None:
    site = serve()
    streaming = site.streams(1)[0]
    before = site.state["resident"]
    streaming.socket.settimeout(1)
    with pytest.raises(TimeoutError):
        streaming.write(HELLO * (64 * MIB // len(HELLO)))
    assert site.state["resident"] - before < 4 * MIB


def test_the_address_may_be_absolute(site: Site) -> None:
    client = site.connect().ask("http://chat.example:1/scope?a=b#c")
    scope = json.loads(client.answer()[2])
    assert (scope["path"], scope["query_string"]) == ("/scope", "b'a=b'")
    assert [value for name, value in scope["headers"] if name == "host"] == ["chat.example:1"]


@pytest.mark.parametrize("path", ["/hello", "/scope"])
def test_a_client_that_resets_behind_its_request_keeps_no_connection(serve: Serve, path: str) -> None:
    """The event loop tells of the request and of the reset by one call, and of nothing behind it."""
    site = serve(idle_time=90)
    for _ in range(20):
        site.connect().ask(path, "Content-Length: 3" if path == "/scope" else "X: y").reset()
    site.becomes(open=1)
    assert "escaped" not in site.process.log


def test_a_half_closed_client_that_reads_slowly_gets_the_rest(serve: Serve) -> None:
    """Neither the one whose buffers are full, nor the one that waits for the end of what it has begun to read."""
    site = serve()
    slow, waiting = site.connect(4096).ask("/flood?megabytes=4&chunk=16384"), site.connect().ask("/stream")
    for client in (slow, waiting):
        client.socket.shutdown(socket.SHUT_WR)
    waiting.read_until(b"one\r\n")
    time.sleep(LEAVING + 0.5)  # it is looked at once in this time
    assert slow.read_to_close().count(b"x") == 4 * MIB
    site.process.terminate()
    assert b"last" in waiting.read_to_close()
