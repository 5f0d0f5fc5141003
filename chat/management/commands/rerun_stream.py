"""Sends a recorded request to a running server again."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from asgiref.sync import async_to_sync
from django.core.management.base import CommandError, CommandParser
from django.urls import reverse

from chat.log.pages import stored_events
from chat.management import archive, arguments, rerun
from chat.management.filters import Filter
from chat.management.recordings import load
from chat.management.rerun import Comparison
from chat.management.terminal import in_line
from chat.models import Stream, StreamRerun
from chat.protocol import timing
from chat.protocol.recording import Recording
from chat.protocol.timing import Timing

AROUND = 30
"""Characters that are shown before and after a difference."""

ROWS: tuple[tuple[str, Callable[[Timing], str]], ...] = (
    ("time to OK", lambda times: timing.words(times.ok_us)),
    ("time to first token", lambda times: timing.words(times.first_token_us)),
    ("duration", lambda times: timing.words(times.duration_us)),
    ("tokens/s", lambda times: "–" if times.tokens_per_s is None else f"{times.tokens_per_s:.1f}"),
    ("longest gap", lambda times: timing.words(times.longest_gap.us if times.longest_gap else None)),
    ("stalls", lambda times: str(len(times.stalls))),
)


class Command(Filter):
    """`rerun_stream`: sends the request again, and compares the answers and their times."""

    help = "Send a recorded request to a running server again, and compare the answer and its timing."

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the source, the server, the model and the credentials."""
        parser.add_argument("source", metavar="id or file", help="a stream's id, or a recording made by export_stream")
        parser.add_argument(
            "--url", type=arguments.site, required=True, help="the server to ask, such as http://127.0.0.1:18000"
        )
        parser.add_argument("--model", default="", help="provider/model to ask instead of the recorded one")
        parser.add_argument(
            "--token", default="", help="an access token or API key of that server; else a new guest asks"
        )
        parser.add_argument("--json", action="store_true", help="print both answers and their times as a JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        """Send the request, and print the comparison. Raises CommandError without a complete answer."""
        recorded = source(options["source"])
        try:
            body = rerun.body_of(recorded, options["model"])
            found = async_to_sync(rerun.ask)(options["url"], options["token"], body)
        except rerun.NotRun as wrong:
            raise CommandError(str(wrong)) from None
        compared = rerun.compare(recorded, found)
        page = link(str(recorded.header.get("id")), found.stream_id)
        if options["json"]:
            described = {"stream": found.stream_id, "error": found.error, "page": page, **compared.as_json()}
            self.put(json.dumps(described, indent=2, ensure_ascii=False) + "\n")
        else:
            self.put(as_text(compared, found.stream_id))
            self.put(f"Side by side: {page}\n" if page else "")
        if found.error:
            raise CommandError(f"The answer failed: {found.error}")


def link(recorded: str, now: str) -> str:
    """Store which stream is the rerun of which, and return the path of the admin's page with both. If they are not both
    stored here, store nothing and return ""."""
    keys = [pk for name in (recorded, now) if (pk := arguments.stream_id(name))]
    if Stream.objects.filter(pk__in=keys).count() < 2:
        return ""
    StreamRerun.objects.get_or_create(stream_id=keys[1], defaults={"original_id": keys[0]})
    return reverse("admin:chat_stream_beside", args=keys)


def source(name: str) -> Recording:
    """Return the recording of a stored stream, by its id, or of a file. Raises CommandError."""
    pk = arguments.stream_id(name)
    if pk is None or not Stream.objects.filter(pk=pk).exists():
        if not Path(name).is_file():
            raise CommandError(f"{name!r} is neither the id of a stream that is stored here nor a file.")
        return load(name)
    stream = arguments.stream(name)
    return Recording(archive.describe(stream), list(stored_events(stream.pk)))


def as_text(compared: Comparison, stream_id: str) -> str:
    """Return two columns of times, and the first difference of the answers."""
    lines = [f"{'':22}{'recorded':>14}{'now':>14}"]
    times: tuple[Timing, Timing] = (compared.recorded_timing, compared.now_timing)
    lines += [f"{name:22}{cell(times[0]):>14}{cell(times[1]):>14}" for name, cell in ROWS]
    lines += [f"{'characters':22}{len(compared.recorded):>14}{len(compared.now):>14}", "", *difference(compared)]
    return "\n".join([*lines, f"The new stream is {in_line(stream_id)}."]) + "\n"


def difference(compared: Comparison) -> list[str]:
    """Return the lines about the first difference, or that there is none."""
    if compared.is_equal:
        return ["The answers are the same."]
    at = compared.same
    around = slice(max(at - AROUND, 0), at + AROUND)
    return [
        f"The answers differ after {at} characters:",
        f"  recorded: …{in_line(compared.recorded[around])}…",
        f"  now:      …{in_line(compared.now[around])}…",
    ]
