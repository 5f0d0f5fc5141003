"""Retention of what is kept about accounts, once it has ended: nobody comes in by it any more."""

import json
from datetime import UTC, datetime, timedelta
from time import sleep
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.db.models import QuerySet

from chat.accounts import ended
from chat.management import arguments
from chat.management.filters import Filter


class Command(Filter):
    """`prune_accounts`: sessions, tokens and tickets that have ended, guests who left nothing, old audit entries."""

    help = (
        "Delete what has ended: sessions, spent tokens, tickets, invitations, guests who left no conversation, "
        "photos that were never sent, and audit entries older than --audit. Run it once a day, while a server runs."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """How long the audit log is kept."""
        text = "keep audit entries for so long; 365d unless you say otherwise"
        parser.add_argument(
            "--audit", type=arguments.age, default=timedelta(days=ended.AUDIT_DAYS), metavar="AGE", help=text
        )
        parser.add_argument("--dry-run", action="store_true", help="only count")
        parser.add_argument("--json", action="store_true", help="print what was deleted as a JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        """Count, or delete batch by batch."""
        now = datetime.now(UTC)
        try:
            kept_from = now - options["audit"]
        except OverflowError:
            raise CommandError("--audit goes further back than the calendar.") from None
        done = {
            name: rows.count() if options["dry_run"] else deleted(rows)
            for name, rows in ended.rows(now, kept_from).items()
        }
        if options["json"]:
            return self.put(json.dumps({**done, "deleted": not options["dry_run"]}) + "\n")
        verb = "would be" if options["dry_run"] else "were"
        self.stdout.write(", ".join(f"{count} {name}" for name, count in done.items()) + f" {verb} deleted.")


def deleted(rows: QuerySet[Any]) -> int:
    """Delete them, a batch a transaction, with a pause after each; how many they were."""
    number = 0
    while batch := ended.delete_batch(rows):
        number += batch
        sleep(ended.PAUSE)
    return number
