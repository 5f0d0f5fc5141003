"""Retention by the settings, once: what a server does by itself every hour."""

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
    """`prune`: everything that is older than `WONDERCAM_KEEP_…_DAYS`, and all that has ended about accounts."""

    help = (
        "Delete what is older than WONDERCAM_KEEP_…_DAYS say, and sessions, tokens and tickets that have ended, in "
        "small steps. A server does so by itself, every hour."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """How it is told."""
        parser.add_argument("--json", action="store_true", help="print what was deleted as a JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        """Delete, and say how many of each."""
        done = async_to_sync(retention.once)(settings.KEEP_DAYS, in_transaction, timezone.now())
        if options["json"]:
            return self.put(json.dumps(done) + "\n")
        self.stdout.write(", ".join(f"{count} {name}" for name, count in done.items()) + " were deleted.")
