"""The formats of the server's log, text (`TextFormatter`) or JSON (`Json`), selected by WONDERCAM_LOG.

    2026-11-26T11:58:03.123Z INFO    wondercam.access [request=5f0c-1a]: GET /v2/models 200 1.2 ms 127.0.0.1

A line has the time (UTC), level, logger, ids of request and stream, and message. Fields for JSON are passed as
`extra={"fields": {…}}`, or as names of the message's arguments in `field_names`. A message cannot forge a line or
control a terminal: characters that are not printable are escaped, and further lines, such as a traceback, are indented.
"""

import json
import logging
import re
import time
from contextvars import ContextVar
from typing import Any

request_id: ContextVar[str] = ContextVar("request_id", default="")
"""The id of the current task's request, set by the server; "" outside of requests."""

STREAM_ID = "ext://chat.protocol.log_context.stream_id"
"""The context variable of the current task's stream."""
LONGEST = 4_000
"""The most characters of one line, since an exception may contain what a client sent."""
UNPRINTABLE = re.compile(r"[^\S ]|[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def printable(text: str) -> str:
    """Return the text on one line, with escapes such as `\\x1b`, `\\n`, `\\u202e` for control characters."""
    if len(text) > LONGEST:
        text = f"{text[:LONGEST]}…"
    return text if text.isprintable() else UNPRINTABLE.sub(lambda found: ascii(found[0])[1:-1], text)


class Clock:
    """Formats times, and caches the text of the current second."""

    def __init__(self) -> None:
        self._second, self._text = -1, ""

    def text(self, moment: float) -> str:
        """Format a Unix time as `2026-11-26T11:58:03.123Z`."""
        second = int(moment)
        if second != self._second:
            self._second, self._text = second, time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second))
        return f"{self._text}.{int((moment - second) * 1000):03d}Z"


class TextFormatter(logging.Formatter):
    """Formats lines of text. `stream_id` is the context variable of the current task's stream."""

    def __init__(self, stream_id: ContextVar[str]) -> None:
        super().__init__()
        self._clock = Clock()
        self._stream_id = stream_id

    def ids(self, record: logging.LogRecord) -> tuple[str, str]:
        """Return the ids of request and stream: those of the record, or those of the current task."""
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
        """Return the lines of the traceback, if there is one."""
        if record.exc_info:
            return self.formatException(record.exc_info).split("\n")
        return []


class Json(TextFormatter):
    """Formats one JSON object per line, in ASCII; `error` is the traceback."""

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
    """Return the record's `fields`, and its arguments by their `field_names`."""
    said, arguments = record.__dict__, record.args if isinstance(record.args, tuple) else ()
    return {**dict(zip(said.get("field_names", ()), arguments, strict=False)), **said.get("fields", {})}


def configuration(form: str, level: str) -> dict[str, Any]:
    """Return Django's LOGGING: to standard error, WonderCam's loggers from `level`, others from WARNING.

    Django's lines for statuses 4xx and for an invalid `Host` are dropped: the access log has the status, and scanners
    would fill the log.
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
