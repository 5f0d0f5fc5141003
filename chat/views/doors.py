"""Response bodies for clients of other APIs ("doors"): the log's events as Gemini's or OpenAI's servers send them.

A client that disconnects stops the generation, as it does there (`turns/departures.py`).
"""

import logging
from collections.abc import AsyncGenerator
from contextlib import aclosing, nullcontext
from typing import NamedTuple

from chat.log import Page
from chat.models import Stream
from chat.process import Process
from chat.protocol import completion_chunks, events, response_events, sse
from chat.protocol.completion_chunks import CompletionChunks
from chat.protocol.errors import ApiError
from chat.protocol.events import Event, Response
from chat.protocol.response_events import ResponseEvents
from chat.views import event_stream

log = logging.getLogger(__name__)


class DoorLine(NamedTuple):
    """One of Gemini's responses as JSON, and the seq of its event; 0 where reading failed, which is no event."""

    seq: int
    data: str


async def responses(process: Process, stream: Stream) -> AsyncGenerator[list[DoorLine], None]:
    """The stream as Gemini itself would send it, in batches of JSON lines: no event 0, no field `wondercam`."""
    try:
        with process.departures.noticed(stream):
            async with aclosing(process.log.follow(stream.pk, 0)) as pages:
                async for page in pages:
                    if lines := [DoorLine(event.seq, line) for event in page.events if (line := as_gemini(event))]:
                        yield lines
    except ApiError as error:
        yield [DoorLine(0, events.encode(error.as_json()))]


async def gemini_stream(process: Process, stream: Stream) -> AsyncGenerator[bytes, None]:
    """`responses` as Gemini's event stream (`alt=sse`): without ids and `[DONE]`."""
    try:
        async with aclosing(responses(process, stream)) as batches:
            async for batch in batches:
                yield b"".join([b"data: %s\r\n\r\n" % line.data.encode() for line in batch])
    except Exception:
        log.exception("stream %s: its reader was cut off", stream.pk)


async def gemini_array(process: Process, stream: Stream) -> AsyncGenerator[bytes, None]:
    """`responses` as Gemini sends them without `alt=sse`: one JSON array, one response at a time."""
    before = b"["
    try:
        async with aclosing(responses(process, stream)) as batches:
            async for batch in batches:
                for line in batch:
                    yield before + line.data.encode()
                    before = b",\r\n"
        yield b"[]" if before == b"[" else b"]"
    except Exception:
        log.exception("stream %s: its reader was cut off", stream.pk)


async def openai_stream(process: Process, stream: Stream, chunks: CompletionChunks) -> AsyncGenerator[bytes, None]:
    """`responses` as OpenAI's chat completion chunks, each with the cursor at which `/v2/streams/<its id>` goes on. A
    failure is an `error` object, which ends the body."""
    try:
        async with aclosing(responses(process, stream)) as batches:
            async for batch in batches:
                for line in batch:
                    response = events.decode(line.data)
                    if error := response.get("error"):
                        yield as_event(completion_chunks.error_of(error))
                        return
                    if said := chunks.of(response, line.seq):
                        yield b"".join(map(as_event, said))
        yield sse.DONE
    except Exception:
        log.exception("stream %s: its reader was cut off", stream.pk)


async def response_stream(
    process: Process, stream: Stream, said: ResponseEvents, after: int = -1, *, stops: bool
) -> AsyncGenerator[bytes, None]:
    """The stream as typed events of OpenAI's Responses API, those after sequence number `after`. `stops`: whether a
    disconnect stops the generation."""

    def told(found: list[Response]) -> bytes:
        return b"".join(map(response_events.as_event, (each for each in found if each["sequence_number"] > after)))

    try:
        with process.departures.noticed(stream) if stops else nullcontext():
            yield told(said.begin()) or sse.HEARTBEAT  # the headers are sent with the first bytes
            async with aclosing(process.log.follow(stream.pk, 0)) as pages:
                async for page in pages:
                    yield told(translated(page, said)) or sse.HEARTBEAT
    except ApiError as error:
        yield response_events.as_event(said.cut(error.as_json()["error"]))
    except Exception:
        log.exception("stream %s: its reader was cut off", stream.pk)


async def read_to_end(process: Process, stream: Stream, said: ResponseEvents) -> None:
    """Pass a whole stream to `said`; returns when it has ended."""
    with process.departures.noticed(stream):
        async for page in process.log.follow(stream.pk, 0):
            translated(page, said)


async def read_so_far(process: Process, stream: Stream, said: ResponseEvents) -> None:
    """Pass the stored events of a stream to `said`."""
    async for page in process.log.follow(stream.pk, 0, live=False):
        translated(page, said)


def translated(page: Page, said: ResponseEvents) -> list[Response]:
    """The typed events for a page."""
    return [made for event in page.events for made in said.of(events.decode(event.data))]


def as_event(value: Response) -> bytes:
    """A JSON object as an event."""
    return b"data: %s\n\n" % events.encode(value).encode()


NO_PARTS = '"parts":[]'
"""How `events.encode` writes that a content has no parts."""


def as_gemini(event: Event) -> str:
    """An event without the field `wondercam`; "" if it has nothing else. A blocked prompt is Gemini's own response.

    A content without parts gets an empty text, as the last one of Gemini's has it: for Google's SDKs an answer with any
    empty content is not valid, and their chats leave it, and its question, out of the history that they send."""
    if '"wondercam"' not in event.data:
        return filled(events.decode(event.data)) if NO_PARTS in event.data else event.data
    response = events.decode(event.data)
    ours = response.pop("wondercam", None) or {}
    if blocked := ours.get("gemini"):
        return events.encode(blocked)
    return filled(response) if response.get("candidates") or "error" in response else ""


def filled(response: Response) -> str:
    """The response as JSON, with an empty text where a candidate's content has no parts."""
    for candidate in response.get("candidates") or ():
        if (candidate.get("content") or {}).get("parts") == []:
            candidate["content"]["parts"] = [{"text": ""}]
    return events.encode(response)


async def whole(process: Process, stream: Stream) -> Response:
    """The stream as one response, once it has ended: Gemini's, or `{"error": …}`."""
    with process.departures.noticed(stream):
        found = await event_stream.whole(process.log, stream.pk, ours=True)
    blocked = found.get("wondercam", {}).get("gemini")
    found.pop("wondercam", None)
    return blocked or found
