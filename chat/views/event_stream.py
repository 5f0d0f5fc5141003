"""Response bodies made from the log: `follow` as the bytes of an event stream, or as one JSON answer.

No exception leaves these generators: the headers are sent by then, so nothing could be answered. A body without
`[DONE]` was cut off, and its reader resumes; the end of a stream is always an event.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable
from time import monotonic
from typing import Any, TypeVar
from uuid import UUID

from django.http import HttpRequest

from chat.log import Followed, Page
from chat.protocol import events, sse
from chat.protocol.answer import Answer
from chat.protocol.errors import ApiError, GoesOnElsewhere
from chat.protocol.events import Event, Response

logger = logging.getLogger(__name__)

RECHECK = 14.0
"""Seconds between checks that the reader may still read. Less than the heartbeat's interval, so that a silent stream is
checked at every heartbeat and a revoked token ends any stream within 30 s."""

Check = Callable[[], Awaitable[Any]]

Push = Callable[[bytes], bool]
"""Writes a piece of a body to the socket at once. False where the body has not begun or the reader is behind: then the
piece has to be yielded."""


def push_of(request: HttpRequest) -> Push | None:
    """The server's `Push`, from its ASGI extension `wondercam.push`; None under another server."""
    extensions = getattr(request, "scope", {}).get("extensions", {})
    push: Push | None = extensions.get("wondercam.push", {}).get("write")
    return push


class Pause(bytes):
    """An empty piece of a body. Nothing follows before `until` is done, so who sends the body may leave it until then
    (`wondercam.open_stream`)."""

    def __new__(cls, until: "asyncio.Future[None]") -> "Pause":
        self = super().__new__(cls)
        self.until = until
        return self

    until: "asyncio.Future[None]"


def frames(stream_id: str, batch: list[Event], timing: bool) -> bytes:
    """The bytes of a batch of events; with `timing` each event is preceded by the comment `: t=<ms>`."""
    if timing:
        return b"".join(b": t=%d\n" % (event.at // 1000) + sse.encode(stream_id, event) for event in batch)
    return b"".join([sse.encode(stream_id, event) for event in batch])


class Pusher:
    """Encodes events just committed and pushes them to their reader's socket; see `chat.log.subscriber.Deliver`.

    `is_open` once the head and the start of the body are sent, `checked` when the reader was last allowed to read.
    """

    __slots__ = ("checked", "is_open", "name", "push", "timing")

    def __init__(self, name: str, push: Push, timing: bool) -> None:
        self.name, self.push, self.timing = name, push, timing
        self.checked, self.is_open = monotonic(), False

    def __call__(self, batch: list[Event]) -> bool:
        if not self.is_open or monotonic() - self.checked > RECHECK:
            return False
        if len(batch) == 1 and not self.timing:
            return self.push(sse.encode(self.name, batch[0]))
        return self.push(frames(self.name, batch, self.timing))


Key = TypeVar("Key")


async def event_stream(
    log: Followed[Key],
    key: Key,
    after: int = -1,
    *,
    timing: bool = False,
    may_read: Check | None = None,
    push: Push | None = None,
    start: bytes = sse.PRELUDE,
) -> AsyncGenerator[bytes, None]:
    """The bytes of the stream from the event after `after` to `[DONE]`, preceded by `start`.

    Pieces that `push` takes are not yielded, and between them there is a `Pause`. `may_read` raises an ApiError once
    the reader may no longer read.
    """
    name = str(key)
    pusher = Pusher(name, push or (lambda piece: False), timing)
    if after >= 0:  # there may be nothing to send yet, and the headers are sent with the first bytes
        yield start
        start, pusher.is_open = b"", True
    try:
        async for page in log.follow(key, after, push and pusher):
            if page.until is not None:
                yield Pause(page.until)
                continue
            if may_read is not None and monotonic() - pusher.checked > RECHECK:
                await may_read()
                pusher.checked = monotonic()
            yield start + piece(name, page, timing)
            start, pusher.is_open = b"", True
    except GoesOnElsewhere:
        return
    except ApiError as error:
        # Only this response ends, not the stream: the event has no id and no `end`. Resuming gives a 401 or a 404.
        yield start + b"data: %s\n\n" % events.encode(error.as_json()).encode() + sse.DONE
    except Exception:
        logger.exception("stream %s: its reader was cut off", name)


def piece(name: str, page: Page, timing: bool) -> bytes:
    """The bytes of a page: its events, then `[DONE]` if it ends the stream; a heartbeat if it is empty."""
    if page.ended:
        return frames(name, page.events, timing) + sse.DONE
    return frames(name, page.events, timing) or sse.HEARTBEAT


async def so_far(
    log: Followed[Key], key: Key, after: int = -1, *, timing: bool = False, start: bytes = sse.PRELUDE
) -> AsyncGenerator[bytes, None]:
    """The bytes of what is stored now after `after`; `[DONE]` only if the stream has ended."""
    name = str(key)
    try:
        async for page in log.follow(key, after, live=False):
            yield start + frames(name, page.events, timing) + (sse.DONE if page.ended else b"")
            start = b""
    except GoesOnElsewhere:
        yield start
    except ApiError as error:
        yield start + b"data: %s\n\n" % events.encode(error.as_json()).encode() + sse.DONE
    except Exception:
        logger.exception("stream %s: its reader was cut off", name)


async def whole(log: Followed[UUID], stream_id: UUID, *, ours: bool = False) -> Response:
    """The stream as one response, once it has ended: `{"candidates", "usageMetadata", …}` or `{"error": …}`.

    Fields other than the parts, such as the grounding, are merged over all events; the latest value of each is kept.
    With `ours` the field `wondercam` of a failure is kept too. GoesOnElsewhere if this process goes down meanwhile.
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
