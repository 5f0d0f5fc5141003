"""Creates the key pair for Web Push."""

import json
from typing import Any

from django.conf import settings
from django.core.management.base import CommandParser

from chat.management.filters import Filter
from chat.push.keys import SiteKey


class Command(Filter):
    """`make_push_keys`: prints the two variables that turn Web Push on."""

    help = "Make the key by which push services know this site, and print the variables that turn Web Push on."

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the contact address for push services."""
        parser.add_argument("--contact", default="", help="such as ops@example.com or https://example.com/contact")
        parser.add_argument("--json", action="store_true", help="print the two variables as a JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print the variables. Nothing is stored."""
        sender = settings.DEFAULT_FROM_EMAIL
        contact = options["contact"] or (sender if "." in sender.partition("@")[2] else "")
        known, contact = bool(contact), contact or "you@example.com"
        made = {
            "WONDERCAM_PUSH_KEY": str(SiteKey.new()),
            "WONDERCAM_PUSH_CONTACT": contact if ":" in contact else f"mailto:{contact}",
        }
        if options["json"]:
            self.stdout.write(json.dumps(made))
            return
        self.stdout.write("# Into the environment or `.env`. A new key ends every browser's subscription.")
        self.stdout.write(f"WONDERCAM_PUSH_KEY={made['WONDERCAM_PUSH_KEY']}")
        if not known:
            self.stdout.write("# In the second line write the address under which push services reach you.")
        self.stdout.write(f"WONDERCAM_PUSH_CONTACT={made['WONDERCAM_PUSH_CONTACT']}")
