"""The events of a stream: their format, and functions that make and read them.

Every event's `data` is one line of JSON in the shape of Gemini's `GenerateContentResponse`
(https://ai.google.dev/api/generate-content#v1beta.GenerateContentResponse), or `{"error": …}`.
What Gemini's format has no field for is in one additional field, `wondercam`:

    {"candidates": [], "wondercam": {"notice": {"kind": "waiting", "message": "…"}}}    while nothing is generated yet
    {"candidates": [], "wondercam": {"picked_up": {"message": "…"}}}                    its worker died; another goes on
    {"candidates": [], "wondercam": {"superseded_from": 1}}    what came from that event to this one counts no more
    {"candidates": [{…}], "wondercam": {"snapshot": 1}}     what the events from that one to this one add up to
    {"candidates": [{…, "finishReason": "OTHER"}], "wondercam": {"end": "stopped"}}     the reader stopped it
    {"error": {…}, "wondercam": {"end": "failed" | "interrupted"}}                      it failed, or its worker died
    {"error": {…}, "wondercam": {"end": "failed", "gemini": {…}}}                       blocked: what Gemini says of it

`static/chat/events.js` is this file's counterpart in the page; a test holds their constants equal.
"""

import asyncio
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import msgspec

from chat.protocol.errors import ApiError, Blocked

OK_DATA = '{"candidates": [{"content": {"parts": [{"text": "OK"}]}}]}'
"""The exact data of event 0: the message is stored. It is not part of the answer."""

DONE = "[DONE]"

RUNNING = "running"
COMPLETE, STOPPED, FAILED, INTERRUPTED = "complete", "stopped", "failed", "interrupted"
ENDS = (COMPLETE, STOPPED, FAILED, INTERRUPTED)
STATUSES = (RUNNING, *ENDS)

WAITING, READING, FALLBACK, LOADING = "waiting", "reading", "fallback", "loading"
NOTICES = (WAITING, READING, FALLBACK, LOADING)

PICKED_UP, SUPERSEDED_FROM = "picked_up", "superseded_from"

HANDED_OVER = "handed_over"

SNAPSHOT = "snapshot"

Response = dict[str, Any]
"""A `GenerateContentResponse` as Python's own types."""


class Event(NamedTuple):
    """One event: `seq` counts from 0 without holes, `at` is in µs since the stream began, `data` is a line of JSON."""

    seq: int
    at: int
    data: str


class Chunk(msgspec.Struct, gc=False):
    """A response from a provider, on its way to the log: its line of JSON, and the fields that are read on the way.

    `parts` and `reason` are those of the first candidate; `notice` is the kind of a notice, "" if it is none.
    """

    data: str
    parts: list[dict[str, Any]]
    reason: str | None = None
    usage: dict[str, Any] | None = None
    notice: str = ""


Give = Callable[[Chunk], "asyncio.Future[None] | None"]
"""Takes the next chunk of a provider. Returns None, or for backpressure a future to wait for before the next chunk.
Raises an error if the answer must end."""

_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder()


def encode(response: Response) -> str:
    """One line of JSON. JSON escapes line ends in strings, so no text can end its `data:` line."""
    return _encoder.encode(response).decode()


def decode(data: str | bytes) -> Response:
    """The response in an event's `data`. Raises `msgspec.DecodeError` (a ValueError) if it is not JSON."""
    response: Response = _decoder.decode(data)
    return response


def delta(text: str, model: str = "") -> Response:
    """A response that adds `text` to the answer."""
    response: Response = {"candidates": [{"content": {"role": "model", "parts": [{"text": text}]}}]}
    if model:
        response["modelVersion"] = model
    return response


def finish(reason: str, usage: dict[str, int] | None = None, model: str = "") -> Response:
    """The last response of a complete answer, for providers with another format."""
    response: Response = {
        "candidates": [{"content": {"role": "model", "parts": []}, "finishReason": reason}],
        "usageMetadata": usage or {},
    }
    if model:
        response["modelVersion"] = model
    return response


def notice(kind: str, message: str) -> Response:
    """Tells the reader why no text arrives yet: `kind` is one of NOTICES."""
    return {"candidates": [], "wondercam": {"notice": {"kind": kind, "message": message}}}


