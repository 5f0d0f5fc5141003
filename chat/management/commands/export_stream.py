"""A stored stream as a portable file."""

import json
from typing import Any

from django.core.management.base import CommandError, CommandParser

from chat.log.pages import stored_events
from chat.management import archive, arguments
from chat.management.files import new_file
from chat.management.filters import Filter
from chat.management.progress import Progress
from chat.protocol import events, recording


class Command(Filter):
    """`export_stream`: JSON lines to a new file, or to the pipe where no file is named."""

    help = "Write a recorded stream as a portable file (JSON lines); to standard output where no FILE is given."

    def add_arguments(self, parser: CommandParser) -> None:
        """Which stream, and where to."""
        parser.add_argument("id", help="the stream's id")
        parser.add_argument("file", metavar="FILE", nargs="?", help="a file that does not exist yet; it is made 0600")
        parser.add_argument("--json", action="store_true", help="print what was written to FILE as a JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        """Describe the stream, then copy its log."""
        stream, name = arguments.stream(options["id"]), options["file"]
        if stream.status == events.RUNNING:
            raise CommandError(f"Stream {stream.pk} is still running: export it when it has ended.")
        if options["json"] and name is None:
            raise CommandError("--json describes the FILE that was written: name one.")
        count = stream.last_seq + 1
        lines = recording.dump(
            archive.describe(stream), Progress(self.say, count, "events").over(stored_events(stream.pk))
        )
        if name is None:
            for line in lines:
                self.put(line)
            return
        with new_file(name) as file:
            file.writelines(line.encode() for line in lines)
        if options["json"]:
            self.put(json.dumps({"id": str(stream.pk), "events": count, "file": name}, ensure_ascii=False) + "\n")
        else:
            self.say(f"Stream {stream.pk}: {count} events are in {name}.")
