"""What an upstream's bytes say: event streams that keep to no letter, bodies of plain JSON, and bodies that are packed.

    bytes → Unpacker (gzip, deflate, or as they are) → EventDecoder | ObjectDecoder → events → `parse` → JSON

Pure, and bounded: no input makes one of these hold more than it was told to. What mainstream SDKs can read is read;
what nobody could read is for `sse_response.py` to refuse.
"""

import json
import re
import zlib
from typing import Any

import msgspec

from chat.protocol.sse import Decoder, ServerSentEvent, StreamTooLarge

NOT_PACKED = {"", "identity", "none"}
GZIP, DEFLATE = {"gzip", "x-gzip"}, {"deflate"}
MAGIC = b"\x1f\x8b"
STEP = 64 * 1024
FREE, MOST_EXPANSION = 1024 * 1024, 200
"""What may come out of an unpacked body: FREE bytes, and MOST_EXPANSION for each that came in."""

DATA_OPENS = (b"data: {", b"data:{", b"data: [", b"data:[")


class PackedWrong(ValueError):
    """A packed body that is broken, grows without measure, or is packed in a way that nobody asked for."""


class Unpacker:
    """A body's bytes as its `Content-Encoding` says, or as its first bytes show: some say it and do not do it."""

    def __init__(self, encoding: str) -> None:
        encoding = encoding.strip().lower()
        if encoding not in NOT_PACKED | GZIP | DEFLATE:
            raise PackedWrong
        self._encoding = encoding
        self._begun = False
        self._inflate: Any = None
        self._in = self._out = 0

    @property
    def is_plain(self) -> bool:
        """Whether the body has begun, and nothing in it is packed."""
        return self._begun and self._inflate is None

    def feed(self, piece: bytes) -> list[bytes]:
        """The unpacked pieces, each of at most STEP bytes unless nothing was packed; raises PackedWrong."""
        if not self._begun and piece:
            self._begun = True
            if piece.startswith(MAGIC[: len(piece)]):
                self._inflate = zlib.decompressobj(16 + zlib.MAX_WBITS)
            elif self._encoding in DEFLATE:
                zlib_header = piece[0] & 15 == 8 and (piece[0] << 8 | (piece[1] if len(piece) > 1 else 0)) % 31 == 0
                self._inflate = zlib.decompressobj(zlib.MAX_WBITS if zlib_header else -zlib.MAX_WBITS)
        return [piece] if self._inflate is None else self._inflated(piece)

    def _inflated(self, piece: bytes) -> list[bytes]:
        self._in += len(piece)
        found: list[bytes] = []
        try:
            while piece:
                if self._inflate.eof:  # gzip may hold several members, one after the other
                    self._inflate = zlib.decompressobj(16 + zlib.MAX_WBITS)
                found.append(self._inflate.decompress(piece, STEP))
                self._out += len(found[-1])
                if self._out > FREE + MOST_EXPANSION * self._in:
                    raise PackedWrong
                piece = self._inflate.unconsumed_tail or self._inflate.unused_data
        except zlib.error:
            raise PackedWrong from None
        return [each for each in found if each]


class EventDecoder(Decoder):
    """`sse.Decoder` for servers that write event streams loosely. Beyond the standard it takes

    - events without a blank line between them: a JSON object's end and another's beginning are two events,
    - an `error:` line in place of an `error` event (llama.cpp once did),
    - a last event without its blank line, at the end of the body.
    """

    __slots__ = ()

    def _line(self, line: bytes, events: list[ServerSentEvent]) -> None:
        if self._data and line.startswith(DATA_OPENS) and self._data[-1].rstrip().endswith("}"):
            self._dispatch(events)
        elif line.startswith(b"error:"):
            self._dispatch(events)
            events.append(ServerSentEvent("error", line[6:].strip().decode("utf-8", "replace"), self._id, None))
            return
        super()._line(line, events)

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
        return json.loads(data)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def error_in(said: dict[str, Any], event: str = "message") -> Any:
    """The error that an object stands for, in any of the shapes that servers have; None where it stands for none.

    `{"error": …}` (OpenAI, Google), `{"object": "error", …}` (vLLM), `{"type": "error", …}` (Anthropic),
    `{"detail": …}` (FastAPI), `{"errors": […]}`, `{"code": …, "message": …}`, and whatever comes as an `error` event.
    """
    if error := said.get("error"):
        return error
    if event == "error" or "error" in (said.get("object"), said.get("type")):
        return said
    if said.get("choices") is not None or said.get("candidates") is not None:
        return None
    if isinstance(said.get("message"), str) and str(said.get("code") or "0") not in ("0", "200"):
        return said
    if said.get("detail") or said.get("errors"):
        return said
    return None


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
