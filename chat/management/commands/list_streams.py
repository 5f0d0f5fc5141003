"""Lists recent streams with their times."""

import json
from typing import Any

from django.core.management.base import CommandParser

from chat import review
from chat.management import arguments
from chat.management.filters import Filter
from chat.management.terminal import in_line
from chat.models import Stream
from chat.protocol import events, timing
from chat.protocol.timing import Timing

HEADS = ("id", "user", "model", "status", "created (UTC)", "OK", "first token", "tokens/s", "longest gap")


class Command(Filter):
    """`list_streams`: the newest first, as a table or as JSON."""

    help = "List recent streams: id, user, model, status, time to OK and to the first token, tokens/s, longest gap."

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the filters, the limit and the format."""
        parser.add_argument("--user", metavar="NAME", help="only this user's")
        parser.add_argument("--status", choices=events.STATUSES, help="only streams in this state")
        parser.add_argument("--since", type=arguments.moment, metavar="WHEN", help="a date, or an age such as 2h or 3d")
        parser.add_argument("--limit", type=arguments.count, default=20, metavar="N", help="at most this many (20)")
        parser.add_argument("--json", action="store_true", help="a JSON array, in ms")

    def handle(self, *args: Any, **options: Any) -> None:
        """Select the streams, and print them with their times."""
        chosen = Stream.objects.select_related("user").defer("request")
        if options["user"] is not None:
            chosen = chosen.filter(user=arguments.user(options["user"]))
        if options["status"]:
            chosen = chosen.filter(status=options["status"])
        if options["since"]:
            chosen = chosen.filter(created_at__gte=options["since"])
        streams = list(chosen.order_by("-created_at", "pk")[: options["limit"]])
        measured = review.timings(streams)
        rows = [(stream, measured[stream.pk]) for stream in streams]
        self.put(as_json(rows) if options["json"] else as_table(rows))


def as_json(rows: list[tuple[Stream, Timing]]) -> str:
    """Return a JSON array, with times in ms; null if there was no such event."""
    described = [
        {
            "id": str(stream.pk),
            "user": stream.user.username,
            "model": stream.model_id,
            "status": stream.status,
            "created_at": stream.created_at.isoformat(),
            "ended_at": stream.ended_at.isoformat() if stream.ended_at else None,
            "last_seq": stream.last_seq,
            **measured.as_json(),
        }
        for stream, measured in rows
    ]
    return json.dumps(described, indent=2, ensure_ascii=False) + "\n"


def as_table(rows: list[tuple[Stream, Timing]]) -> str:
    """Return a table in aligned columns."""
    if not rows:
        return "There are no such streams.\n"
    lines = [HEADS, *(_cells(stream, measured) for stream, measured in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(HEADS))]
    return "".join("  ".join(map(str.ljust, line, widths)).rstrip() + "\n" for line in lines)


def _cells(stream: Stream, measured: Timing) -> tuple[str, ...]:
    return (
        str(stream.pk),
        in_line(stream.user.username),
        in_line(stream.model_id),
        stream.status,
        f"{stream.created_at:%Y-%m-%d %H:%M:%S}",
        timing.words(measured.ok_us),
        timing.words(measured.first_token_us),
        "–" if measured.tokens_per_s is None else f"{measured.tokens_per_s:.1f}",
        timing.words(measured.longest_gap.us if measured.longest_gap else None),
    )
