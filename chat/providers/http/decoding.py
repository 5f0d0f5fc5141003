"""Decodes upstream bodies: event streams that deviate from the standard, and bodies of plain JSON.

    bytes → Unpacker (`unpacking.py`) → EventDecoder | ObjectDecoder → events → `parse` → JSON

No I/O, and memory is bounded for any input. It reads what mainstream SDKs read; `sse_response.py` refuses the rest.
"""

import json
import re
from typing import Any

import msgspec

from chat.protocol.sse import Decoder, ServerSentEvent, StreamTooLarge

DATA_OPENS = (b"data: {", b"data:{", b"data: [", b"data:[")
FIELDS = (b"data:", b"event:", b"id:", b"retry:", b":")
NO_TEXT = b"\x00\x1e\xef\xbb\xbf \t"
"""Bytes that are stripped from the start of a line: BOM, NUL, RFC 7464's record separator, space and tab."""


class EventDecoder(Decoder):
    """`sse.Decoder` for servers that deviate from the standard. It also accepts

    - events without a blank line between them, if one JSON object ends and another begins,
    - an `error:` line instead of an `error` event (older llama.cpp),
    - a JSON object on a line of its own, without `data:`,
    - `Data:`, and spaces, NUL or a BOM before a line,
    - `[DONE]` on a line of its own,
    - a last event without a blank line, at the end of the body.
    """

    __slots__ = ()

    def _line(self, line: bytes, events: list[ServerSentEvent]) -> None:
        if not line.startswith(FIELDS) and line:
            line = self._loose(line, events)
        if self._data and line.startswith(DATA_OPENS) and self._data[-1].rstrip().endswith("}"):
            self._dispatch(events)
        super()._line(line, events)

    def _loose(self, line: bytes, events: list[ServerSentEvent]) -> bytes:
        """Return the line as `sse.Decoder` accepts it; for a line that is an event by itself, append that event and
        return a comment."""
        found = line.lstrip(NO_TEXT)
        if found[:5].lower() == b"data:":
            return b"data:" + found[5:]
        if found.rstrip() == b"[DONE]":
            return b"data: [DONE]"
        if found.startswith(b"error:"):
            self._give(events, "error", found[6:].strip())
            return b":"
        if found.startswith(b"{") and found.endswith(b"}"):
            self._give(events, "message", found)
            return b":"
        return found or b":"

    def _give(self, events: list[ServerSentEvent], name: str, data: bytes) -> None:
        self._check(len(data))
        self._dispatch(events)
        events.append(ServerSentEvent(name, data.decode("utf-8", "replace"), self._id, None))

    def close(self) -> list[ServerSentEvent]:
        """Return the event that has no blank line at the end of the body, if there is one."""
        events: list[ServerSentEvent] = []
        if self._tail:
            line = bytes(self._tail)
            self._tail.clear()
            self._line(line, events)
        self._dispatch(events)
        return events


class ObjectDecoder:
    """Returns the objects of a JSON body as soon as they are complete: a single one, a list of them, or a sequence."""

    OUTSIDE, INSIDE = re.compile(rb'["{}]'), re.compile(rb'["\\]')

    def __init__(self, max_size: int) -> None:
        self._max = max_size
        self._buffer = bytearray()
        self._at = self._start = self._depth = 0
        self._in_string = False

    def feed(self, data: bytes) -> list[ServerSentEvent]:
        """Return the objects that `data` completes, each as an event. Raises StreamTooLarge."""
        self._buffer += data
        found: list[ServerSentEvent] = []
        while match := (self.INSIDE if self._in_string else self.OUTSIDE).search(self._buffer, self._at):
            mark, self._at = match[0], match.end()
            if mark == b'"':
                self._in_string = not self._in_string
            elif mark == b"\\":
                if self._at == len(self._buffer):
                    self._at -= 1
                    break
                self._at += 1
            elif mark == b"{":
                self._start = match.start() if not self._depth else self._start
                self._depth += 1
            elif self._depth:
                self._depth -= 1
                if not self._depth:
                    found.append(event_of(self._buffer[self._start : self._at]))
        else:
            self._at = len(self._buffer)
        self._forget()
        return found

    def _forget(self) -> None:
        done = self._start if self._depth else self._at
        del self._buffer[:done]
        self._at, self._start = self._at - done, 0
        if len(self._buffer) > self._max:
            raise StreamTooLarge(f"more than {self._max} bytes without an end")

    def close(self) -> list[ServerSentEvent]:
        """Return the incomplete object at the end of the body, if there is one."""
        return [event_of(self._buffer)] if self._depth else []


