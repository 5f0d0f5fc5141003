"""Converts fixtures of aimock, a mock server for models, to recordings, and recorded streams to fixtures.

    {"fixtures": [{"match": {"userMessage": …}, "response": {"content": …}, "recordedTimings": {…}}, …]}

A fixture has the whole answer and the times of its chunks, which aimock cuts by `chunkSize` UTF-16 code units
(https://github.com/CopilotKit/aimock). It becomes a stream of such chunks at these times. The original fixture is
stored with the request, and `fixture_file` writes it again: a file of one fixture, as aimock records it, is restored
byte for byte. A stream that did not come from a fixture loses the ends of its chunks and the time when it was stored.
"""

import json
from collections.abc import Iterator
from itertools import chain, pairwise, repeat
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from chat.management.carriers import NotARecording
from chat.protocol import events
from chat.protocol.events import Event
from chat.protocol.openai_tools import part_of
from chat.protocol.prompt import Part, text_of
from chat.protocol.recording import Recording

KEPT = "aimock"
"""The key of the original fixture in a stream's request; also the stream's provider."""
CHUNK = 20
"""aimock's default `chunkSize`."""
REASONS = {"stop": "STOP", "length": "MAX_TOKENS", "content_filter": "SAFETY", "tool_calls": "STOP"}
TITLE = 80

Fixture = dict[str, Any]


def fixtures_of(data: bytes) -> list[Fixture] | None:
    """Return the fixtures of a file; None if it is not a file of aimock."""
    try:
        found = json.loads(data)
    except (ValueError, RecursionError):
        return None
    fixtures = found.get("fixtures") if isinstance(found, dict) else None
    if not isinstance(fixtures, list) or not all(isinstance(fixture, dict) for fixture in fixtures):
        return None
    return fixtures


def recording_of(fixture: Fixture, number: int) -> Recording:
    """Convert a fixture, which has this number in its file, to a recording. Raises NotARecording for fixtures that are
    not chat answers."""
    match, response = (found if isinstance(found := fixture.get(key), dict) else {} for key in ("match", "response"))
    kept = json.dumps(fixture, ensure_ascii=False)
    try:
        if "\\u0000" in kept or not kept.encode():  # a lone surrogate raises a ValueError, too
            raise ValueError("it holds a NUL")
        said = list(said_by(fixture, response))
        if not said or match.get("endpoint", "chat") != "chat":
            raise ValueError("it is no chat answer")
        times = list(zip(times_of(fixture, len(said)), said, strict=True))
    except (ValueError, TypeError, AttributeError) as wrong:
        raise NotARecording(f"fixture {number} cannot be a recording ({wrong})") from None
    asked = match.get("userMessage")
    question = asked if isinstance(asked, str) else ""
    header = {
        "id": str(uuid5(NAMESPACE_URL, kept)),
        "title": " ".join(question.split())[:TITLE] or "A fixture",
        "provider": KEPT,
        "model": str(response.get("model") or match.get("model") or "fixture"),
        "question": [{"text": question}] if question else [],
        "request": {"contents": [{"role": "user", "parts": [{"text": question}]}], KEPT: kept},
    }
    first = Event(0, 0, events.OK_DATA)
    rest = [Event(seq, at, events.encode(response)) for seq, (at, response) in enumerate(times, 1)]
    return Recording(header, [first, *rest])


def said_by(fixture: Fixture, response: dict[str, Any]) -> Iterator[events.Response]:
    """Yield the fixture's answer as responses, the last one with a finishReason or an error; none if it is not a chat
    answer."""
    if isinstance(error := response.get("error"), dict):
        status = response.get("status")
        code = status if isinstance(status, int) else 500
        said = {"code": code, "status": "UNAVAILABLE" if code >= 500 else "INVALID_ARGUMENT"}
        yield {"error": {**said, "message": str(error.get("message"))}, "wondercam": {"end": events.FAILED}}
        return
    if not {"content", "reasoning", "toolCalls"} & response.keys() or "blocks" in response:
        return
    size = max(1, int(fixture.get("chunkSize") or CHUNK))
    for piece in cut(response.get("reasoning") or "", size):
        yield parts_response([{"text": piece, "thought": True}])
    for piece in cut(response.get("content") or "", size):
        yield parts_response([{"text": piece}])
    calls = [part_of({"id": call.get("id"), "function": call}) for call in response.get("toolCalls") or ()]
    if calls:
        yield parts_response(calls)
    reason = REASONS.get(str(response.get("finishReason", "stop")), "OTHER")
    yield events.finish(reason, usage_of(response.get("usage") or {}))


