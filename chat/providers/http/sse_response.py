"""An answer's body as it arrives: bytes become JSON, JSON becomes chunks, and chunks are given on.

All of that is done in the call that brought the bytes; the task that asked waits for the end alone. Whatever a server
sends, what comes out is chunks or an `ApiError`. What its bytes may look like is in `decoding.py`; what is read there
of one event or one object is JSON for a `Reader`.
"""

import asyncio
import json
import re
from typing import Any, Protocol

import aiohttp

from chat.protocol import errors, events
from chat.protocol.sse import ServerSentEvent, StreamTooLarge
from chat.providers.http import decoding
from chat.providers.http.decoding import EventDecoder, ObjectDecoder
from chat.providers.http.error_mapping import refused
from chat.providers.http.push_body import PushBody
from chat.providers.http.unpacking import PackedWrong, Unpacker

SNIFF = 16 * 1024

OFFENDING = re.compile(rb"^data:[ ]?", re.MULTILINE)
DOUBLED = re.compile(r"(?:data:\s*)+", re.IGNORECASE)
"""A field's name that some put before their data twice."""
SPACE = b" \t\r\n\x00\x1e"
BOM = b"\xef\xbb\xbf"

Failure = (aiohttp.ClientError, OSError, asyncio.IncompleteReadError)
"""What aiohttp raises for a connection that cannot be had, or is cut."""


class Reader(Protocol):
    """What makes an answer of the JSON that one server sends. It does no I/O."""

    def glance(self, data: str) -> events.Chunk | None:
        """An event's chunk, where the event is of the kind that nearly all are; None where it must be read."""
        ...

    def read(self, said: dict[str, Any]) -> list[events.Chunk]:
        """What one JSON object adds to the answer, possibly nothing. Raises BadUpstream for a wrong shape."""
        ...

    def end(self, *, done: bool) -> list[events.Chunk]:
        """What is left to give at the body's end, or at `[DONE]` (`done`). Raises Truncated where that is no end."""
        ...


