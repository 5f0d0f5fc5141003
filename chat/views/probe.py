"""`/v2/probe`: a synthetic stream at a known pace, to find proxies that buffer between this server and a reader."""

import asyncio
import logging
from collections.abc import AsyncGenerator

from django.http import HttpRequest, StreamingHttpResponse
from django.http.response import HttpResponseBase

from chat import limits
from chat.protocol import events, sse
from chat.protocol.errors import InvalidArgument
from chat.views.api import api
from chat.views.resume import HEADERS

MOST_EVENTS, LONGEST_GAP, LONGEST = 200, 20_000, 60_000
MOST_PADDING, MOST_BYTES = 16_384, 262_144


@api("GET")
async def probe(request: HttpRequest) -> HttpResponseBase:
    """Send `events` events, one every `gap` ms, padded by `size` bytes, each with the time at which it was sent.

    The first one also lists which of the client's headers arrived. It needs no authentication: it tells nothing else.
    """
    count, gap = number(request, "events", 40, MOST_EVENTS), number(request, "gap", 50, LONGEST_GAP)
    size = number(request, "size", 0, MOST_PADDING, least=0)
    if count * gap > LONGEST:
        raise InvalidArgument(f"`events` times `gap` is at most {LONGEST} ms.")
    if count * size > MOST_BYTES:
        raise InvalidArgument(f"`events` times `size` is at most {MOST_BYTES} bytes.")
    await limits.spend("probe", ip=limits.address(request))
    return StreamingHttpResponse(paced(count, gap, size, seen_of(request)), headers=HEADERS)


def number(request: HttpRequest, name: str, default: int, most: int, least: int = 1) -> int:
    """A whole number from `least` to `most` from the query string."""
    text = request.GET.get(name, str(default))
    if not (text.isascii() and text.isdigit() and len(text) < 6 and least <= int(text) <= most):
        raise InvalidArgument(f"`{name}` is a whole number from {least} to {most}.")
    return int(text)


def seen_of(request: HttpRequest) -> dict[str, str | bool]:
    """What a proxy may have changed: the HTTP version, and whether the headers that readers need have arrived."""
    scope = getattr(request, "scope", {})
    came = {name: name in request.headers for name in ("last-event-id", "authorization", "accept-encoding")}
    return {"http": str(scope.get("http_version", "")), **came}


async def paced(count: int, gap: int, size: int, seen: dict[str, str | bool]) -> AsyncGenerator[bytes, None]:
    """The body: event n is due n × gap ms after its beginning, and has the time at which it was sent (`sent_ms`)."""
    try:
        loop = asyncio.get_running_loop()
        began = loop.time()
        yield sse.PRELUDE
        for seq in range(count):
            await asyncio.sleep(began + seq * gap / 1000 - loop.time())
            sent = round((loop.time() - began) * 1000, 3)
            probe = {"due_ms": seq * gap, "sent_ms": sent, **({} if seq else {"request": seen})}
            if size:
                probe["padding"] = "." * size
            response = {**events.delta(f"{seq} "), "wondercam": {"probe": probe}}
            yield sse.encode("probe", events.Event(seq, 0, events.encode(response)))
        yield sse.DONE
    except Exception:
        logging.getLogger(__name__).exception("a probe was cut off")
