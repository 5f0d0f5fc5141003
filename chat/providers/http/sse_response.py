"""`IncomingAnswer`: turns the body of an upstream's response into chunks as it arrives.

Decoding, parsing and passing the chunks on all happen in the call that received the bytes; the task that sent the
request only waits for the end. Whatever a server sends, the result is chunks or an `ApiError`. `decoding.py` makes JSON
objects of the bytes; the upstream's `Reader` makes chunks of those.
"""

import asyncio
import json
import logging
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
from chat.providers.validation import unsound

log = logging.getLogger(__name__)

SNIFF = 16 * 1024

OFFENDING = re.compile(rb"^data:[ ]?", re.MULTILINE)
DOUBLED = re.compile(r"(?:data:\s*)+", re.IGNORECASE)
"""The field name, which some servers repeat before their data."""
SIGN_OF_LIFE = re.compile(r"[\W_]*(ping|pong|keep[-_ ]?alive|heart[-_ ]?beat)[\W_]*", re.IGNORECASE)
"""What some gateways send as data while the model thinks."""
SPACE = b" \t\r\n\x00\x1e"
BOM = b"\xef\xbb\xbf"

Failure = (aiohttp.ClientError, OSError, asyncio.IncompleteReadError)
"""What aiohttp raises if a connection cannot be made, or is cut."""


class Reader(Protocol):
    """Makes chunks from the JSON of one kind of server. It does no I/O."""

    def glance(self, data: str) -> events.Chunk | None:
        """The fast path: the chunk of an event of the most common form; None if it has to be parsed by `read`."""
        ...

    def read(self, said: dict[str, Any]) -> list[events.Chunk]:
        """The chunks of one JSON object, possibly none. Raises BadUpstream for a wrong shape."""
        ...

    def end(self, *, done: bool) -> list[events.Chunk]:
        """The remaining chunks at the end of the body, or at `[DONE]` (`done`). Raises Truncated if the answer is not
        complete."""
        ...


class IncomingAnswer:
    """The body of one response. `_arrived` is called with each piece of it, and passes its chunks to `give`."""

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
        """Pass on all chunks; returns after `[DONE]` or the end of the body.

        Raises BadUpstream for what cannot be parsed or is too large, Truncated if the connection is cut, the mapped
        error if the server sends one in any form, and the errors of `give`. While `give` asks for backpressure, the
        server is paused.
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
        """Called with every piece of the body, by aiohttp's parser among others: it must not raise."""
        if self._ended:
            return
        try:
            if self._is_plain:  # the common case, checked for every token
                return self._take(piece)
            for unpacked in self._unpacker.feed(piece):
                if not self._ended:
                    self._take(unpacked)
            self._is_plain = self._unpacker.is_plain
        except StreamTooLarge:
            self._end(errors.BadUpstream(f"{self._who} sent more in one piece than this server accepts."))
        except PackedWrong:
            self._end(errors.BadUpstream(f"{self._who} sent a compressed answer that cannot be read."))
        except Exception as error:  # raised in `read`
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
            for said in self._said(event):
                if said is DONE:
                    return self._done()
                for chunk in self._read(said, event):
                    paused = self._give(chunk) or paused
        if b'"error"' in recent and (complete or piece.rstrip().endswith((b"}", b"]"))):
            raise_stray(recent, self._who)
        if complete:
            self._recent = b""
        if paused is not None:
            self._wait_for(paused)

    def _decoder_for(self, start: bytes) -> "EventDecoder | ObjectDecoder | None":
        """The decoder for a body with this beginning; None for white space and for a part of a BOM. Raises BadUpstream
        for a web page."""
        start = start.removeprefix(BOM).lstrip(SPACE)
        if BOM.startswith(start):
            return None
        if start.startswith(b"<"):
            raise errors.BadUpstream(f"{self._who} sent a web page instead of an answer.")
        self._decoder = decoding.decoder_for(start, self._max_size)
        return self._decoder

    def _said(self, event: ServerSentEvent) -> list[dict[str, Any]]:
        """The JSON objects of an event, nearly always one, or DONE; none in a sign of life, such as `null` or `ping`.
        Raises BadUpstream for what is no JSON."""
        data = event.data.strip()
        if not data or data.startswith(":"):  # an empty line, or a comment sent as data
            return []
        if data.startswith((events.DONE, f'"{events.DONE}"')):
            return [DONE]
        try:
            said = decoding.parse(data)
        except ValueError as wrong:
            return self._unparsed(event, data, wrong)
        if isinstance(said, dict):
            return [said]
        if event.event == "error":
            raise refused(said, self._who)
        if isinstance(said, list):
            return [each for each in said if isinstance(each, dict)]
        if isinstance(said, str) and said.startswith(("{", "[")):  # encoded twice
            return self._said(ServerSentEvent(event.event, said, event.id, event.retry))
        if not said or said is True or SIGN_OF_LIFE.fullmatch(str(said)):
            return []
        raise unsound(self._who)

    def _unparsed(self, event: ServerSentEvent, data: str, wrong: ValueError) -> list[dict[str, Any]]:
        """As `_said`, for an event that is not one JSON value."""
        if doubled := DOUBLED.match(data):
            return self._said(ServerSentEvent(event.event, data[doubled.end() :], event.id, event.retry))
        if data.strip('[]" ').upper() == "DONE":
            return [DONE]
        if several := decoding.several(data, self._max_size):
            return [*several, DONE] if data.endswith(events.DONE) else several
        if event.event not in ("message", "error") or SIGN_OF_LIFE.fullmatch(data):
            return []
        raise_stray(self._recent, self._who)
        log.warning("%s sent an event of %d characters that is no JSON: %s", self._who, len(data), wrong)
        raise unsound(self._who) from None

    def _read(self, said: dict[str, Any], event: ServerSentEvent) -> list[events.Chunk]:
        """The chunks of one JSON object. Raises the error that it reports."""
        if (error := decoding.error_in(said, event.event)) is not None:
            raise refused(error, self._who)
        return self._reader.read(said)

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
        """Process the regular end of the body, whose last event may lack its blank line."""
        done = self._rest()
        raise_stray(self._recent, self._who)
        if not done:
            for chunk in self._reader.end(done=False):
                self._give(chunk)

    def _rest(self) -> bool:
        """Pass on the last event; returns whether that was `[DONE]`. Raises Truncated if it is incomplete."""
        for event in self._decoder.close() if self._decoder is not None else ():
            try:
                found = self._said(event)
            except errors.BadUpstream:
                raise errors.Truncated(f"{self._who} ended the answer in the middle.") from None
            for said in found:
                if said is DONE:
                    self._done()
                    return True
                for chunk in self._read(said, event):
                    self._give(chunk)
        return False

    def _cut(self) -> None:
        """Process the loss of the connection."""
        if self._failed is None and not self._ended:
            raise_stray(self._recent, self._who)
            raise errors.Truncated(f"{self._who} was cut off before the answer's end.") from None


DONE: dict[str, Any] = {}
"""Stands for `[DONE]`, compared by identity."""


def raise_stray(recent: bytes, who: str) -> None:
    """Raise the error object among the last bytes that is not part of an event, if there is one."""
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
