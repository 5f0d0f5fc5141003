"""Deletes expired rows of accounts, such as sessions and tokens."""

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
    """`prune_accounts`: deletes expired sessions, tokens and tickets, guests without conversations, and old entries of
    the audit log."""

    help = (
        "Delete what has ended: sessions, spent tokens, tickets, invitations, guests who left no conversation, "
        "photos that were never sent, and audit entries older than --audit. Run it once a day, while a server runs."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the age of the audit log."""
        text = "keep audit entries for so long; 365d unless you say otherwise"
        parser.add_argument(
            "--audit", type=arguments.age, default=timedelta(days=ended.AUDIT_DAYS), metavar="AGE", help=text
        )
        parser.add_argument("--dry-run", action="store_true", help="only count")
        parser.add_argument("--json", action="store_true", help="print what was deleted as a JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        """Count the rows, or delete them in batches."""
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
    """Delete rows, one batch per transaction, with a pause after each. Return their number."""
    number = 0
    while batch := ended.delete_batch(rows):
        number += batch
        sleep(ended.PAUSE)
    return number