def event_of(data: bytes | bytearray) -> ServerSentEvent:
    """Return a JSON object of a plain body as an event."""
    return ServerSentEvent("message", data.decode("utf-8", "replace"), "", None)


def decoder_for(start: bytes, max_size: int) -> EventDecoder | ObjectDecoder:
    """Return the decoder for a body that begins with these bytes; its `Content-Type` is ignored."""
    return ObjectDecoder(max_size) if start.startswith((b"{", b"[")) else EventDecoder(max_size)


def parse(data: str) -> Any:
    """Parse JSON, and what JSON libraries write beyond it: NaN, Infinity, lone surrogates. Raises ValueError."""
    try:
        return msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeError):
        pass
    except RecursionError:
        raise ValueError("nested too deeply") from None
    try:
        return json.loads(data, strict=False)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def json_of(body: bytes) -> Any:
    """Return the JSON of a whole body, or of its first event or line; the text of other bodies, {} for web pages."""
    text = body.decode("utf-8-sig", "replace").strip()
    decoder = decoder_for(text.encode()[:1], len(body) * 3)
    for data in (text, *(event.data for event in (*decoder.feed(text.encode()), *decoder.close()))):
        try:
            return parse(data)
        except ValueError:
            pass
    return {} if text.startswith("<") else text


def several(data: str, max_size: int) -> list[dict[str, Any]]:
    """Return the objects of an event that has them one after the other, or with other text around them; none if one of
    them is incomplete or no JSON."""
    decoder = ObjectDecoder(max_size)
    events = decoder.feed(data.encode())
    try:
        return [] if decoder.close() else [parse(event.data) for event in events]
    except ValueError:
        return []


def error_in(said: dict[str, Any], event: str = "message") -> Any:
    """Return the error that an object reports, in any of the servers' formats; None if it reports none.

    `{"error": …}` (OpenAI, Google), `{"object": "error", …}` (vLLM), `{"type": "error", …}` (Anthropic),
    `{"detail": …}` (FastAPI), `{"errors": […]}`, `{"message": …}` with or without a code (gateways),
    `{"base_resp": …}` (MiniMax), `{"error_code": …}` (Baidu), and any object in an `error` event.
    """
    if error := said.get("error"):
        return error if isinstance(error, dict) else in_fields(said, error)
    if event == "error" or "error" in (said.get("object"), said.get("type")):
        return said
    if said.get("choices") is not None or said.get("candidates") is not None:
        return None
    if isinstance(base := said.get("base_resp"), dict) and base.get("status_code"):
        return {"code": base["status_code"], "message": base.get("status_msg")}
    if isinstance(said.get("message") or said.get("msg"), str) and str(said.get("code", "")) not in ("0", "200"):
        return said
    return said if any(said.get(name) for name in ("detail", "errors", "error_code", "error_msg")) else None


def in_fields(said: dict[str, Any], error: Any) -> dict[str, Any]:
    """Return an error that is a string or `true` as an object with the fields beside it (Ollama, TGI, gateways)."""
    code = next((said[name] for name in ("code", "status_code", "status") if said.get(name)), None)
    return {
        "message": said.get("message") if error is True else error,
        "type": said.get("error_type") or said.get("type"),
        "code": code,
    }


class Halves:
    """Joins UTF-16 surrogate pairs whose halves arrived in different texts."""

    __slots__ = ("half",)

    def __init__(self) -> None:
        self.half = ""

    def join(self, text: str) -> str:
        """Return the text in whole characters; a high surrogate at its end is held for the next text."""
        if not self.half:
            try:
                text.encode()
            except UnicodeEncodeError:
                pass
            else:
                return text
        text, self.half = self.half + text, ""
        if text and "\ud800" <= text[-1] <= "\udbff":
            text, self.half = text[:-1], text[-1]
        return whole(text)

    def rest(self) -> str:
        """Return what is still held, at the end of the answer."""
        half, self.half = self.half, ""
        return whole(half)


def whole(text: str) -> str:
    """Join surrogate pairs, and replace lone surrogates with U+FFFD, as browsers do."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def in_whole_characters(value: Any) -> Any:
    """Return a JSON value whose strings have no lone surrogates, so that it can be encoded as UTF-8."""
    if isinstance(value, str):
        return whole(value)
    if isinstance(value, list):
        return [in_whole_characters(item) for item in value]
    if isinstance(value, dict):
        return {whole(key): in_whole_characters(item) for key, item in value.items()}
    return value
