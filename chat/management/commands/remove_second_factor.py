"""Removes the second factor of an account whose owner has lost the app and the recovery codes."""

import json
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError, CommandParser

from chat.management import arguments
from chat.management.filters import Filter


class Command(Filter):
    """`remove_second_factor`: the user sets up a new one at the next visit to the admin."""

    help = "Remove the second factor of an account whose app is lost. Verify first who asks for it."

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the account's name."""
        parser.add_argument("user", help="the account's name")
        parser.add_argument("--json", action="store_true", help="print what was done as a JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        """Remove the second factor, and print whether there was one."""
        if settings.SECOND_FACTOR == "off":
            raise CommandError("WONDERCAM_SECOND_FACTOR is off: nobody is asked for one.")
        from chat.accounts import second_factor

        user = arguments.user(options["user"])
        removed = second_factor.remove(user)
        if options["json"]:
            return self.put(json.dumps({"user": user.get_username(), "removed": removed}) + "\n")
        name = user.get_username()
        self.stdout.write(f"{name} has no second factor any more." if removed else f"{name} had no second factor.")
