"""A stored stream as a portable file."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from chat.management import archive, arguments
from chat.management.filters import Filter
from chat.models import Stream
from chat.protocol import events, recording
from chat.protocol.events import Event


class Command(Filter):
    """`export_stream`: JSON lines to a new file, or to the pipe where no file is named."""

    help = "Write a recorded stream as a portable file (JSON lines); to standard output where no FILE is given."

    def add_arguments(self, parser: CommandParser) -> None:
        """Which stream, and where to."""
        parser.add_argument("id", help="the stream's id")
        parser.add_argument("file", metavar="FILE", nargs="?", help="a file that does not exist yet")

    def handle(self, *args: Any, **options: Any) -> None:
        """Describe the stream, then copy its log."""
        stream = arguments.stream(options["id"])
        if stream.status == events.RUNNING:
            raise CommandError(f"Stream {stream.pk} is still running: export it when it has ended.")
        lines = recording.dump(archive.describe(stream), log(stream))
        if options["file"] is None:
            for line in lines:
                self.put(line)
            return
        path = Path(options["file"])
        try:
            with path.open("x", encoding="utf-8", newline="\n") as file:
                file.writelines(lines)
        except FileExistsError:
            raise CommandError(f"{path} exists already, and is not overwritten: name another file.") from None
        except OSError as wrong:
            raise CommandError(f"{path} cannot be written: {wrong.strerror}.") from None
        self.stderr.write(f"Stream {stream.pk}: {stream.last_seq + 1} events are in {path}.")


def log(stream: Stream) -> Iterator[Event]:
    """A stored stream's events, a thousand at a time."""
    rows = stream.events.order_by("seq").values_list("seq", "at", "data")
    return (Event(*row) for row in rows.iterator(chunk_size=1_000))
