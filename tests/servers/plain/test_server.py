"""The server: requests and responses, limits, failures, back-pressure and threads."""

import json
import signal
from typing import Any

import pytest

from tests.servers.plain.conftest import Serve
from tests.servers.plain.site import Client, Site
from wondercam.handler import EXECUTORS

MIB = 1024 * 1024


# Requests and responses


def test_answers_come_one_after_the_other_on_one_connection(site: Site) -> None:
    client = site.connect()
    for _ in range(3):
        assert client.ask("/hello").answer()[2] == b"hello"


def test_requests_sent_at_once_are_answered_in_order(site: Site) -> None:
    client = site.connect().write(
        b"".join(b"GET %b HTTP/1.1\r\nHost: a\r\n\r\n" % path for path in (b"/hello", b"/scope", b"/hello"))
    )
    assert [len(client.answer()[2]) > 5 for _ in range(3)] == [False, True, False]


def test_a_body_without_length_is_chunked_and_ends(site: Site) -> None:
    client = site.connect().ask("/chunked")
    assert client.read_until(b"0\r\n\r\n").endswith(b"\r\n\r\n5\r\nhello\r\n0\r\n\r\n")


def test_a_large_body_arrives_whole(site: Site) -> None:
    assert site.get("/large")[2] == b"0123456789" * 100_000


def test_head_has_no_body(site: Site) -> None:
    client = site.connect().ask("/large", method="HEAD").ask("/hello")
    assert b"content-length: 1000000" in client.read_until(b"\r\n\r\n")
    assert client.answer()[2] == b"hello"


def test_an_event_arrives_before_the_next_is_made(site: Site) -> None:
    site.streams(1)


def test_the_server_does_not_name_itself(site: Site) -> None:
    assert "server" not in site.get("/hello")[1]


def test_a_client_cannot_set_the_root_path(site: Site) -> None:
    scope = site.json("/scope", "Daphne-Root-Path: //evil.example")
    assert scope["root_path"] == ""
    assert "daphne-root-path" not in dict(scope["headers"])


def test_forwarding_headers_of_a_stranger_are_dropped(site: Site) -> None:
    scope = site.json("/scope", "X-Forwarded-For: 203.0.113.9", "X-Forwarded-Proto: https", "X-Real-IP: 203.0.113.9")
    assert (scope["client"][0], scope["scheme"]) == ("127.0.0.1", "http")
    assert [name for name, _ in scope["headers"]] == ["host"]


def test_a_trusted_proxy_says_who_called(serve: Serve) -> None:
    site = serve(proxies="127.0.0.0/8")
    scope = site.json("/scope", "X-Forwarded-For: 198.51.100.1, 203.0.113.9", "X-Forwarded-Proto: https")
    assert (scope["client"][0], scope["scheme"]) == ("203.0.113.9", "https")


def test_a_header_with_an_underscore_is_dropped(site: Site) -> None:
    assert "x_user" not in dict(site.json("/scope", "X_User: admin")["headers"])


def test_websockets_are_refused(site: Site) -> None:
    status, _, body = site.get("/hello", "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13")
    assert (status, json.loads(body)["error"]["status"]) == (501, "UNIMPLEMENTED")


# Limits on what arrives


def refusal(client: Client) -> dict[str, Any]:
    """The error of a refused request, whose connection then ends."""
    status, headers, body = client.answer()
    assert client.read_to_close() == b""
    assert headers["connection"] == "close"
    error: dict[str, Any] = json.loads(body)["error"]
    assert error["code"] == status
    return error


def test_a_body_that_says_it_is_too_large_is_refused_before_it_comes(site: Site) -> None:
    client = site.connect().ask("/scope", "Content-Length: 100001", method="POST")
    assert (error := refusal(client))["status"] == "INVALID_ARGUMENT"
    assert error["code"] == 413


def test_a_body_that_waits_for_permission_is_refused_instead(site: Site) -> None:
    client = site.connect().ask("/scope", "Content-Length: 100001", "Expect: 100-continue", method="POST")
    assert refusal(client)["code"] == 413


def test_a_chunked_body_is_refused_as_soon_as_it_is_too_large(site: Site) -> None:
    client = site.connect().ask("/scope", "Transfer-Encoding: chunked", method="POST")
    client.write(b"186a0\r\n" + b"x" * 100_000 + b"\r\n").write(b"1\r\nx\r\n")
    assert refusal(client)["code"] == 413


def test_a_refused_client_that_sends_everything_first_still_reads_why(site: Site) -> None:
    client = site.connect().ask("/scope", method="POST", body=b"x" * 3 * MIB)
    assert client.answer()[0] == 413


