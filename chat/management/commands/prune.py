"""Runs the retention of the settings once, as a server does every hour."""

import json
from typing import Any

from asgiref.sync import async_to_sync
from django.conf import settings
from django.core.management.base import CommandParser
from django.utils import timezone

from chat import retention
from chat.log.sql import in_transaction
from chat.management.filters import Filter


class Command(Filter):
    """`prune`: deletes what is older than `WONDERCAM_KEEP_…_DAYS`, and expired rows of accounts."""

    help = (
        "Delete what is older than WONDERCAM_KEEP_…_DAYS, and sessions, tokens and tickets that have ended, in "
        "small steps. A server does so by itself, every hour."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the format of the output."""
        parser.add_argument("--json", action="store_true", help="print what was deleted as a JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        """Delete the rows, and print the numbers."""
        done = async_to_sync(retention.once)(settings.KEEP_DAYS, in_transaction, timezone.now())
        if options["json"]:
            return self.put(json.dumps(done) + "\n")
        self.stdout.write(", ".join(f"{count} {name}" for name, count in done.items()) + " were deleted.")
