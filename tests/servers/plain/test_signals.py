"""What SIGHUP and Ctrl-C do to the server, with one process and with several."""

import os
import pty
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.servers.plain.conftest import Serve
from tests.servers.plain.site import ROOT, Client, assert_whole
from tests.servers.process import accepts, wait_until

HANGING = {"HANG_AT_END": "1"}
both = pytest.mark.parametrize("workers", [1, 2])


@both
@pytest.mark.parametrize("times", [1, 2])
def test_sighup_lets_running_responses_end_however_often_it_comes(serve: Serve, workers: int, times: int) -> None:
    site = serve(workers)
    streams = site.streams(4)
    for _ in range(times):
        os.killpg(site.process.pid, signal.SIGHUP)
    assert_whole(streams)
    assert site.process.wait() == 0


@both
def test_after_a_hang_up_ctrl_c_still_ends_it_at_once(serve: Serve, workers: int) -> None:
    site = serve(workers, env=HANGING)
    site.streams(1)
    site.process.popen.send_signal(signal.SIGHUP)
    site.process.wait_for_line("draining")
    site.process.popen.send_signal(signal.SIGINT)
    site.process.wait_for_line("finishing")
    site.process.popen.send_signal(signal.SIGINT)
    assert site.process.wait() == 1


@both
@pytest.mark.parametrize(("count", "said"), [(1, "finishing 1 answer,"), (5, "finishing 5 answers,")])
def test_ctrl_c_says_how_many_answers_it_waits_for(serve: Serve, workers: int, count: int, said: str) -> None:
    site = serve(workers)
    streams = site.streams(count)
    os.killpg(site.process.pid, signal.SIGINT)
    line = site.process.wait_for_line("finishing")
    assert line == f"{said} press Ctrl-C again to stop now\n"
    for stream in streams:
        stream.read_until(b"0\r\n\r\n")
    assert site.process.wait() == 0
    assert site.process.log.count("finishing") == 1


@both
def test_ctrl_c_without_answers_ends_it_without_a_word(serve: Serve, workers: int) -> None:
    site = serve(workers)
    os.killpg(site.process.pid, signal.SIGINT)
    assert site.process.wait() == 0
    assert "finishing" not in site.process.log


@both
def test_a_second_ctrl_c_ends_it_at_once(serve: Serve, workers: int) -> None:
    site = serve(workers, env=HANGING)
    site.streams(1)
    os.killpg(site.process.pid, signal.SIGINT)
    site.process.wait_for_line("finishing")
    os.killpg(site.process.pid, signal.SIGINT)
    assert site.process.wait() == 1
    wait_until(lambda: not accepts(site.port), "nobody listens")


@both
def test_under_nohup_a_hang_up_changes_nothing(serve: Serve, workers: int, monkeypatch: pytest.MonkeyPatch) -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        site = serve(workers)
    finally:
        signal.signal(signal.SIGHUP, before)
    os.killpg(site.process.pid, signal.SIGHUP)
    assert site.get("/hello")[0] == 200


@both
def test_a_terminal_that_closes_drains_it(workers: int) -> None:
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "tests.plain_asgi", str(workers), "{}"]
    script = Path(__file__).parent / "in_terminal.py"
    process = subprocess.Popen(
        [sys.executable, str(script), *command], stdin=theirs, stdout=theirs, stderr=theirs, cwd=ROOT, close_fds=True
    )
    os.close(theirs)
    try:
        said = b""
        while b"Listening on" not in said or not said.endswith(b"\n"):
            said += os.read(ours, 1024)
        client = Client(int(said.split()[-1])).ask("/stream")
        client.read_until(b"one\r\n")
        os.close(ours)
        assert client.read_until(b"0\r\n\r\n").startswith(b"4\r\nlast")
        assert process.wait(90) == 0
        client.close()
    finally:
        process.kill()
        process.wait()