def test_a_body_of_the_largest_size_is_taken(site: Site) -> None:
    client = site.connect().ask("/scope", method="POST", body=b"x" * 100_000)
    assert json.loads(client.answer()[2])["body"] == 100_000


def test_nonsense_is_refused(site: Site) -> None:
    assert refusal(site.connect().write(b"nonsense\r\n\r\n"))["code"] == 400


@pytest.mark.parametrize("line", ["Content-Length: -1", "Content-Length: " + "9" * 5000, "Transfer-Encoding: gzip"])
def test_a_length_that_cannot_be_is_refused(site: Site, line: str) -> None:
    client = site.connect().ask("/hello", line)
    assert client.read_to_close()[:12] in (b"HTTP/1.1 400", b"HTTP/1.1 413")
    assert site.get("/hello")[0] == 200


def test_more_headers_than_anybody_needs_are_refused(site: Site) -> None:
    few, many = ([f"a{number}: b" for number in range(count)] for count in (400, 600))
    assert site.get("/hello", *few)[0] == 200
    assert site.get("/hello", *many)[0] == 400


def test_headers_of_one_name_stay_several_in_their_order(site: Site) -> None:
    seen = json.loads(site.get("/scope", "X-Twice: b", "x-twice: a")[2])
    assert [value for name, value in seen["headers"] if name == "x-twice"] == ["b", "a"]


def test_headers_that_trickle_are_refused(site: Site) -> None:
    client = site.connect().write(b"GET /hello HTTP/1.1\r\nX: ")
    assert refusal(client)["code"] == 408


def test_a_body_that_trickles_is_refused(serve: Serve) -> None:
    site = serve(body_time=0.2)
    client = site.connect().ask("/scope", "Content-Length: 10", method="POST").write(b"x")
    assert refusal(client)["code"] == 408


def test_an_idle_connection_is_closed(serve: Serve) -> None:
    site = serve(idle_time=0.2)
    client = site.connect().ask("/hello")
    client.answer()
    assert client.read_to_close() == b""


def test_a_silent_stream_outlives_every_deadline(serve: Serve) -> None:
    site = serve(idle_time=0.1, header_time=0.1, body_time=0.1, stalled_time=0.1)
    streaming = site.streams(1)[0]
    idle = site.connect()
    assert idle.read_to_close() == b""
    site.process.popen.send_signal(signal.SIGTERM)
    assert streaming.read_until(b"0\r\n\r\n") == b"4\r\nlast\r\n0\r\n\r\n"


# What goes wrong in the application


def test_an_exception_before_the_response_is_an_error_of_ours(site: Site) -> None:
    client = site.connect().ask("/raise")
    assert (error := json.loads(client.answer()[2])["error"])["status"] == "INTERNAL"
    assert "before anything" not in error["message"]
    assert client.ask("/hello").answer()[2] == b"hello"


@pytest.mark.parametrize(
    "path", ["/raise-in-body", "/raise-in-counted-body", "/forget", "/django/broken", "/django/api/broken"]
)
def test_an_exception_in_the_body_cuts_the_connection(site: Site, path: str) -> None:
    received = site.connect().ask(path).read_to_close()
    assert b"one" in received
    assert not received.endswith(b"0\r\n\r\n")


def test_a_push_is_refused_before_the_body_and_by_a_reader_that_is_behind(serve: Serve) -> None:
    site = serve()
    site.connect().ask("/push")
    site.becomes(paused=1)
    assert 0 < site.state["pushed"] < 200  # of a thousand pieces of 64 KiB


def test_nothing_is_pushed_into_a_body_that_a_middleware_encodes(serve: Serve) -> None:
    site = serve()
    site.connect().ask("/push/encoded").read_until(b"one\r\n")
    assert site.state["pushed"] == 0


def test_no_header_of_a_stream_can_begin_another(site: Site) -> None:
    assert b"set-cookie" not in site.connect().ask("/split").read_to_close()


def test_an_old_client_without_chunks_sees_a_cut_too(site: Site) -> None:
    client = site.connect().write(b"GET /raise-in-body HTTP/1.0\r\n\r\n")
    with pytest.raises(ConnectionResetError):
        client.read_to_close()


