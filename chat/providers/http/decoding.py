"""What an upstream's bytes say: event streams that keep to no letter, bodies of plain JSON, and bodies that are packed.

    bytes → Unpacker (`unpacking.py`) → EventDecoder | ObjectDecoder → events → `parse` → JSON

Pure, and bounded: no input makes one of these hold more than it was told to. What mainstream SDKs can read is read;
what nobody could read is for `sse_response.py` to refuse.
"""

import json
import re
from typing import Any

import msgspec

from chat.protocol.sse import Decoder, ServerSentEvent, StreamTooLarge

DATA_OPENS = (b"data: {", b"data:{", b"data: [", b"data:[")
FIELDS = (b"data:", b"event:", b"id:", b"retry:", b":")
NO_TEXT = b"\x00\x1e\xef\xbb\xbf \t"
"""Bytes before a line that belong to no field's name: BOM, NUL, RFC 7464's record separator, space."""


class EventDecoder(Decoder):
    """`sse.Decoder` for servers that write event streams loosely. Beyond the standard it takes

    - events without a blank line between them: a JSON object's end and another's beginning are two events,
    - an `error:` line in place of an `error` event (llama.cpp once did),
    - a JSON object on a line of its own, without `data:`,
    - `Data:`, and space, NUL or a BOM before a line,
    - a last event without its blank line, at the end of the body.
    """

    __slots__ = ()

    def _line(self, line: bytes, events: list[ServerSentEvent]) -> None:
        if not line.startswith(FIELDS) and line:
            line = self._loose(line, events)
        if self._data and line.startswith(DATA_OPENS) and self._data[-1].rstrip().endswith("}"):
            self._dispatch(events)
        super()._line(line, events)

    def _loose(self, line: bytes, events: list[ServerSentEvent]) -> bytes:
        """The line as the standard's reader takes it; the events that other lines stand for are given at once."""
        found = line.lstrip(NO_TEXT)
        if found[:5].lower() == b"data:":
            return b"data:" + found[5:]
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
        """The event that the end of the body leaves without its blank line."""
        events: list[ServerSentEvent] = []
        if self._tail:
            line = bytes(self._tail)
            self._tail.clear()
            self._line(line, events)
        self._dispatch(events)
        return events


class ObjectDecoder:
    """The objects of a JSON body as soon as they are whole: one, a list of them, or one after the other."""

    OUTSIDE, INSIDE = re.compile(rb'["{}]'), re.compile(rb'["\\]')

    def __init__(self, max_size: int) -> None:
        self._max = max_size
        self._buffer = bytearray()
        self._at = self._start = self._depth = 0
        self._in_string = False

    def feed(self, data: bytes) -> list[ServerSentEvent]:
        """The objects that `data` completes, each as an event's data; raises StreamTooLarge."""
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
        """What the end of the body leaves unfinished."""
        return [event_of(self._buffer)] if self._depth else []


def event_of(data: bytes | bytearray) -> ServerSentEvent:
    """A JSON object of a plain body as the event that it would have been."""
    return ServerSentEvent("message", data.decode("utf-8", "replace"), "", None)


def decoder_for(start: bytes, max_size: int) -> EventDecoder | ObjectDecoder:
    """The decoder of a body that begins with these bytes, whatever its `Content-Type` says."""
    return ObjectDecoder(max_size) if start.startswith((b"{", b"[")) else EventDecoder(max_size)


def parse(data: str) -> Any:
    """JSON, and what JSON libraries write beside it: NaN, Infinity, halves of characters. Raises ValueError."""
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


def error_in(said: dict[str, Any], event: str = "message") -> Any:
    """The error that an object stands for, in any of the shapes that servers have; None where it stands for none.

    `{"error": …}` (OpenAI, Google), `{"object": "error", …}` (vLLM), `{"type": "error", …}` (Anthropic),
    `{"detail": …}` (FastAPI), `{"errors": […]}`, `{"message": …}` with a code or alone (gateways), `{"base_resp": …}`
    (MiniMax), and whatever comes as an `error` event.
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
    if said.get("detail") or said.get("errors"):
        return said
    return None


def in_fields(said: dict[str, Any], error: Any) -> dict[str, Any]:
    """An error that is a text or a flag, with what stands beside it: Ollama's and TGI's, and those of gateways."""
    code = next((said[name] for name in ("code", "status_code", "status") if said.get(name)), None)
    return {
        "message": said.get("message") if error is True else error,
        "type": said.get("error_type") or said.get("type"),
        "code": code,
    }


class Halves:
    """Puts characters together whose two halves (UTF-16 surrogates) came in different texts."""

    __slots__ = ("half",)

    def __init__(self) -> None:
        self.half = ""

    def join(self, text: str) -> str:
        """The text in whole characters; a first half at its end waits for the next text."""
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
        """What was still waiting at the end."""
        half, self.half = self.half, ""
        return whole(half)


def whole(text: str) -> str:
    """The text with U+FFFD for every half character, as browsers show it."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def in_whole_characters(value: Any) -> Any:
    """A JSON value whose texts can all be written as UTF-8."""
    if isinstance(value, str):
        return whole(value)
    if isinstance(value, list):
        return [in_whole_characters(item) for item in value]
    if isinstance(value, dict):
        return {whole(key): in_whole_characters(item) for key, item in value.items()}
    return value
