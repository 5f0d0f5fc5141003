"""Plays a stored or exported stream."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

from asgiref.sync import async_to_sync
from django.core.management.base import CommandError, CommandParser

from chat.log import Log
from chat.log.pages import stored_events
from chat.management import arguments
from chat.management.filters import Filter
from chat.management.recordings import load
from chat.management.terminal import shown
from chat.models import Stream
from chat.protocol import events, sse
from chat.protocol.events import Event
from chat.protocol.recording import Recording

FORMATS = ("text", "sse", "json")

Source = AsyncIterator[Event]


class Command(Filter):
    """`replay_stream`: plays a stored stream (by `Log.follow`), or a file (by `recordings.load`), at its recorded
    pace."""

    help = "Play a recorded stream at its pace: to the terminal as text, to a pipe as the SSE bytes its readers got."

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the source, the range, the speed and the format."""
        parser.add_argument("source", metavar="id or file", help="a stream's id, or a recording made by export_stream")
        parser.add_argument("--speed", type=arguments.speed, default=1.0, help="1 as recorded, 2 double, 0 at once")
        parser.add_argument("--after", type=arguments.seq, metavar="SEQ", help="only what comes after this event")
        parser.add_argument("--cut", type=arguments.seq, metavar="SEQ", help="break off after this event")
        forms = (
            "sse or json, exact into a pipe; text for people, where no control is obeyed; text on a terminal, else sse"
        )
        parser.add_argument("--format", choices=FORMATS, help=forms)

    def handle(self, *args: Any, **options: Any) -> None:
        """Play the source. An error in a file is reported after its valid events have been played."""
        after = -1 if options["after"] is None else options["after"]
        cut = options["cut"]
        if cut is not None and cut <= after:
            raise CommandError(f"--cut {cut} comes before what --after {after} leaves to play.")
        stream_id, source, error, counts_from = self._open(options["source"], after)
        form = options["format"] or ("text" if self.stdout.isatty() else "sse")
        player = Player(self.put, form, stream_id, error, counts_from)
        async_to_sync(player.play)(source, options["speed"], cut)
        if player.failure:
            self.say(player.failure)
        if error:
            raise CommandError(error)
        if self.stdout.isatty():
            self.put("\n")

    def _open(self, name: str, after: int) -> tuple[str, Source, str | None, int]:
        """Return the stream's id, its events, a file's error or None, and the seq after which the answer begins."""
        stream_id = arguments.stream_id(name)
        if stream_id and Stream.objects.filter(pk=stream_id).exists():
            counts_from = events.counts_from(stored_events(stream_id))
            return str(stream_id), stored(stream_id, after), None, counts_from
        if not Path(name).is_file():
            what = f"There is no stream {stream_id}" if stream_id else f"{name!r} is neither a stream's id nor a file"
            raise CommandError(f"{what}: list_streams shows the ids.")
        read = load(name)
        recorded = str(arguments.stream_id(str(read.header.get("id"))) or "recording")
        return recorded, of_file(read, after), read.error, events.counts_from(read.events)


async def stored(stream_id: Any, after: int) -> Source:
    """Yield a stored stream's events; a running one is followed until it ends."""
    async with contextlib.aclosing(Log().follow(stream_id, after)) as pages:
        async for page in pages:
            for event in page.events:
                yield event


async def of_file(read: Recording, after: int) -> Source:
    """Yield a file's valid events after a seq."""
    for event in read.events[after + 1 :]:
        yield event


class Player:
    """Writes events with `put` in one format. With an `error` the source is incomplete, so `[DONE]` is not written. In
    the format `text`, the answer before event `counts_from`, at which it restarted, is omitted."""

    def __init__(
        self, put: Callable[[str], None], form: str, stream_id: str, error: str | None, counts_from: int = 0
    ) -> None:
        self._counts_from = counts_from
        self._put = put
        self._form = form
        self._stream_id = stream_id
        self._whole = error is None
        self.failure = ""

    async def play(self, source: Source, speed: float, cut: int | None) -> None:
        """Write each event at its recorded time after the first one played, divided by `speed`; stop after `cut`."""
        if self._form == "sse":
            self._put(sse.PRELUDE.decode())
        loop = asyncio.get_running_loop()
        began, first_at = loop.time(), None
        async for event in source:
            first_at = event.at if first_at is None else first_at
            due = began + (event.at - first_at) / 1_000_000 / speed if speed else 0
            if (wait := due - loop.time()) > 0:
                await asyncio.sleep(wait)
            self._show(event)
            if event.seq == cut:
                return
        if self._form == "sse" and self._whole:
            self._put(sse.DONE.decode())

    def _show(self, event: Event) -> None:
        if self._form == "sse":
            self._put(sse.encode(self._stream_id, event).decode())
        elif self._form == "json":
            self._put(f'{{"seq":{event.seq},"at":{event.at},"data":{event.data}}}\n')
        else:
            self._show_text(events.decode(event.data), event.seq)

    def _show_text(self, response: dict[str, Any], seq: int) -> None:
        if seq > self._counts_from and (text := events.text_of(response)):
            self._put(shown(text))
        if error := response.get("error"):
            self.failure = f"The stream failed: {error.get('message') or json.dumps(error)}"
