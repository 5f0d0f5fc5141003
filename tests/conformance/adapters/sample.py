"""The small server of `tests/conformance/sample.py`."""

import json

import httpx

from chat.protocol.sse import Decoder
from tests.conformance.adapter import Adapter, Ask, Call, Item, Received
from tests.conformance.checks import CHECKS, name_of


class SampleAdapter(Adapter):
    """It promises everything."""

    name = "The sample"
    promises = {name_of(check): "its docstring" for check in CHECKS}

    async def prepare(self) -> None:
        """Who asks is believed."""
        self.owner, self.stranger = {"User": "one"}, {"User": "another"}

    def asking(self, ask: Ask) -> Call:
        """The answer is the response."""
        return Call("POST", "/answers", body={"key": ask.key, "pieces": ask.pieces, "pause": ask.pause / 10})

    def named(self, ask: Ask, response: httpx.Response) -> str:
        """A header says which stream it is."""
        return str(response.headers["x-stream"])

    def following(self, stream: str, after: str | None = None) -> Call:
        """The cursor is the id of the last event."""
        return Call("GET", f"/answers/{stream}", {} if after is None else {"Last-Event-ID": after})

    def received(self, body: bytes, after: str | None = None) -> Received:
        """`[DONE]` is the end; the event before it says which."""
        came = Decoder().feed(body)
        done = bool(came) and came[-1].data == "[DONE]"
        kept = came[:-1] if done else came
        items = tuple(Item(event.id, event.data, json.loads(event.data).get("text", "")) for event in kept)
        end = json.loads(kept[-1].data).get("end", "") if done and kept else ""
        return Received(items, kept[-1].id if kept else after, end)

    def stopping(self, stream: str) -> Call:
        """As often as one likes."""
        return Call("POST", f"/answers/{stream}/stop")

    def cursor_ahead(self, cursor: str) -> str:
        """`<stream>:<number>`."""
        return f"{cursor.rpartition(':')[0]}:999999"


ADAPTER = SampleAdapter
