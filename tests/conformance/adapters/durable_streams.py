"""Durable Streams (https://durablestreams.com): streams that any program may write, and others read.

Who generates is whoever writes, so here the adapter does, over HTTP, as an idempotent producer. A reader keeps what a
`control` event has confirmed, as the project's own client does; its `streamNextOffset` is the cursor.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import httpx

from chat.protocol.sse import Decoder
from tests.conformance.adapter import Adapter, Ask, Call, Item, Received
from tests.conformance.reading import Reading

PROTOCOL = "PROTOCOL.md"
WRITER = "the writer is the application"


class DurableStreamsAdapter(Adapter):
    """The reference server for Node.js, with its streams in files."""

    name = "Durable Streams"
    promises = {
        "event_stream": f"{PROTOCOL} 5.7",
        "typed_end": f"{PROTOCOL} 5.7, `streamClosed`",
        "cut_live": f"{PROTOCOL} 4 and 6",
        "cut_at_every_byte": f"{PROTOCOL} 4 and 6",
        "late_reader": f"{PROTOCOL} 4",
        "joined_reader": f"{PROTOCOL} 5.7",
        "two_readers": f"{PROTOCOL} 4",
        "posted_again": f"{PROTOCOL} 5.2.1, idempotent producers",
        "unknown_stream": f"{PROTOCOL} 5.7",
        "cursor_that_is_none": f"{PROTOCOL} 5.7",
        "killed": f"{PROTOCOL} 4, durability",
    }
    absent = {
        "acknowledged": f"It has no generation: {WRITER}.",
        "posted_again_with_a_cursor": f"It has no generation: {WRITER}.",
        "leaving_is_not_stopping": f"It has no generation: {WRITER}.",
        "stop": f"It has no generation: {WRITER}.",
        "stop_twice": f"It has no generation: {WRITER}.",
        "foreign_stream": "It leaves authorization to the application.",
        "foreign_stop": "It leaves authorization to the application.",
    }

    def __init__(self, client: httpx.AsyncClient, options: Mapping[str, str]) -> None:
        super().__init__(client, options)
        self._writing: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def begin(self, ask: Ask, headers: Mapping[str, str] | None = None) -> AsyncIterator[Reading]:
        """Make the stream, write it in the background, and read it."""
        made = await self.client.put(f"/answers/{ask.key}", headers={"Content-Type": "application/json"})
        made.raise_for_status()
        task = asyncio.create_task(self._write(ask))
        self._writing.add(task)
        task.add_done_callback(self._writing.discard)
        async with self.open(self.following(ask.key)) as reading:
            reading.stream = ask.key
            yield reading

    async def _write(self, ask: Ask) -> None:
        for number in range(ask.pieces):
            await asyncio.sleep(ask.pause)
            await self._append(ask.key, number, json.dumps([{"text": f"🌍 {number} "}]).encode())
        await self._append(ask.key, ask.pieces, b"", {"Stream-Closed": "true"})

    async def _append(self, key: str, number: int, data: bytes, more: Mapping[str, str] | None = None) -> None:
        producer = {"Producer-Id": "adapter", "Producer-Epoch": "0", "Producer-Seq": str(number)}
        headers = {"Content-Type": "application/json", **producer, **(more or {})}
        await self.client.post(f"/answers/{key}", content=data, headers=headers)

    def following(self, stream: str, after: str | None = None) -> Call:
        """The cursor is in the address."""
        return Call("GET", f"/answers/{stream}?offset={after or -1}&live=sse")

    def received(self, body: bytes, after: str | None = None) -> Received:
        """What came before the last `control` event; one with `streamClosed` is the end."""
        kept: list[Item] = []
        waiting: list[Item] = []
        cursor, end = after, ""
        for event in Decoder().feed(body):
            told = json.loads(event.data)
            if event.event == "data":
                waiting += [Item(event.id, json.dumps(each, ensure_ascii=False), each["text"]) for each in told]
                continue
            kept, waiting = kept + waiting, []
            cursor = told["streamNextOffset"]
            end = "complete" if told.get("streamClosed") else end
        return Received(tuple(kept), cursor, end)

    def cursor_ahead(self, cursor: str) -> str:
        """Offsets are opaque; this one has the form of those that the server gives out."""
        name, _, place = cursor.rpartition("_")
        return f"{name}_{'9' * len(place)}"


ADAPTER = DurableStreamsAdapter
