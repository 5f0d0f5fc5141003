"""Creates an invitation: a link by which one person can sign up."""

import json
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError, CommandParser
from django.urls import reverse

from chat.management import arguments
from chat.management.filters import Filter
from chat.models import Invitation


class Command(Filter):
    """`invite`: prints the link, which works once, until it expires."""

    help = "Print a link by which one person can make an account, where WONDERCAM_SIGNUP is invite."

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the lifetime, a note and the site's URL."""
        parser.add_argument("--expires", type=arguments.age, default="7d", metavar="AGE", help="such as 12h or 7d")
        parser.add_argument("--note", default="", help="whom it is for; shown in the admin")
        parser.add_argument("--url", type=arguments.site, help="the site's address, such as https://chat.example.com")
        parser.add_argument("--json", action="store_true", help="print the link in a JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        """Create the invitation, and print its link."""
        if settings.SIGNUP != "invite":
            raise CommandError(f"WONDERCAM_SIGNUP is {settings.SIGNUP}: invitations need it to be `invite`.")
        code = Invitation.give(options["expires"], options["note"][:200])
        link = f"{options['url'] or ''}{reverse('accounts:signup')}?invitation={code}"
        self.stdout.write(json.dumps({"link": link}) if options["json"] else link)
