"""TanStack AI (https://tanstack.com/ai), resumable streams with the log in memory, by
`tests/conformance/others/tanstack_ai.mjs`. The events are AG-UI's; their ids are the cursors."""

import json

import httpx

from chat.protocol.sse import Decoder
from tests.conformance.adapter import Adapter, Ask, Call, Item, Received

GUIDE = "docs, Resumable Streams"
ENDS = {"RUN_FINISHED": "complete", "RUN_ERROR": "failed"}


class TanStackAdapter(Adapter):
    """Its response helpers and its `memoryStream`, wired as its guide does."""

    name = "TanStack AI"
    promises = {
        "event_stream": "docs, Server-Sent Events",
        "ids": GUIDE,
        "typed_end": f"{GUIDE}: RUN_FINISHED or RUN_ERROR",
        "cut_live": GUIDE,
        "cut_at_every_byte": GUIDE,
        "last_event_id": GUIDE,
        "late_reader": f"{GUIDE}: for 5 minutes in memory",
        "joined_reader": f"{GUIDE}, `joinRun`",
        "two_readers": f"{GUIDE}, `joinRun`",
        "posted_again_with_a_cursor": f"{GUIDE}: how its client reconnects",
        "leaving_is_not_stopping": GUIDE,
    }
    absent = {
        "foreign_stream": "It leaves authorization to the application.",
        "foreign_stop": "It leaves authorization to the application.",
        "stop_twice": "The route is the application's.",
        "killed": "This log is in memory; another is `@tanstack/ai-durable-stream`.",
    }

    def asking(self, ask: Ask) -> Call:
        """The answer is the response; who asks names the run."""
        return Call("POST", "/answers", {"X-Run-Id": ask.key}, {"pieces": ask.pieces, "pause": ask.pause})

    def named(self, ask: Ask, response: httpx.Response) -> str:
        """The run."""
        return ask.key

    def following(self, stream: str, after: str | None = None) -> Call:
        """From the beginning by `offset=-1`, after an event by its id."""
        path = f"/answers?runId={stream}"
        return Call("GET", path, {"Last-Event-ID": after}) if after is not None else Call("GET", f"{path}&offset=-1")

    def received(self, body: bytes, after: str | None = None) -> Received:
        """RUN_FINISHED or RUN_ERROR is the end."""
        came = Decoder().feed(body)
        told = [json.loads(event.data) for event in came]
        items = tuple(Item(event.id, event.data, each.get("delta", "")) for event, each in zip(came, told, strict=True))
        end = next((ENDS[each["type"]] for each in told if each["type"] in ENDS), "")
        return Received(items, (came[-1].id or after) if came else after, end)

    def stopping(self, stream: str) -> Call:
        """The application's route; it aborts the run's controller."""
        return Call("POST", f"/answers/stop?runId={stream}")

    def cursor_ahead(self, cursor: str) -> str:
        """`memory:v1:<run>:<number>`."""
        return f"{cursor.rpartition(':')[0]}:999999"


ADAPTER = TanStackAdapter
