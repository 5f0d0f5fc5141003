"""Deletes old recordings (streams and events); conversations keep their text."""

import contextlib
import json
import time
from time import monotonic
from typing import Any
from uuid import UUID

from asgiref.sync import async_to_sync
from django.core.management.base import CommandError, CommandParser
from django.db import OperationalError, connection, transaction
from django.utils import timezone

from chat import retention
from chat.log import deletion, postgres_partitions
from chat.log.sql import in_transaction
from chat.management import arguments
from chat.management.filters import Filter
from chat.management.progress import Progress

BATCH = 50
"""Streams that are hidden in one transaction, and then deleted in steps."""

STEPS_PER_CHECKPOINT = 200
"""A step writes some hundred pages; with a checkpoint after so many the write-ahead log stays at some 10 MB."""


class Command(Filter):
    """`prune_streams`: deletes streams that ended before a time, with their events. Messages keep their text."""

    help = (
        "Delete the recordings (streams, events) of turns that ended long ago, in steps of 15 ms with pauses between "
        "them, so that a running server is not held up. Conversations keep their text."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the age."""
        parser.add_argument("--older-than", type=arguments.age, required=True, metavar="AGE", help="such as 30d or 12h")
        parser.add_argument("--dry-run", action="store_true", help="only count them")
        parser.add_argument("--json", action="store_true", help="print what was deleted as a JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        """Count the streams, or delete them in batches, after those that an interrupted deletion left."""
        try:
            before = timezone.now() - options["older_than"]
        except OverflowError:
            raise CommandError("--older-than goes further back than the calendar.") from None
        old = list(retention.ended_before(before))
        if not options["dry_run"]:
            if postgres_partitions.listed():
                async_to_sync(retention.delete_partitions)(before, in_transaction)
            for rows in deletion.hidden():
                delete(rows)
            self._prune(list(retention.ended_before(before)))
        if options["json"]:
            counted = {"streams": len(old), "before": before.isoformat(), "deleted": not options["dry_run"]}
            return self.put(json.dumps(counted) + "\n")
        what = "1 stream" if len(old) == 1 else f"{len(old)} streams"
        verb = "would be" if options["dry_run"] else "was" if len(old) == 1 else "were"
        self.stdout.write(f"{what} that ended before {before:%Y-%m-%d %H:%M} UTC {verb} deleted.")

    def _prune(self, old: list[UUID]) -> None:
        progress = Progress(self.say, len(old), "streams")
        for start in range(0, len(old), BATCH):
            chosen = old[start : start + BATCH]
            for answer, parts in retention.answers_not_kept(chosen):
                retention.keep_answer(answer, parts)
            rows = deletion.Rows(chosen)
            with transaction.atomic():
                rows.hide()
            delete(rows)
            progress.add(len(chosen))


def delete(rows: deletion.Rows) -> None:
    """Delete rows in steps, with pauses in which a server can write."""
    left, steps = True, 0
    while left:
        began = monotonic()
        with transaction.atomic():
            left = rows.step()
        time.sleep(deletion.pause(monotonic() - began))
        steps += 1
        if not left or steps % STEPS_PER_CHECKPOINT == 0:
            checkpoint()


def checkpoint() -> None:
    """Checkpoint SQLite's write-ahead log, which waits for the disk, but does not block writers."""
    if connection.vendor == "sqlite":
        with contextlib.suppress(OperationalError), connection.cursor() as cursor:  # another checkpoint is running
            cursor.execute("PRAGMA wal_checkpoint(PASSIVE)")
