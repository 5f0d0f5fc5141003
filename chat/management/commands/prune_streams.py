"""Retention: old recordings go, conversations stay."""

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any
from uuid import UUID

from django.core.management.base import CommandError, CommandParser
from django.db import transaction
from django.utils import timezone

from chat.management import arguments
from chat.management.filters import Filter
from chat.management.progress import Progress
from chat.models import Stream
from chat.protocol import events
from chat.protocol.answer import Answer
from chat.protocol.events import Event

BATCH = 200
"""Streams a transaction: short enough that a running server's writer hardly waits."""


class Command(Filter):
    """`prune_streams`: streams that ended before a moment, with their events. Messages keep their text."""

    help = "Delete the recordings (streams, events) of turns that ended long ago. Conversations keep their text."

    def add_arguments(self, parser: CommandParser) -> None:
        """How old is old."""
        parser.add_argument("--older-than", type=arguments.age, required=True, metavar="AGE", help="such as 30d or 12h")
        parser.add_argument("--dry-run", action="store_true", help="only count them")
        parser.add_argument("--json", action="store_true", help="print what was deleted as a JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        """Count, or delete batch by batch."""
        try:
            before = timezone.now() - options["older_than"]
        except OverflowError:
            raise CommandError("--older-than goes further back than the calendar.") from None
        old = list(ended_before(before))
        progress = Progress(self.say, len(old), "streams")
        for start in range(0, 0 if options["dry_run"] else len(old), BATCH):
            prune(old[start : start + BATCH])
            progress.add(BATCH)
        if options["json"]:
            counted = {"streams": len(old), "before": before.isoformat(), "deleted": not options["dry_run"]}
            return self.put(json.dumps(counted) + "\n")
        what = "1 stream" if len(old) == 1 else f"{len(old)} streams"
        verb = "would be" if options["dry_run"] else "was" if len(old) == 1 else "were"
        self.stdout.write(f"{what} that ended before {before:%Y-%m-%d %H:%M} UTC {verb} deleted.")


def ended_before(before: datetime) -> Iterator[UUID]:
    """The streams that ended before this moment, the oldest first."""
    ended = Stream.objects.filter(status__in=events.ENDS, ended_at__lt=before)
    return ended.order_by("ended_at").values_list("pk", flat=True).iterator()


@transaction.atomic
def prune(chosen: list[UUID]) -> None:
    """Delete these streams. An answer that was never put together is, before its events are gone."""
    for stream in Stream.objects.filter(pk__in=chosen, answer__parts=[]).select_related("answer"):
        log = stream.events.order_by("seq").values_list("seq", "at", "data")
        stream.answer.parts = Answer.of(Event(*row) for row in log).finished()
        stream.answer.save(update_fields=["parts"])
    Stream.objects.filter(pk__in=chosen).delete()