def test_after_an_exception_connections_are_still_reaped_and_disconnects_still_seen(serve: Serve) -> None:
    site = serve()
    for path in ("/raise-in-body", "/django/broken", "/django/api/broken", "/raise"):
        site.connect().ask(path).read_until(b"\r\n\r\n")
    for client in site.streams(5) + site.streams(5, "/django/stream") + site.streams(5, "/django/api/stream"):
        client.close()
    site.becomes(streams=0, cancelled=5)
    for client in site.clients:
        client.close()
    site.becomes(open=1, tracked=1)


def test_a_disconnect_ends_a_stream_at_once(serve: Serve) -> None:
    site = serve(tick=3600)
    site.streams(1)[0].reset()
    site.becomes(streams=0, tracked=1)


def test_an_application_that_does_not_hear_of_a_disconnect_is_cancelled(serve: Serve) -> None:
    site = serve(close_time=0.1)
    site.connect(4096).ask("/deaf").close()
    site.becomes(cancelled=1, tracked=1)


# Pauses


def test_a_stream_that_has_nothing_to_send_has_no_task(serve: Serve) -> None:
    site = serve()
    tasks = site.state["tasks"]
    clients = site.streams(10, "/django/api/pausing")
    site.becomes(tasks=tasks, streams=10)
    assert site.get("/wake")[2] == b"woken"
    for client in clients:
        assert client.read_until(b"\r\n0\r\n\r\n") == b"3\r\ntwo\r\n0\r\n\r\n"
    site.becomes(streams=0, views_closed=10, tracked=1)


def test_a_page_goes_past_its_pauses(serve: Serve) -> None:
    site = serve()
    (client,) = site.streams(1, "/django/pausing")
    assert site.get("/wake")[2] == b"woken"
    client.read_until(b"3\r\ntwo\r\n0\r\n\r\n")
    site.becomes(streams=0, views_closed=1, tracked=1)


def test_a_stream_without_a_task_is_closed_when_its_reader_goes(serve: Serve) -> None:
    site = serve()
    site.streams(1, "/django/api/pausing")[0].reset()
    site.becomes(streams=0, views_closed=1, tracked=1)
    assert "Traceback" not in site.process.log


def test_a_stream_without_a_task_is_closed_at_the_end_of_a_drain(serve: Serve) -> None:
    site = serve(afterwards=0.1)
    (client,) = site.streams(1, "/django/api/pausing")
    site.process.terminate()
    with pytest.raises(ConnectionError):
        client.read_until(b"two")
    assert "Traceback" not in site.process.log


# Back-pressure


def test_ten_readers_that_never_read_cost_little(serve: Serve) -> None:
    site = serve()
    before = site.state["resident"]
    for _ in range(10):
        site.connect(4096).ask("/flood?megabytes=20&chunk=16384")
    site.becomes(paused=10)
    state = site.state
    assert state["queued"] <= 128 * 1024 + 32
    assert state["resident"] - before <= 12 * MIB
    assert state["offered"] < 10 * 20 * MIB


def test_a_reader_that_pauses_gets_everything(site: Site) -> None:
    client = site.connect(4096).ask("/flood?megabytes=2&chunk=1000")
    site.becomes(paused=1)
    body = client.read_until(b"\r\n0\r\n\r\n")
    assert body.count(b"x") == 2 * MIB // 1000 * 1000


def test_a_paused_send_is_released_when_the_reader_goes(serve: Serve) -> None:
    site = serve(tick=3600)
    client = site.connect(4096).ask("/flood?megabytes=20&chunk=16384")
    site.becomes(paused=1)
    client.reset()
    site.becomes(paused=0, disconnected=1, tracked=1)
    assert "escaped" not in site.process.log


@pytest.mark.parametrize("path", ["/django/endless", "/django/api/endless"])
def test_a_view_whose_reader_goes_is_closed_in_silence(serve: Serve, path: str) -> None:
    site = serve()
    client = site.connect(4096).ask(path)
    site.becomes(paused=1)
    client.reset()
    site.becomes(paused=0, views_closed=1, tracked=1)
    assert "Traceback" not in site.process.log


def test_a_peer_that_takes_nothing_for_long_is_dropped(serve: Serve) -> None:
    site = serve(stalled_time=0.2)
    site.connect(4096).ask("/flood?megabytes=20&chunk=16384")
    site.becomes(disconnected=1, open=1, tracked=1)


# Threads


@pytest.mark.parametrize("way", ["/django", "/django/api"])
def test_threads_do_not_grow_with_streams(serve: Serve, way: str) -> None:
    site = serve()
    for _ in range(10):
        assert b"executor" in site.get(f"{way}/blocking")[2]
    site.streams(60, f"{way}/stream")
    assert site.state["threads"] <= 1 + EXECUTORS
