"""One line of the server's log for each request, when its response ends: what was asked, by whom, status, time.

    GET /v2/models 200 1.2 ms 127.0.0.1

The path is without its query: there a ticket and a question may stand. For an event stream the time is that of the
whole stream, and the line carries the stream's id. WARNING from status 500 up, INFO below, DEBUG for what monitors ask
every few seconds. A line takes 7 µs of CPU: 0.5 % of a question's, which leaves another one when its stream ends.
"""

import logging
import time
from itertools import count
from secrets import token_hex
from typing import Any

log = logging.getLogger("wondercam.access")

GONE = 499
"""What a request is logged with whose client went before anything was answered, as nginx has it."""
STREAM_ID = b"x-stream-id"
"""The header by which a response says which stream it is."""
PROBES = {b"/healthz", b"/readyz", b"/metrics"}
NAMES = ("method", "path", "status", "ms", "client")
"""Of what is said, for programs."""


class RequestIds:
    """Ids of the requests of one process: a random beginning, then a number."""

    def __init__(self) -> None:
        self._beginning, self._numbers = token_hex(4), count(1)

    def new(self) -> str:
        """The next id."""
        return f"{self._beginning}-{next(self._numbers):x}"


def begun(request: Any) -> None:
    """Note when the request arrived, and give it its id."""
    request.began, request.request_id = time.monotonic(), request.server.request_ids.new()


def lost(request: Any) -> None:
    """Log the request whose connection is gone, unless its response has ended or it was never whole."""
    if request.request_id and not request.finished:
        answered(request, "the client went")


def answered(request: Any, note: str = "") -> None:
    """Log the request whose response has ended; `note` says what was special about its end."""
    status = request.code if request.has_begun else GONE
    client, ms = request.client_addr or [""], (time.monotonic() - request.began) * 1000
    write(status, request.method, request.path, ms, client[0], note, (request.request_id, request.stream_id))


def refused(status: int, client: str, why: str) -> None:
    """Log what the server refused before there was a request, or while it arrived."""
    write(status, b"-", b"-", 0.0, client, why, ("", ""))


def write(status: int, method: bytes, path: bytes, ms: float, client: str, note: str, ids: tuple[str, str]) -> None:
    """Write the line. The record is made here: for `Logger.info` the stack would be searched for who called it."""
    level = logging.WARNING if status >= 500 else logging.DEBUG if path in PROBES else logging.INFO
    if not log.isEnabledFor(level):
        return
    said = (str(method, "latin-1"), str(path, "latin-1"), status, ms, client, f" ({note})" if note else "")
    record = logging.LogRecord(log.name, level, __file__, 0, "%s %s %d %.1f ms %s%s", said, None)
    record.request_id, record.stream_id, record.field_names = *ids, NAMES
    if note:
        record.fields = {"note": note}
    log.handle(record)
