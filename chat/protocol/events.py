"""The vocabulary of the event stream: what an event looks like, and what it says.

Every event's `data` is one line of JSON in the shape of Gemini's `GenerateContentResponse`
(https://ai.google.dev/api/generate-content#v1beta.GenerateContentResponse), or `{"error": …}`.
What Gemini has no word for is under one extra key, `wondercam`:

    {"candidates": [], "wondercam": {"notice": {"kind": "waiting", "message": "…"}}}    while nothing is generated yet
    {"candidates": [], "wondercam": {"picked_up": {"message": "…"}}}                    its worker died; another goes on
    {"candidates": [], "wondercam": {"superseded_from": 1}}    what came from that event to this one counts no more
    {"candidates": [{…}], "wondercam": {"snapshot": 1}}     what the events from that one to this one add up to
    {"candidates": [{…, "finishReason": "OTHER"}], "wondercam": {"end": "stopped"}}     the reader stopped it
    {"error": {…}, "wondercam": {"end": "failed" | "interrupted"}}                      it failed, or its worker died
    {"error": {…}, "wondercam": {"end": "failed", "gemini": {…}}}                       blocked: what Gemini says of it

`static/chat/events.js` is this file's counterpart in the page; a test holds their words equal.
"""

import asyncio
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import msgspec

from chat.protocol.errors import ApiError, Blocked

OK_DATA = '{"candidates": [{"content": {"parts": [{"text": "OK"}]}}]}'
"""Event 0, to the letter: the message is stored. Not part of the answer."""

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
    """One stored event: `seq` from 0 without holes, `at` in µs since the stream began, `data` one line of JSON."""

    seq: int
    at: int
    data: str


class Chunk(msgspec.Struct, gc=False):
    """A response on its way from a provider into the log: its line of JSON, and what is looked at on that way.

    `parts` and `reason` are the first candidate's; `notice` is the kind of one of ours.
    """

    data: str
    parts: list[dict[str, Any]]
    reason: str | None = None
    usage: dict[str, Any] | None = None
    notice: str = ""


Give = Callable[[Chunk], "asyncio.Future[None] | None"]
"""Takes a provider's next chunk. Where no more should come just now it says what is to be waited for, and None else;
raises what ends the answer."""

_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder()


def encode(response: Response) -> str:
    """One line of JSON. A JSON string holds no raw line end, so no text can break out of its `data:` line."""
    return _encoder.encode(response).decode()


def decode(data: str | bytes) -> Response:
    """The response behind one `data`; raises `msgspec.DecodeError` (a ValueError) on anything that is no JSON."""
    response: Response = _decoder.decode(data)
    return response


def delta(text: str, model: str = "") -> Response:
    """A response that adds `text` to the answer."""
    response: Response = {"candidates": [{"content": {"role": "model", "parts": [{"text": text}]}}]}
    if model:
        response["modelVersion"] = model
    return response


def finish(reason: str, usage: dict[str, int] | None = None, model: str = "") -> Response:
    """The last response of a complete answer, for providers that do not speak Gemini."""
    response: Response = {
        "candidates": [{"content": {"role": "model", "parts": []}, "finishReason": reason}],
        "usageMetadata": usage or {},
    }
    if model:
        response["modelVersion"] = model
    return response


def notice(kind: str, message: str) -> Response:
    """Something the reader should know while no text comes: `kind` is one of NOTICES."""
    return {"candidates": [], "wondercam": {"notice": {"kind": kind, "message": message}}}


def picked_up(message: str, *, anew: bool = False, handed_over: bool = False) -> Response:
    """Another worker has taken the turn up. `anew`: the answer begins from its beginning again. `handed_over`: the one
    before was told to stop; else it has died."""
    ours: dict[str, Any] = {PICKED_UP: {"message": message, **({HANDED_OVER: True} if handed_over else {})}}
    return {"candidates": [], "wondercam": {**ours, SUPERSEDED_FROM: 1} if anew else ours}


def is_after_death(response: Response) -> bool:
    """Whether it says that the turn of a worker that has died was taken up."""
    taken = (response.get("wondercam") or {}).get(PICKED_UP)
    return taken is not None and HANDED_OVER not in taken


def begun_anew() -> Response:
    """The answer begins from its beginning again: nothing from event 1 to this one counts."""
    return {"candidates": [], "wondercam": {SUPERSEDED_FROM: 1}}


def begins_anew(response: Response) -> bool:
    """Whether what came before this event counts no more."""
    return SUPERSEDED_FROM in (response.get("wondercam") or ())


def snapshot(parts: list[dict[str, Any]], last: Response | None = None) -> Response:
    """What the events from 1 on add up to; with the last one of a complete answer all that it says besides."""
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
    """The last event of a stream that failed (`end` FAILED) or whose worker went away (INTERRUPTED)."""
    blocked = {"gemini": error.gemini} if isinstance(error, Blocked) and error.gemini else {}
    return {**error.as_json(), "wondercam": {"end": end, **blocked}}


def chunk(response: Response) -> Chunk:
    """The response as a chunk."""
    parts, reason = look(response)
    notice = (response.get("wondercam") or {}).get("notice") or {}
    return Chunk(encode(response), parts, reason, response.get("usageMetadata"), notice.get("kind", ""))


def parts_of(response: Response) -> list[dict[str, Any]]:
    """The first candidate's parts; an empty list where there are none."""
    return look(response)[0]


def look(response: Response) -> tuple[list[dict[str, Any]], str | None]:
    """`parts_of` and `finish_reason` in one: asked of every response."""
    candidates = response.get("candidates")
    if not candidates:
        return [], None
    first = candidates[0]
    content = first.get("content")
    return (content.get("parts") or [] if content else []), first.get("finishReason")


def text_of(response: Response) -> str:
    """What this response adds to the answer's text; thoughts are not part of it."""
    return "".join(part["text"] for part in parts_of(response) if "text" in part and not part.get("thought"))


def answers(parts: Iterable[dict[str, Any]]) -> bool:
    """Whether anything of these parts belongs to the answer: neither a thought, nor a text without a character."""
    return any(not part.get("thought") and part.get("text", True) for part in parts)


def thinks(parts: Iterable[dict[str, Any]]) -> bool:
    """Whether anything of these parts is a thought."""
    return any(part.get("thought") for part in parts)


def finish_reason(response: Response) -> str | None:
    """The first candidate's `finishReason`, if this is where it ends."""
    return look(response)[1]


def counts_from(events: Iterable[Event]) -> int:
    """The seq of the last event at which the answer began anew; 0 where it did not."""
    anew = (event.seq for event in events if SUPERSEDED_FROM in event.data and begins_anew(decode(event.data)))
    return max(anew, default=0)


def answer_text(events: Iterable[Event]) -> str:
    """The answer's text: that of events 1 and up, put together by seq, without what was superseded."""
    texts: list[str] = []
    for event in events:
        if event.seq > 0:
            response = decode(event.data)
            if begins_anew(response):
                texts.clear()
            texts.append(text_of(response))
    return "".join(texts)
