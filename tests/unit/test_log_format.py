"""The format of the server's log: time, level, request, stream and message, always on one line."""

import json
import logging
import re
import sys
from collections.abc import Callable
from typing import Any

import pytest

from chat.protocol import log_context
from wondercam import log_format
from wondercam.env import envchoice
from wondercam.log_format import Json, TextFormatter, request_id

FORGED = "GET /\n2026-01-01T00:00:00.000Z INFO chat: all is well\r\x1b[2J\x9b1m\u202e\u2028\x7fé"


def record(message: str, *args: Any, level: int = logging.INFO, error: bool = False, **more: Any) -> logging.LogRecord:
    """What a logger makes of a message; `error` with the exception that is being handled."""
    made = logging.LogRecord("chat.x", level, __file__, 1, message, args, sys.exc_info() if error else None)
    made.__dict__.update(more)
    return made


@pytest.fixture(params=[TextFormatter, Json])
def form(request: Any) -> Callable[[logging.LogRecord], str]:
    """Both forms of a line."""
    made: Callable[[logging.LogRecord], str] = request.param(log_context.stream_id).format
    return made


def text(made: logging.LogRecord) -> str:
    """The line for people."""
    return TextFormatter(log_context.stream_id).format(made)


def fields(made: logging.LogRecord) -> dict[str, Any]:
    """The line for programs, read again."""
    found: dict[str, Any] = json.loads(Json(log_context.stream_id).format(made))
    return found


def test_a_line_says_when_how_grave_who_and_what() -> None:
    assert text(record("hello %s", "world", created=1_700_000_000.25)) == (
        "2023-11-14T22:13:20.250Z INFO    chat.x: hello world"
    )
    assert fields(record("hello %s", "world", created=1_700_000_000.25)) == {
        "time": "2023-11-14T22:13:20.250Z",
        "level": "INFO",
        "logger": "chat.x",
        "message": "hello world",
    }


def test_the_time_of_the_next_second_is_not_the_one_before() -> None:
    form = TextFormatter(log_context.stream_id)
    times = [form.format(record("x", created=second))[:24] for second in (10.999, 11.0, 10.5)]
    assert times == ["1970-01-01T00:00:10.999Z", "1970-01-01T00:00:11.000Z", "1970-01-01T00:00:10.500Z"]


def test_a_line_names_the_request_and_the_stream_of_the_task_it_was_logged_in() -> None:
    request, stream = request_id.set("r-1"), log_context.stream_id.set("s-1")
    try:
        assert "[request=r-1 stream=s-1]: x" in text(record("x"))
        assert fields(record("x"))["stream"] == "s-1"
        assert "[request=r-2]: x" in text(record("x", request_id="r-2", stream_id=""))  # what is said outright counts
    finally:
        request_id.reset(request)
        log_context.stream_id.reset(stream)


def test_nothing_in_a_message_begins_a_line_or_drives_a_terminal(form: Callable[[logging.LogRecord], str]) -> None:
    line = form(record("%s", FORGED))
    assert line.splitlines() == [line]
    assert re.search(r"[\x00-\x1f\x7f-\x9f\u2028\u202e]", line) is None
    assert r"\n2026" in line


def test_a_traceback_s_lines_cannot_be_taken_for_lines_of_the_log() -> None:
    try:
        raise ValueError(FORGED)
    except ValueError:
        failed = record("failed", level=logging.ERROR, error=True)
    first, *below = text(failed).split("\n")
    assert first.endswith("ERROR   chat.x: failed")
    assert below
    assert [line for line in below if not line.startswith("    ")] == []
    assert "ValueError: GET /" in text(failed)
    assert "\x1b" not in text(failed)
    assert "ValueError" in fields(failed)["error"]


def test_what_somebody_sent_does_not_fill_the_log(form: Callable[[logging.LogRecord], str]) -> None:
    assert len(form(record("%s", "x" * 1_000_000))) < log_format.LONGEST + 200


def test_programs_get_the_parts_of_what_is_said() -> None:
    assert fields(record("x", fields={"status": "complete"}))["status"] == "complete"
    assert fields(record("%s took %d", "it", 3, field_names=("what", "ms")))["ms"] == 3


def test_the_word_of_a_choice_is_one_of_those_that_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WONDERCAM_LOG", " JSON ")
    assert envchoice("WONDERCAM_LOG", "text", ("text", "json")) == "json"
    monkeypatch.setenv("WONDERCAM_LOG", "xml")
    with pytest.raises(Exception, match="WONDERCAM_LOG is 'xml': write text or json"):
        envchoice("WONDERCAM_LOG", "text", ("text", "json"))
