"""How a line of the server's log looks, for people (`TextFormatter`) or for programs (`Json`): WONDERCAM_LOG chooses.

    2026-11-26T11:58:03.123Z INFO    wondercam.access [request=5f0c-1a]: GET /v2/models 200 1.2 ms 127.0.0.1

A line says when (UTC), how grave, who, for which request and stream, and what. Whoever logs passes fields for programs
as `extra={"fields": {…}}`, or names for the message's arguments as `field_names`. Nothing in a message can begin a line
of its own or drive a terminal: characters that do not print are escaped, and what follows a line, such as a traceback,
is indented.
"""

import json
import logging
import re
import time
from contextvars import ContextVar
from typing import Any

request_id: ContextVar[str] = ContextVar("request_id", default="")
"""The id of the request that the current task answers; set by the server, empty outside of requests."""

STREAM_ID = "ext://chat.protocol.log_context.stream_id"
"""Where the app keeps which stream the current task works for."""
LONGEST = 4_000
"""Characters of one line. An exception may quote what somebody sent; a log needs no more of it."""
UNPRINTABLE = re.compile(r"[^\S ]|[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def printable(text: str) -> str:
    """The text on one line, with `\\x1b`, `\\n`, `\\u202e` in place of what ends it, turns it or moves the cursor."""
    if len(text) > LONGEST:
        text = f"{text[:LONGEST]}…"
    return text if text.isprintable() else UNPRINTABLE.sub(lambda found: ascii(found[0])[1:-1], text)


class Clock:
    """The time as text; what stays the same for a second is made once in it."""

    def __init__(self) -> None:
        self._second, self._text = -1, ""

    def text(self, moment: float) -> str:
        """`2026-11-26T11:58:03.123Z`."""
        second = int(moment)
        if second != self._second:
            self._second, self._text = second, time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second))
        return f"{self._text}.{int((moment - second) * 1000):03d}Z"


class TextFormatter(logging.Formatter):
    """For people. `stream_id` tells which stream the current task works for, as `request_id` does of the request."""

    def __init__(self, stream_id: ContextVar[str]) -> None:
        super().__init__()
        self._clock = Clock()
        self._stream_id = stream_id

    def ids(self, record: logging.LogRecord) -> tuple[str, str]:
        """The request and the stream that the record says it belongs to, or in whose task it was logged."""
        said = record.__dict__
        request, stream = said.get("request_id"), said.get("stream_id")
        return (
            request_id.get() if request is None else str(request),
            self._stream_id.get() if stream is None else str(stream),
        )

    def format(self, record: logging.LogRecord) -> str:
        request, stream = self.ids(record)
        of = f" [request={request} stream={stream}]" if request and stream else ""
        if not of and (request or stream):
            of = f" [request={request}]" if request else f" [stream={stream}]"
        line = f"{self._clock.text(record.created)} {record.levelname:<7} {record.name}{of}: "
        line += printable(record.getMessage())
        for below in self.below(record):
            line += f"\n    {printable(below)}"
        return line

    def below(self, record: logging.LogRecord) -> list[str]:
        """The traceback's lines."""
        if record.exc_info:
            return self.formatException(record.exc_info).split("\n")
        return []


class Json(TextFormatter):
    """For programs: an object a line, all of it ASCII; `error` is the traceback."""

    def format(self, record: logging.LogRecord) -> str:
        request, stream = self.ids(record)
        known = {
            "time": self._clock.text(record.created),
            "level": record.levelname,
            "logger": record.name,
            "request": request,
            "stream": stream,
            "message": record.getMessage()[:LONGEST],
            **fields_of(record),
            "error": "\n".join(self.below(record)),
        }
        return json.dumps({name: value for name, value in known.items() if value != ""}, default=str)


def fields_of(record: logging.LogRecord) -> dict[str, Any]:
    """What the record says in parts: its `fields`, or its arguments by their `field_names`."""
    said, arguments = record.__dict__, record.args if isinstance(record.args, tuple) else ()
    return {**dict(zip(said.get("field_names", ()), arguments, strict=False)), **said.get("fields", {})}


def configuration(form: str, level: str) -> dict[str, Any]:
    """Django's LOGGING: everything to standard error, ours from `level` up, others' from WARNING up.

    Django's own line for each 4xx is left out, as is a wrong `Host`: the access line has the status, and whoever looks
    for holes in a site would fill its log.
    """
    ours: dict[str, Any] = {"level": level}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "text": {"()": "wondercam.log_format.TextFormatter", "stream_id": STREAM_ID},
            "json": {"()": "wondercam.log_format.Json", "stream_id": STREAM_ID},
        },
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": form}},
        "root": {"handlers": ["stderr"], "level": "WARNING"},
        "loggers": {
            "chat": ours,
            "wondercam": ours,
            "django": {"handlers": [], "level": "WARNING", "propagate": True},
            "django.request": {"level": "ERROR"},
            "django.security.DisallowedHost": {"level": "CRITICAL"},
        },
    }
