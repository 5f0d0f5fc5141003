"""The data of a stream's replay in the review: its events with their times, and a sentence about each."""

from typing import Any

from chat.admin.timeline import clocks_of, delivery_of, end_of
from chat.log.pages import stored_events
from chat.models import Stream
from chat.protocol import events, timing

MOST_BYTES = 8_000_000
"""The most bytes of events that are played; `replay_stream` and `export_stream --html` have no limit."""


def recording_of(stream: Stream) -> dict[str, Any]:
    """Return `{"events": [{"at": ms, "response"}], "clocks": [sentence], "end": ms of the timeline or 0, "more"}`."""
    played: list[dict[str, Any]] = []
    moments: list[int] = []
    size, more = 0, False
    for event in stored_events(stream.pk):
        size += len(event.data)
        if played and size > MOST_BYTES:
            more = True
            break
        played.append({"at": event.at / 1000, "response": events.decode(event.data)})
        moments.append(event.at)
    found = delivery_of(stream, moments)
    said = clocks_of(found) if found else {}
    clocks = [said.get(seq, f"event {seq}: arrived {timing.words(at)}") for seq, at in enumerate(moments)]
    return {"events": played, "clocks": clocks, "end": end_of(found) if found else 0, "more": more}
