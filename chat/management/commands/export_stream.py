"""Exports a stored stream as a file."""

import json
from collections.abc import Iterable, Iterator
from typing import Any

from django.core.management.base import CommandError, CommandParser

from chat.log.pages import stored_events
from chat.management import aimock, archive, arguments, carriers
from chat.management.files import new_file
from chat.management.filters import Filter
from chat.management.progress import Progress
from chat.models import Stream
from chat.protocol import events, recording


class Command(Filter):
    """`export_stream`: writes to a new file, or to standard output without a file name."""

    help = "Write a recorded stream as a portable file, JSON lines by default; to standard output without FILE."

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the stream, the target file and its format."""
        parser.add_argument("id", help="the stream's id")
        parser.add_argument(
            "file",
            metavar="FILE",
            nargs="?",
            type=arguments.file,
            help="a file that does not exist yet, made 0600; - is standard output",
        )
        kinds = parser.add_mutually_exclusive_group()
        kinds.add_argument("--html", action="store_true", help="one page that plays it anywhere, without a network")
        kinds.add_argument("--cast", action="store_true", help="an asciicast v3, for asciinema")
        kinds.add_argument("--aimock", action="store_true", help="a fixture of aimock, the mock server for models")
        kinds.add_argument("--zip", action="store_true", help="with the photos and sounds of its question")
        parser.add_argument("--json", action="store_true", help="print what was written to FILE as a JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        """Write the stream's header and its events. Raises CommandError for a running stream."""
        stream, name = arguments.stream(options["id"]), None if options["file"] == "-" else options["file"]
        if stream.status == events.RUNNING:
            raise CommandError(f"Stream {stream.pk} is still running: export it when it has ended.")
        if name is None and (options["json"] or options["zip"]):
            raise CommandError("Name a FILE that does not exist yet: --zip and --json need one.")
        if name is None:
            for piece in self._text(stream, options):
                self.put(piece)
            return
        with new_file(name) as file:
            if options["zip"]:
                carriers.zipped(self._lines(stream), archive.media(stream), file)
            else:
                file.writelines(piece.encode() for piece in self._text(stream, options))
        count = stream.last_seq + 1
        if options["json"]:
            self.put(json.dumps({"id": str(stream.pk), "events": count, "file": name}, ensure_ascii=False) + "\n")
        else:
            self.say(f"Stream {stream.pk}: {count} events are in {name}.")

    def _lines(self, stream: Stream) -> Iterator[str]:
        progress = Progress(self.say, stream.last_seq + 1, "events")
        return recording.dump(archive.describe(stream), progress.over(stored_events(stream.pk)))

    def _text(self, stream: Stream, options: dict[str, Any]) -> Iterable[str]:
        if options["aimock"]:
            return [aimock.fixture_file(archive.describe(stream), list(stored_events(stream.pk)))]
        lines, title = self._lines(stream), stream.conversation.title or f"Stream {stream.pk}"
        if options["html"]:
            return [carriers.html(lines, title)]
        return carriers.cast(lines, title) if options["cast"] else lines
