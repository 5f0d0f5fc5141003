"""An answer's event stream as it arrives: bytes become JSON, JSON becomes chunks, and chunks are given on.

All of that is done in the call that brought the bytes; the task that asked waits for the end alone. Whatever a server
sends, what comes out is chunks or an `ApiError`.
"""

import asyncio
import json
import re
from typing import Any, Protocol

import aiohttp
import msgspec

from chat.protocol import errors, events
from chat.protocol.sse import Decoder, StreamTooLarge
from chat.providers.http.error_mapping import refused
from chat.providers.http.push_body import Body

SNIFF = 16 * 1024
GRACE = 2.0
"""Seconds in which a server may add to an answer that has its finishReason: usage, the end of the body."""

OFFENDING = re.compile(rb"^data:[ ]?", re.MULTILINE)

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

    def may_end(self) -> bool:
        """Whether silence, or a cut connection, would be the answer's end from here on, and no failure."""
        ...


class Arrival:
    """One event stream on its way: the call that brings bytes decodes them, has them read, and gives the chunks on."""

    def __init__(self, body: Body, who: str, max_size: int, reader: Reader, give: events.Give) -> None:
        self._body = body
        self._who = who
        self._decoder = Decoder(max_size)
        self._reader = reader
        self._give = give
        self._recent = b""
        self._ended = False
        self._failed: Exception | None = None
        self._full: asyncio.Future[None] | None = None
        self._silence: asyncio.TimerHandle | None = None

    async def read(self) -> None:
        """Give all there is; returns after `[DONE]`, the end of the body, or `GRACE` seconds of silence after an end.

        Raises BadUpstream for what is no JSON object or too large, Truncated where the connection is cut, the mapped
        error where the server sends an error object, with or without `data:`, on however many lines, and whatever
        `give` raises. While `give` has no room, the server is kept waiting.
        """
        self._over = self._body.over()
        try:
            self._body.pour_into(self._arrived)
            await self._over
            while self._full is not None and not self._ended:
                await asyncio.shield(self._full)
                self._full, self._over = None, self._body.over()
                self._body.go_on()
                await self._over
            if not self._ended:
                raise_stray(self._recent, self._who)
        except Failure:
            self._cut()
        finally:
            self._stop()
        if self._failed is not None:
            raise self._failed

    def _arrived(self, piece: bytes) -> None:
        """Called with every piece of the body, wherever that comes from: nothing may be raised there."""
        if self._ended:
            return
        try:
            self._take(piece)
        except StreamTooLarge:
            self._end(errors.BadUpstream(f"{self._who} sent more in one piece than this server accepts."))
        except Exception as error:  # the task that waits raises it
            self._end(error)

    def _take(self, piece: bytes) -> None:
        complete = piece.endswith((b"\n\n", b"\r\n\r\n"))
        self._recent = recent = piece[-SNIFF:] if complete and not self._recent else (self._recent + piece)[-SNIFF:]
        full = None
        for event in self._decoder.feed(piece):
            if event.data == events.DONE:
                return self._end()
            if event.event == "message" and (chunk := self._reader.glance(event.data)) is not None:
                full = self._give(chunk) or full
                continue
            for chunk in self._reader.read(read(event.data, event.event, recent, self._who)):
                full = self._give(chunk) or full
            if self._reader.may_end():
                self._await_the_end()
        if b'"error"' in recent and (complete or piece.rstrip().endswith((b"}", b"]"))):
            raise_stray(recent, self._who)
        if complete:
            self._recent = b""
        if full is not None:
            self._wait_for(full)

    def _wait_for(self, full: "asyncio.Future[None]") -> None:
        self._full = full
        self._body.hold()
        if not self._over.done():
            self._over.set_result(None)

    def _await_the_end(self) -> None:
        """After what may be the answer's end the body is waited for no longer than GRACE from the last event on."""
        if self._silence is not None:
            self._silence.cancel()
        self._silence = asyncio.get_running_loop().call_later(GRACE, self._end)

    def _end(self, error: Exception | None = None) -> None:
        self._ended, self._failed = True, error
        if not self._over.done():
            self._over.set_result(None)

    def _cut(self) -> None:
        """The connection was cut."""
        if self._failed is None:
            raise_stray(self._recent, self._who)
            if not self._reader.may_end():
                raise errors.Truncated(f"The connection to {self._who} was cut before the answer's end.") from None

    def _stop(self) -> None:
        """Take nothing more, and let go of the body, which would keep this alive."""
        self._ended = True
        self._body.pour_into(dropped)
        if self._silence is not None:
            self._silence.cancel()


def dropped(piece: bytes) -> None:
    """What comes after the end is nobody's."""


def read(data: str, event: str, recent: bytes, who: str) -> dict[str, Any]:
    """One event's data as a JSON object; raises what it stands for when it is an error or no object."""
    try:
        answer = msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        raise_stray(recent, who)
        raise errors.BadUpstream(f"{who} sent something that is no answer.") from None
    if isinstance(answer, list) and len(answer) == 1:
        answer = answer[0]
    if not isinstance(answer, dict):
        raise errors.BadUpstream(f"{who} sent something that is no answer.")
    if answer.get("error") or event == "error":
        raise refused(answer.get("error", answer), who)
    return answer


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
