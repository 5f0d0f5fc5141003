"""`POST /v2/streams/<id>/receipt`: when the events of a stream arrived at their reader."""

from itertools import pairwise
from typing import Annotated
from uuid import UUID

import msgspec
from django.http.response import HttpResponseBase

from chat.accounts import tokens
from chat.log.sql import in_thread
from chat.models import Receipt, Stream, WriteTimes
from chat.protocol import receipt
from chat.protocol.errors import InvalidArgument
from chat.protocol.receipt import Arrival, Delivery
from chat.protocol.write_times import MOST_EVENTS, Write
from chat.views.api import Request, api, body, json_response

LONGEST_MS = 6 * 3600 * 1000.0

Moment = Annotated[float, msgspec.Meta(ge=0, le=LONGEST_MS)]


class ReceiptBody(msgspec.Struct):
    """`events`: [seq, received, painted or null] in order, in ms on the reader's clock since it sent the request.

    `busy_ms`: how long the tab's main thread was busy with other work. Other fields are ignored.
    """

    events: Annotated[list[tuple[int, Moment, Moment | None]], msgspec.Meta(min_length=1, max_length=MOST_EVENTS)]
    user_agent: str = ""
    busy_ms: Moment = 0.0

    def __post_init__(self) -> None:
        if self.events[0][0] < 0 or any(b[0] <= a[0] or b[1] < a[1] for a, b in pairwise(self.events)):
            raise ValueError("`events` are in the order of their seq, and of their arrival")
        if any(painted is not None and painted < received for _, received, painted in self.events):
            raise ValueError("an event is painted after it was received")


@api("POST")
async def create(request: Request, stream_id: UUID) -> HttpResponseBase:
    """Store the receipt. One with more events replaces an earlier one; any other changes nothing."""
    user = await tokens.authenticate(request)
    stream = await Stream.objects.for_user(user.pk).aget_or_404(stream_id)
    said = body(request, ReceiptBody)
    moments, writes = await in_thread(lambda: (_moments(stream), _writes(stream)))
    if said.events[-1][0] >= len(moments):
        raise InvalidArgument("`events` names an event that the stream does not have.")
    arrivals = [Arrival(*event) for event in said.events]
    found = receipt.delivery(moments, arrivals, writes, said.busy_ms)
    assert found is not None
    agent = (said.user_agent or request.headers.get("User-Agent", ""))[:200]
    request.process.metrics.received(found.verdict, {hop: found.slowest(hop) for hop in receipt.HOPS})
    kept = await request.process.log.write(lambda: _keep(stream, agent, arrivals, found))
    return json_response({"id": stream.pk, "events": kept.count, "verdict": kept.verdict})


def _moments(stream: Stream) -> list[int]:
    return list(stream.events.order_by("seq").values_list("at", flat=True)[:MOST_EVENTS])


def _writes(stream: Stream) -> list[Write]:
    kept = WriteTimes.objects.filter(pk=stream.pk).first()
    return [] if kept is None else kept.writes


def _keep(stream: Stream, user_agent: str, arrivals: list[Arrival], found: Delivery) -> Receipt:
    before = Receipt.objects.filter(pk=stream.pk).first()
    if before is not None and before.count >= len(arrivals):
        return before
    kept, _ = Receipt.objects.update_or_create(
        stream=stream,
        defaults={
            "user_agent": user_agent,
            "count": len(arrivals),
            "offset_us": round(found.offset_ms * 1000),
            "error_us": round(found.error_ms * 1000),
            "verdict": found.verdict,
            "packed": receipt.pack(arrivals),
        },
    )
    return kept
