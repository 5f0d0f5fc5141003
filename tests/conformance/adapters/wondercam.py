"""WonderCam: `POST /v2/echat`, `GET /v2/streams/<id>` after `Last-Event-ID`, `POST /v2/streams/<id>/stop`.

Options: `question` is what is asked, with `{pieces}` and `{pause}` (ms) where a scripted model wants to know; `model`;
`token` and `stranger`, the access tokens of two users, where guests may not chat.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx

from chat.protocol import events
from chat.protocol.sse import Decoder
from tests.conformance.adapter import Adapter, Ask, Call, Item, Received
from tests.conformance.reading import Reading

QUESTION = "Tell me a long story about the sea."
GUARANTEES = "docs/guarantees.md"
API = "docs/api.md"


class WonderCamAdapter(Adapter):
    """This project's own server."""

    name = "WonderCam"
    promises = {
        "acknowledged": API,
        "event_stream": API,
        "not_cached": API,
        "not_buffered": API,
        "not_compressed": API,
        "ids": API,
        "typed_end": f"{GUARANTEES}, G3",
        "cut_live": f"{GUARANTEES}, G2",
        "cut_at_every_byte": f"{GUARANTEES}, G2",
        "last_event_id": API,
        "end_is_final": API,
        "late_reader": f"{GUARANTEES}, G2",
        "joined_reader": f"{GUARANTEES}, G2",
        "two_readers": f"{GUARANTEES}, G2",
        "posted_again_with_a_cursor": API,
        "leaving_is_not_stopping": f"{GUARANTEES}, G4",
        "posted_again": f"{GUARANTEES}, G7",
        "stop": f"{GUARANTEES}, G4",
        "stop_twice": f"{GUARANTEES}, G4",
        "foreign_stream": API,
        "foreign_stop": API,
        "unknown_stream": API,
        "cursor_that_is_none": API,
        "cursor_ahead": API,
        "cursor_of_another_stream": API,
        "heartbeat": API,
        "killed": f"{GUARANTEES}, G1",
    }

    async def prepare(self) -> None:
        """Two guests, or the two users whose tokens are given."""
        mine, other = self.options.get("token"), self.options.get("stranger")
        self.owner = bearer(mine or await self._guest())
        self.stranger = bearer(other or await self._guest()) if other or not mine else None

    async def _guest(self) -> str:
        answer = await self.client.post("/v2/auth/guest")
        return str(answer.raise_for_status().json()["access"])

    def asking(self, ask: Ask) -> Call:
        """The answer is the response."""
        text = self.options.get("question", QUESTION).format(pieces=ask.pieces, pause=1000 * ask.pause)
        length = {"maxOutputTokens": ask.pieces}
        model = {"model": self.options["model"]} if "model" in self.options else {}
        body = {"contents": [{"text": text}], "request_id": ask.key, "generationConfig": length, **model}
        return Call("POST", "/v2/echat", body=body)

    def named(self, ask: Ask, response: httpx.Response) -> str:
        """A header says which stream it is."""
        return str(response.headers["x-stream-id"])

    def following(self, stream: str, after: str | None = None) -> Call:
        """The cursor is the id of the last event."""
        return Call("GET", f"/v2/streams/{stream}", {} if after is None else {"Last-Event-ID": after})

    def received(self, body: bytes, after: str | None = None) -> Received:
        """`[DONE]` is the end; the event before it says which."""
        came = Decoder().feed(body)
        done = bool(came) and came[-1].data == events.DONE
        kept = came[:-1] if done else came
        items = tuple(Item(event.id, event.data, text_of(event.id, event.data)) for event in kept)
        end = (end_of(kept[-1].data) if kept else "complete") if done else ""
        return Received(items, kept[-1].id if kept else after, end)

    def stopping(self, stream: str) -> Call:
        """From any tab or worker."""
        return Call("POST", f"/v2/streams/{stream}/stop")

    @asynccontextmanager
    async def silence(self) -> AsyncIterator[Reading]:
        """One's feed, while one does nothing: it is followed as a stream is."""
        async with self.open(Call("GET", "/v2/feed")) as reading:
            yield reading

    def cursor_ahead(self, cursor: str) -> str:
        """`<stream>:<seq>`."""
        return f"{cursor.rpartition(':')[0]}:999999"


def bearer(token: str) -> dict[str, str]:
    """The header that says who asks."""
    return {"Authorization": f"Bearer {token}"}


def text_of(id: str, data: str) -> str:
    """What an event adds to the answer; event 0 is the acknowledgement."""
    return "" if id.endswith(":0") else events.text_of(events.decode(data))


def end_of(data: str) -> str:
    """What the last event says."""
    last = events.decode(data)
    if words := last.get("wondercam"):
        return str(words.get("end") or events.COMPLETE)
    return "failed" if "error" in last else events.COMPLETE


ADAPTER = WonderCamAdapter
