"""How the server starts, drains and ends, with one process and with several workers."""

import os
import signal

from tests.servers.plain.conftest import Serve
from tests.servers.plain.site import Site, assert_whole
from tests.servers.process import accepts, wait_until

# Start and end


def test_sigterm_lets_a_running_response_end(serve: Serve) -> None:
    site = serve()
    streaming, idle = site.streams(1)[0], site.connect().ask("/hello")
    idle.answer()
    site.process.popen.send_signal(signal.SIGTERM)
    assert streaming.read_until(b"0\r\n\r\n").startswith(b"4\r\nlast")
    assert (streaming.read_to_close(), idle.read_to_close()) == (b"", b"")
    assert site.process.wait() == 0


def test_while_it_drains_no_connection_is_accepted_and_new_ones_are_served(serve: Serve) -> None:
    site = serve(env={"HANG_AT_END": "1"}, drain=30)
    client = site.connect()
    wait_until(lambda: site.get("/hello")[0] == 200, "what has come before this is accepted")
    site.process.popen.send_signal(signal.SIGTERM)
    site.process.wait_for_line("draining")
    wait_until(lambda: not accepts(site.port), "no more connections")
    assert client.ask("/hello").answer()[1]["connection"] == "close"


def test_a_drain_closes_the_connections_that_a_proxy_keeps_for_its_next_request(serve: Serve) -> None:
    site = serve(env={"HANG_AT_END": "1"}, drain=600)
    kept = site.connect().ask("/hello")
    kept.answer()
    site.process.popen.send_signal(signal.SIGTERM)
    assert kept.read_to_close() == b""  # and not when the application is done
    assert site.process.running


def test_a_second_signal_ends_it_at_once(serve: Serve) -> None:
    site = serve(env={"HANG_AT_END": "1"})
    site.streams(1)
    site.process.popen.send_signal(signal.SIGTERM)
    site.process.wait_for_line("draining")
    site.process.popen.send_signal(signal.SIGTERM)
    assert site.process.wait() == 1


def test_a_drain_ends_with_the_grace(serve: Serve) -> None:
    site = serve(env={"HANG_AT_END": "1"}, drain=0.1, afterwards=0.1)
    streaming = site.streams(1)[0]
    site.process.popen.send_signal(signal.SIGINT)
    assert not streaming.read_to_close().endswith(b"0\r\n\r\n")
    assert site.process.wait() == 0


def test_an_application_that_cannot_start_says_so() -> None:
    site = Site(1, {}, {"FAIL_STARTUP": "the model is missing"})
    assert site.process.wait() == 1
    assert "WonderCam cannot start: the model is missing" in site.process.wait_for_line("cannot start")


# Workers


def test_two_workers_share_one_socket(serve: Serve) -> None:
    site = serve(2)
    seen: set[int] = set()

    def both_answered() -> bool:
        seen.add(site.state["pid"])
        return len(seen) == 2

    wait_until(both_answered, "both workers answering")
    assert site.process.pid not in seen


def test_a_worker_that_dies_is_replaced(serve: Serve) -> None:
    site = serve(2)
    dead = site.state["pid"]
    os.kill(dead, signal.SIGKILL)
    alive: set[int] = set()

    def two_others_answer() -> bool:
        alive.add(site.state["pid"])
        return len(alive - {dead}) == 2

    wait_until(two_others_answer, "a new worker")


def test_sigterm_to_the_parent_drains_every_worker(serve: Serve) -> None:
    site = serve(2)
    streams = site.streams(6)
    site.process.popen.send_signal(signal.SIGTERM)
    assert_whole(streams)
    assert site.process.wait() == 0


def test_a_signal_to_the_whole_group_drains_too(serve: Serve) -> None:
    site = serve(2)
    streams = site.streams(4)
    os.killpg(site.process.pid, signal.SIGTERM)
    assert_whole(streams)
    assert site.process.wait() == 0


def test_while_workers_drain_no_connection_is_accepted(serve: Serve) -> None:
    site = serve(2, env={"HANG_AT_END": "1"})
    site.streams(1)
    site.process.popen.send_signal(signal.SIGTERM)
    wait_until(lambda: not accepts(site.port), "no more connections")
    assert site.process.running


def test_a_second_signal_to_the_parent_ends_everything(serve: Serve) -> None:
    site = serve(2, env={"HANG_AT_END": "1"})
    stream = site.streams(1)[0]
    site.process.popen.send_signal(signal.SIGTERM)
    site.process.wait_for_line("draining")
    site.process.popen.send_signal(signal.SIGTERM)
    assert site.process.wait() == 1
    assert not stream.read_to_close().endswith(b"0\r\n\r\n")


def test_workers_whose_parent_was_killed_end_too(serve: Serve) -> None:
    site = serve(2)
    streams = site.streams(4)
    os.kill(site.process.pid, signal.SIGKILL)
    assert_whole(streams)


def test_workers_that_cannot_start_end_the_server() -> None:
    site = Site(2, {}, {"FAIL_STARTUP": "the model is missing"})
    assert site.process.wait() == 1
    assert "the model is missing" in site.process.wait_for_line("cannot start")
