"""`/v2/probe`: a synthetic stream at a known pace, for finding what holds events back between here and a reader."""

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

MOST_EVENTS, LONGEST_GAP, LONGEST = 200, 2000, 60_000


@api("GET")
async def probe(request: HttpRequest) -> HttpResponseBase:
    """`events` events, one every `gap` ms, each telling when it was sent; for anybody, since it tells nothing else."""
    count, gap = number(request, "events", 40, MOST_EVENTS), number(request, "gap", 50, LONGEST_GAP)
    if count * gap > LONGEST:
        raise InvalidArgument(f"`events` times `gap` is at most {LONGEST} ms.")
    await limits.spend("probe", ip=limits.address(request))
    return StreamingHttpResponse(paced(count, gap), headers=HEADERS)


def number(request: HttpRequest, name: str, default: int, most: int) -> int:
    """A whole number from 1 to `most` in the address."""
    text = request.GET.get(name, str(default))
    if not (text.isascii() and text.isdigit() and len(text) < 6 and 1 <= int(text) <= most):
        raise InvalidArgument(f"`{name}` is a whole number from 1 to {most}.")
    return int(text)


async def paced(count: int, gap: int) -> AsyncGenerator[bytes, None]:
    """The stream: event n is due n × gap ms after its begin, and says how late it was sent (`sent_ms`)."""
    try:
        loop = asyncio.get_running_loop()
        began = loop.time()
        yield sse.PRELUDE
        for seq in range(count):
            await asyncio.sleep(began + seq * gap / 1000 - loop.time())
            sent = round((loop.time() - began) * 1000, 3)
            response = {**events.delta(f"{seq} "), "wondercam": {"probe": {"due_ms": seq * gap, "sent_ms": sent}}}
            yield sse.encode("probe", events.Event(seq, 0, events.encode(response)))
        yield sse.DONE
    except Exception:
        logging.getLogger(__name__).exception("a probe was cut off")