def parts_response(parts: list[Part]) -> events.Response:
    """Return a response with these parts."""
    return {"candidates": [{"content": {"role": "model", "parts": parts}}]}


def cut(text: str, size: int) -> Iterator[str]:
    """Yield pieces of `size` UTF-16 code units, as in JavaScript, without dividing a character."""
    piece, units = "", 0
    for letter in text:
        width = 2 if letter > "\uffff" else 1
        if piece and units + width > size:
            yield piece
            piece, units = "", 0
        piece, units = piece + letter, units + width
    if piece:
        yield piece


def usage_of(usage: dict[str, Any]) -> dict[str, int]:
    """Return the token counts as Gemini's `usageMetadata`, from any provider's field names."""
    names = {
        "promptTokenCount": ("promptTokenCount", "prompt_tokens", "input_tokens"),
        "candidatesTokenCount": ("candidatesTokenCount", "completion_tokens", "output_tokens"),
        "totalTokenCount": ("totalTokenCount", "total_tokens"),
    }
    found = {ours: next((usage[name] for name in theirs if name in usage), None) for ours, theirs in names.items()}
    return {name: count for name, count in found.items() if isinstance(count, int)}


def times_of(fixture: Fixture, count: int) -> Iterator[int]:
    """Yield the time of each response in µs: by the streaming profile, the recorded times, or the fixed latency."""
    recorded, profile = fixture.get("recordedTimings") or {}, fixture.get("streamingProfile") or {}
    latency = fixture.get("latency") or 0
    first = profile.get("ttft", recorded.get("ttftMs", latency))
    between = recorded.get("interChunkDelaysMs") or []
    mean = sum(between) / len(between) if between else latency
    if profile.get("tps"):
        between, mean = [], 1000 / profile["tps"]
    at = 0.0
    for delay, _ in zip(chain([first], between, repeat(mean)), range(count), strict=False):
        at += max(0, delay) * 1000
        yield round(at)


def fixture_file(header: dict[str, Any], recorded: list[Event]) -> str:
    """Return a file with the stream as its only fixture, formatted as aimock does."""
    kept = (header.get("request") or {}).get(KEPT)
    fixture = json.loads(kept) if isinstance(kept, str) else made_of(header, recorded)
    return json.dumps({"fixtures": [fixture]}, ensure_ascii=False, indent=2)


def made_of(header: dict[str, Any], recorded: list[Event]) -> Fixture:
    """Return a new fixture for a stream. `recordedTimings` are in ms."""
    counts_from = events.counts_from(recorded)
    responses = [(event, events.decode(event.data)) for event in recorded if event.seq > counts_from]
    parts = [part for _, response in responses for part in events.parts_of(response)]
    spoken = [event.at / 1000 for event, response in responses if events.parts_of(response)]
    response: dict[str, Any] = {"content": "".join(p.get("text", "") for p in parts if not p.get("thought"))}
    if thoughts := "".join(part.get("text", "") for part in parts if part.get("thought")):
        response["reasoning"] = thoughts
    calls = [part["functionCall"] for part in parts if "functionCall" in part]
    if calls:
        arguments = (json.dumps(call.get("args") or {}, ensure_ascii=False) for call in calls)
        named = zip(calls, arguments, strict=True)
        response["toolCalls"] = [{"name": call["name"], "arguments": given} for call, given in named]
    if isinstance(error := header.get("error"), dict):
        response = {"error": {"message": error.get("message", "")}, "status": error.get("code", 500)}
    question = text_of({"parts": header.get("question") or []})
    fixture: Fixture = {"match": {"userMessage": question}, "response": response}
    if len(spoken) > 1:
        gaps = [round(later - before) for before, later in pairwise(spoken)]
        total = round(spoken[-1])
        fixture["recordedTimings"] = {
            "ttftMs": round(spoken[0]),
            "interChunkDelaysMs": gaps,
            "totalDurationMs": total,
        }
    return fixture
