"""Where commands read and write: names of files that are none, `-`, and standard streams that are closed."""

import asyncio
import os
import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from chat.management import probing
from tests.recorded import HELLO, imported, run
from tests.servers.process import free_port
from wondercam.management.commands import serve

ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.mark.django_db
def test_a_dash_is_standard_output(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    stream = imported(HELLO)
    assert run("export_stream", stream.pk, "-") == run("export_stream", stream.pk)
    with pytest.raises(CommandError, match="Name a FILE"):
        run("export_stream", stream.pk, "-", "--zip")
    with pytest.raises(CommandError, match="A database is not written to standard output"):
        call_command("backup", "-")
    with pytest.raises(CommandError, match="not read from standard input"):
        call_command("import_stream", "-")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("words", [("export_stream", "x", ""), ("import_stream", ""), ("backup", "")])
def test_an_empty_name_is_no_file(words):
    with pytest.raises(CommandError, match="the name is empty: write that of a file"):
        call_command(*words)


@pytest.mark.django_db
def test_an_empty_name_of_a_user_is_nobody_and_not_everybody():
    for words in (("list_streams", "--user", ""), ("import_stream", HELLO, "--user", "")):
        with pytest.raises(CommandError, match="There is no user ''"):
            run(*words)


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["", "00000000-0000-4000-8000-000000000000", "/tmp"])
def test_what_is_asked_again_is_a_stream_or_a_file(name):
    with pytest.raises(CommandError, match="is neither the id of a stream that is stored here nor a file"):
        run("rerun_stream", name, "--url", "http://127.0.0.1:1")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "status", "sentence"),
    [
        ("list_streams", 1, "Standard output is closed, and nothing could be written to it"),
        ("make_push_keys", 1, "Standard output is closed"),
        ("check", 0, ""),
    ],
)
def test_a_closed_standard_output_ends_in_no_traceback(tmp_path, words, status, sentence):
    environment = {**os.environ, "WONDERCAM_DATA_DIR": str(tmp_path), "PYTHONWARNINGS": "error,ignore:The EMAIL_"}
    done = subprocess.run(
        ["/bin/sh", "-c", f'exec "$0" manage.py {words} >&-', sys.executable],
        cwd=ROOT,
        env=environment,
        stderr=subprocess.PIPE,
        text=True,
        timeout=90,
        check=False,
    )
    assert (done.returncode, "Traceback" in done.stderr) == (status, False), done.stderr
    assert sentence in done.stderr


def why(url: str) -> str:
    return asyncio.run(probing.unreachable(probing.ProbedSite(url)))


def test_of_an_address_that_does_not_answer_the_reason_is_told(monkeypatch):
    assert why("http://nowhere.invalid").startswith("The name nowhere.invalid cannot be looked up")
    assert why("http://a..b").startswith("The name a..b cannot be looked up")
    assert "refuses connections: no server runs at that port" in why(f"http://localhost:{free_port()}")
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"127.0.0.1:{server.getsockname()[1]}"
        assert why(f"http://{url}") == ""
        monkeypatch.setattr(probing, "REACH", 0.2)
        assert "does not answer within" in why(f"https://{url}"), "nobody speaks there"


async def test_tls_and_its_certificate_are_told_apart_from_silence():
    async def plain(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(10)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(plain, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        assert "does not speak TLS" in await probing.unreachable(probing.ProbedSite(f"https://127.0.0.1:{port}"))


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--port", "65536"), "'65536' will not do: write a whole number, at least 0 and at most 65535"),
        (("--port", "-1"), "write a whole number"),
        (("--workers", "0"), "'0' will not do: write a whole number, at least 1 and at most 64"),
        (("--host", "é..b", "--port", "0"), "Cannot listen on é..b:0: that is no name of a host"),
    ],
)
def test_a_server_is_not_started_where_nothing_could_reach_it(monkeypatch, words, sentence):
    monkeypatch.setattr(serve, "refuse_what_cannot_serve", lambda workers: None)
    with pytest.raises(CommandError, match=re.escape(sentence)):
        call_command("serve", *words)
