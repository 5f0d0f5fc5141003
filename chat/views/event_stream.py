"""The log as bodies of responses: `follow` as bytes of an event stream, and as one JSON answer.

Nothing escapes these generators: an exception after the headers would take Daphne's housekeeping with it. What ends
a body without `[DONE]` is a cut, after which a reader resumes; an end is always an event.
"""

import logging
from collections.abc import AsyncGenerator, Awaitable, Callable
from time import monotonic
from typing import Any, TypeVar
from uuid import UUID

from django.http import HttpRequest

from chat.log import Followed, Page
from chat.protocol import events, sse
from chat.protocol.answer import Answer
from chat.protocol.errors import ApiError
from chat.protocol.events import Event, Response

logger = logging.getLogger(__name__)

RECHECK = 14.0
"""Seconds between looks whether the reader may still read: at every heartbeat of a silent stream, so that a revoked
token ends any stream within 30 s."""

Check = Callable[[], Awaitable[Any]]


class Outlet:
    """How a stream's body reaches its reader besides being asked for: `write`, where the server offers one, puts a
    piece on the socket at once, or says no: the body has not begun, or the reader is behind, and the piece is to be
    sent as any other."""

    __slots__ = ("write",)

    def __init__(self, write: Callable[[bytes], bool] | None = None) -> None:
        self.write = write

    @classmethod
    def of(cls, request: HttpRequest) -> "Outlet":
        """The server's, by its ASGI extension `wondercam.push`; one without `write` under another server."""
        extensions = getattr(request, "scope", {}).get("extensions", {})
        return cls(extensions.get("wondercam.push", {}).get("write"))


def frames(stream_id: str, batch: list[Event], timing: bool) -> bytes:
    """A batch in one piece, to be written at once; with `timing` each event is preceded by `: t=<ms>`."""
    if timing:
        return b"".join(b": t=%d\n" % (event.at // 1000) + sse.encode(stream_id, event) for event in batch)
    return b"".join([sse.encode(stream_id, event) for event in batch])


Key = TypeVar("Key")


async def event_stream(
    log: Followed[Key],
    key: Key,
    after: int = -1,
    *,
    timing: bool = False,
    may_read: Check | None = None,
    outlet: Outlet | None = None,
    start: bytes = sse.PRELUDE,
) -> AsyncGenerator[bytes, None]:
    """The stream from after `after` to its `[DONE]`, in pieces, but for those that `outlet` takes, behind `start`.

    `may_read` raises an ApiError when the reader's right ended.
    """
    name, checked = str(key), monotonic()

    def deliver(batch: list[Event]) -> bool:
        write = None if start or outlet is None else outlet.write
        if write is None or monotonic() - checked > RECHECK:
            return False
        return write(sse.encode(name, batch[0]) if len(batch) == 1 and not timing else frames(name, batch, timing))

    if after >= 0:  # nothing may be there to send yet, and the headers leave with the first bytes
        yield start
        start = b""
    try:
        async for page in log.follow(key, after, deliver):
            if may_read is not None and monotonic() - checked > RECHECK:
                await may_read()
                checked = monotonic()
            yield start + piece(name, page, timing)
            start = b""
    except ApiError as error:
        # This reading ends, and not the stream: no id, no end. Whoever asks again gets a 401, or a 404.
        yield start + b"data: %s\n\n" % events.encode(error.as_json()).encode() + sse.DONE
    except Exception:
        logger.exception("stream %s: its reader was cut off", name)


def piece(name: str, page: Page, timing: bool) -> bytes:
    """A page as bytes: its events and the end, or a heartbeat where it holds neither."""
    if page.ended:
        return frames(name, page.events, timing) + sse.DONE
    return frames(name, page.events, timing) or sse.HEARTBEAT


async def so_far(
    log: Followed[Key], key: Key, after: int = -1, *, timing: bool = False, start: bytes = sse.PRELUDE
) -> AsyncGenerator[bytes, None]:
    """What is stored now after `after`, in the same frames; `[DONE]` only where the stream has ended."""
    name = str(key)
    try:
        async for page in log.follow(key, after, live=False):
            yield start + frames(name, page.events, timing) + (sse.DONE if page.ended else b"")
            start = b""
    except ApiError as error:
        yield start + b"data: %s\n\n" % events.encode(error.as_json()).encode() + sse.DONE
    except Exception:
        logger.exception("stream %s: its reader was cut off", name)


async def whole(log: Followed[UUID], stream_id: UUID, *, ours: bool = False) -> Response:
    """The stream as one response, once it has ended: `{"candidates", "usageMetadata", …}` or `{"error": …}`.

    What stands beside the text, such as the grounding, is kept from wherever it came; the later one counts. `ours`:
    with what our own word `wondercam` says of a failure.
    """
    answer, found, candidate = Answer(), Response(), Response()
    async for page in log.follow(stream_id, 0):
        for event in page.events:
            response = events.decode(event.data)
            answer.add(response)
            found.update(response)
            candidate.update((response.get("candidates") or [{}])[0])
    if "error" in found:
        return {name: found[name] for name in ("error", *(["wondercam"] if ours else [])) if name in found}
    candidate["content"] = {"role": "model", "parts": answer.finished()}
    found.pop("wondercam", None)
    return {**found, "candidates": [candidate]}
