"""Imports a file as a stored stream."""

import json
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.db import transaction

from chat.management import archive, arguments
from chat.management.filters import Filter
from chat.management.progress import Progress
from chat.management.recordings import load_all, media
from chat.models import Stream, User

KEEPER = "recordings"
"""The account that owns imported streams without `--user`; nobody can sign in to it."""


class Command(Filter):
    """`import_stream`: stores a recording in one transaction, under the id that it has in the file."""

    help = "Store a recording made by export_stream, or each fixture of aimock, as an ended stream in a conversation."

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the file and the owner."""
        parser.add_argument(
            "file", metavar="FILE", type=arguments.file, help="a recording made by export_stream, or fixtures of aimock"
        )
        parser.add_argument("--user", metavar="NAME", help=f"whose stream it becomes ({KEEPER}, who cannot sign in)")
        parser.add_argument("--json", action="store_true", help="print the stored stream as a JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        """Read the file, store its streams, and print them."""
        found = load_all(options["file"])
        owner = keeper() if options["user"] is None else arguments.user(options["user"])
        progress = Progress(self.say, sum(len(read.events) for read in found), "events")
        try:
            with transaction.atomic():
                read_with = ((read, media(options["file"], read)) for read in found)
                stored = [archive.restore(read, owner, progress.add, along) for read, along in read_with]
        except archive.RecordingRefused as refused:
            raise CommandError(str(refused)) from None
        for stream in stored:
            self._tell(stream, owner, options)

    def _tell(self, stream: Stream, owner: User, options: dict[str, Any]) -> None:
        count = stream.last_seq + 1
        if options["json"]:
            stored = {"id": str(stream.pk), "user": owner.username, "events": count, "status": stream.status}
            return self.put(json.dumps(stored, ensure_ascii=False) + "\n")
        self.stdout.write(
            f"Stream {stream.pk} of {stream.model_id} is stored for {owner.username}: {count} events, {stream.status}."
        )


def keeper() -> User:
    """Return the account `KEEPER`, created if it does not exist."""
    owner, is_new = User.objects.get_or_create(username=KEEPER, defaults={"is_active": False})
    if is_new:
        owner.set_unusable_password()
        owner.save(update_fields=["password"])
    return owner