def picked_up(message: str, *, anew: bool = False, handed_over: bool = False) -> Response:
    """Another worker has taken the turn over. `anew`: the answer starts again. `handed_over`: the previous worker was
    told to stop; otherwise it has died."""
    ours: dict[str, Any] = {PICKED_UP: {"message": message, **({HANDED_OVER: True} if handed_over else {})}}
    return {"candidates": [], "wondercam": {**ours, SUPERSEDED_FROM: 1} if anew else ours}


def is_after_death(response: Response) -> bool:
    """Whether it says that another worker has taken the turn over after the death of its worker."""
    taken = (response.get("wondercam") or {}).get(PICKED_UP)
    return taken is not None and HANDED_OVER not in taken


def begun_anew() -> Response:
    """The answer starts again: the events from 1 up to this one do not count any more."""
    return {"candidates": [], "wondercam": {SUPERSEDED_FROM: 1}}


def begins_anew(response: Response) -> bool:
    """Whether the answer starts again with this event."""
    return SUPERSEDED_FROM in (response.get("wondercam") or ())


def snapshot(parts: list[dict[str, Any]], last: Response | None = None) -> Response:
    """One event for all events from 1 on; for a complete answer with the other fields of its `last` event."""
    last = last or {}
    first = {**(last.get("candidates") or [{}])[0], "content": {"role": "model", "parts": parts}}
    return {**last, "candidates": [first], "wondercam": {**last.get("wondercam", {}), SNAPSHOT: 1}}


def stopped(usage: dict[str, int] | None = None) -> Response:
    """The last event of a stream that its reader stopped."""
    response = finish("OTHER", usage)
    response["candidates"][0]["finishMessage"] = "Stopped by the reader."
    response["wondercam"] = {"end": STOPPED}
    return response


def failure(error: ApiError, end: str = FAILED) -> Response:
    """The last event of a stream that failed (`end` FAILED), or was interrupted (INTERRUPTED)."""
    blocked = {"gemini": error.gemini} if isinstance(error, Blocked) and error.gemini else {}
    return {**error.as_json(), "wondercam": {"end": end, **blocked}}


def chunk(response: Response) -> Chunk:
    """A response as a chunk."""
    parts, reason = look(response)
    notice = (response.get("wondercam") or {}).get("notice") or {}
    return Chunk(encode(response), parts, reason, response.get("usageMetadata"), notice.get("kind", ""))


def parts_of(response: Response) -> list[dict[str, Any]]:
    """The parts of the first candidate; an empty list if there are none."""
    return look(response)[0]


def look(response: Response) -> tuple[list[dict[str, Any]], str | None]:
    """`parts_of` and `finish_reason` in one call, because every response needs both."""
    candidates = response.get("candidates")
    if not candidates:
        return [], None
    first = candidates[0]
    content = first.get("content")
    return (content.get("parts") or [] if content else []), first.get("finishReason")


def text_of(response: Response) -> str:
    """The text that this response adds to the answer, without thoughts."""
    return "".join(part["text"] for part in parts_of(response) if "text" in part and not part.get("thought"))


def answers(parts: Iterable[dict[str, Any]]) -> bool:
    """Whether any of these parts belongs to the answer: it is neither a thought nor an empty text."""
    return any(not part.get("thought") and part.get("text", True) for part in parts)


def thinks(parts: Iterable[dict[str, Any]]) -> bool:
    """Whether any of these parts is a thought."""
    return any(part.get("thought") for part in parts)


def finish_reason(response: Response) -> str | None:
    """The `finishReason` of the first candidate; None if the answer does not end here."""
    return look(response)[1]


def counts_from(events: Iterable[Event]) -> int:
    """The seq of the last event at which the answer started again; 0 if it never did."""
    anew = (event.seq for event in events if SUPERSEDED_FROM in event.data and begins_anew(decode(event.data)))
    return max(anew, default=0)


def answer_text(events: Iterable[Event]) -> str:
    """The text of the answer: that of events 1 and later, without what was superseded."""
    texts: list[str] = []
    for event in events:
        if event.seq > 0:
            response = decode(event.data)
            if begins_anew(response):
                texts.clear()
            texts.append(text_of(response))
    return "".join(texts)