class IncomingAnswer:
    """One answer on its way: the call that brings bytes decodes them, has them read, and gives the chunks on."""

    def __init__(
        self, body: PushBody, who: str, max_size: int, reader: Reader, give: events.Give, unpacker: Unpacker
    ) -> None:
        self._body = body
        self._who = who
        self._max_size = max_size
        self._unpacker = unpacker
        self._is_plain = False
        self._decoder: EventDecoder | ObjectDecoder | None = None
        self._reader = reader
        self._give = give
        self._recent = b""
        self._ended = False
        self._failed: Exception | None = None
        self._paused: asyncio.Future[None] | None = None

    async def read(self) -> None:
        """Give all there is; returns after `[DONE]` or the end of the body.

        Raises BadUpstream for what nobody could read or is too large, Truncated where the connection is cut, the mapped
        error where the server sends an error, in whatever shape, and whatever `give` raises. While `give` has to be
        waited for, the server is kept waiting.
        """
        self._over = self._body.over()
        try:
            self._body.on_data(self._arrived)
            await self._over
            while self._paused is not None and not self._ended:
                await asyncio.shield(self._paused)
                self._paused, self._over = None, self._body.over()
                self._body.resume()
                await self._over
            if not self._ended:
                self._finish()
        except Failure:
            self._cut()
        finally:
            self._ended = True
            self._body.close()
        if self._failed is not None:
            raise self._failed

    def _arrived(self, piece: bytes) -> None:
        """Called with every piece of the body, wherever that comes from: nothing may be raised there."""
        if self._ended:
            return
        try:
            if self._is_plain:  # nearly always, and asked for every token
                return self._take(piece)
            for unpacked in self._unpacker.feed(piece):
                if not self._ended:
                    self._take(unpacked)
            self._is_plain = self._unpacker.is_plain
        except StreamTooLarge:
            self._end(errors.BadUpstream(f"{self._who} sent more in one piece than this server accepts."))
        except PackedWrong:
            self._end(errors.BadUpstream(f"{self._who} sent a compressed answer that cannot be read."))
        except Exception as error:  # the task that waits raises it
            self._end(error)

    def _take(self, piece: bytes) -> None:
        complete = piece.endswith((b"\n\n", b"\r\n\r\n"))
        self._recent = recent = piece[-SNIFF:] if complete and not self._recent else (self._recent + piece)[-SNIFF:]
        decoder = self._decoder or self._decoder_for(recent)
        if decoder is None:
            return
        paused = None
        for event in decoder.feed(piece):
            if event.event == "message" and (chunk := self._reader.glance(event.data)) is not None:
                paused = self._give(chunk) or paused
                continue
            if (said := self._said(event)) is None:
                continue
            if said is DONE:
                return self._done()
            for chunk in self._reader.read(said):
                paused = self._give(chunk) or paused
        if b'"error"' in recent and (complete or piece.rstrip().endswith((b"}", b"]"))):
            raise_stray(recent, self._who)
        if complete:
            self._recent = b""
        if paused is not None:
            self._wait_for(paused)

    def _decoder_for(self, start: bytes) -> "EventDecoder | ObjectDecoder | None":
        """The decoder for a body that begins so; None while there is only space. Raises BadUpstream for a web page."""
        start = start.removeprefix(BOM).lstrip(SPACE)
        if not start:
            return None
        if start.startswith(b"<"):
            raise errors.BadUpstream(f"{self._who} sent a web page instead of an answer.")
        self._decoder = decoding.decoder_for(start, self._max_size)
        return self._decoder

    def _said(self, event: ServerSentEvent) -> dict[str, Any] | None:
        """An event as a JSON object, or DONE; None where it says nothing. Raises the error that it stands for."""
        data = event.data.strip()
        if not data or data.startswith(":"):  # an empty line, or a comment that was sent as data
            return None
        if data.startswith((events.DONE, f'"{events.DONE}"')):
            return DONE
        try:
            said = decoding.parse(data)
        except ValueError:
            if doubled := DOUBLED.match(data):
                return self._said(ServerSentEvent(event.event, data[doubled.end() :], event.id, event.retry))
            if data.strip('[]" ').upper() == "DONE":
                return DONE
            if event.event not in ("message", "error"):
                return None
            raise_stray(self._recent, self._who)
            raise unreadable(self._who) from None
        if isinstance(said, list) and len(said) == 1:
            said = said[0]
        if said is None:
            return None
        if event.event == "error" and not isinstance(said, dict):
            raise refused(said, self._who)
        if not isinstance(said, dict):
            raise unreadable(self._who)
        if (error := decoding.error_in(said, event.event)) is not None:
            raise refused(error, self._who)
        return said

    def _wait_for(self, paused: "asyncio.Future[None]") -> None:
        self._paused = paused
        self._body.pause()
        if not self._over.done():
            self._over.set_result(None)

    def _done(self) -> None:
        for chunk in self._reader.end(done=True):
            self._give(chunk)
        self._end()

    def _end(self, error: Exception | None = None) -> None:
        self._ended, self._failed = True, error
        if not self._over.done():
            self._over.set_result(None)

    def _finish(self) -> None:
        """The body has ended as it should; its last event may lack its end."""
        done = self._rest()
        raise_stray(self._recent, self._who)
        if not done:
            for chunk in self._reader.end(done=False):
                self._give(chunk)

    def _rest(self) -> bool:
        """Give what the last, unfinished event says; whether that was `[DONE]`. Raises Truncated where it is half."""
        for event in self._decoder.close() if self._decoder is not None else ():
            try:
                said = self._said(event)
            except errors.BadUpstream:
                raise errors.Truncated(f"{self._who} ended the answer in the middle.") from None
            if said is DONE:
                self._done()
                return True
            for chunk in self._reader.read(said) if said is not None else ():
                self._give(chunk)
        return False

    def _cut(self) -> None:
        """The connection was cut."""
        if self._failed is None and not self._ended:
            raise_stray(self._recent, self._who)
            raise errors.Truncated(f"{self._who} was cut off before the answer's end.") from None


DONE: dict[str, Any] = {}
"""What `[DONE]` is read as, told apart by identity."""


def unreadable(who: str) -> errors.BadUpstream:
    """The error for what nobody could read."""
    return errors.BadUpstream(f"{who} sent something that is no answer.")


def raise_stray(recent: bytes, who: str) -> None:
    """Raise the error object that the last bytes hold outside of any event, if they hold one."""
    if b'"error"' not in recent:
        return
    text = OFFENDING.sub(b"", recent).decode("utf-8", "replace")
    decoder = json.JSONDecoder()
    for line in re.finditer(r"^[\[{]", text, re.MULTILINE):
        try:
            found, _ = decoder.raw_decode(text, line.start())
        except (ValueError, RecursionError):
            continue
        if isinstance(found, list) and found:
            found = found[0]
        if isinstance(found, dict) and found.get("error"):
            raise refused(found["error"], who)
