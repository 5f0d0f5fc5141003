"""resumable-stream (https://github.com/vercel/resumable-stream), by `tests/conformance/others/resumable_stream.mjs`.

It carries text of whatever form, here events as the AI SDK frames them. The cursor is how many characters (UTF-16
units) of it a reader has; a reader counts whole events.
"""

import json

import httpx

from chat.protocol.sse import Decoder
from tests.conformance.adapter import Adapter, Ask, Call, Item, Received

README = "README.md"
TEXT = "What the text and its headers are is the application's."
AFTER_THE_END = "After the end it refers every reader to the application's database."
BY_THE_APPLICATION = "It leaves that to the application."


class ResumableStreamAdapter(Adapter):
    """The library behind Vercel's AI SDK, with its two routes as its README has them."""

    name = "resumable-stream"
    promises = {
        "event_stream": f"{README}, usage",
        "end_is_final": f"{README}, 422 when done",
        "joined_reader": README,
        "two_readers": README,
        "leaving_is_not_stopping": f"{README}, how it works",
        "posted_again": f"{README}, idempotent API",
    }
    absent = {
        "acknowledged": TEXT,
        "not_cached": TEXT,
        "not_buffered": TEXT,
        "not_compressed": TEXT,
        "typed_end": TEXT,
        "late_reader": AFTER_THE_END,
        "cut_at_every_byte": AFTER_THE_END,
        "cursor_that_is_none": AFTER_THE_END,
        "cursor_ahead": AFTER_THE_END,
        "posted_again_with_a_cursor": "The text has no ids.",
        "stop": BY_THE_APPLICATION,
        "stop_twice": BY_THE_APPLICATION,
        "foreign_stream": BY_THE_APPLICATION,
        "foreign_stop": BY_THE_APPLICATION,
        "killed": AFTER_THE_END,
    }

    def asking(self, ask: Ask) -> Call:
        """The answer is the response."""
        return Call("POST", f"/answers/{ask.key}", body={"pieces": ask.pieces, "pause": ask.pause})

    def named(self, ask: Ask, response: httpx.Response) -> str:
        """Who asks names it."""
        return ask.key

    def following(self, stream: str, after: str | None = None) -> Call:
        """The cursor is in the address."""
        return Call("GET", f"/answers/{stream}" + (f"?resumeAt={after}" if after is not None else ""))

    def received(self, body: bytes, after: str | None = None) -> Received:
        """`[DONE]` is the end."""
        whole = body[: body.rfind(b"\n\n") + 2] if b"\n\n" in body else b""
        came = Decoder().feed(whole)
        done = bool(came) and came[-1].data == "[DONE]"
        kept = came[:-1] if done else came
        items = tuple(Item(event.id, event.data, json.loads(event.data).get("delta", "")) for event in kept)
        units = int(after or 0) + len(whole.decode().encode("utf-16-le")) // 2
        return Received(items, str(units) if whole else after, "complete" if done else "")

    def cursor_ahead(self, cursor: str) -> str:
        """More characters than there are."""
        return "999999"


ADAPTER = ResumableStreamAdapter
