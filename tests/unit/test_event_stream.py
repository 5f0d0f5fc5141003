"""Event streams as response bodies: exact framing, and no exception leaves the generator."""

import asyncio
from collections.abc import AsyncGenerator
from io import BytesIO
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest

from chat.log import Log, follow
from chat.log.pages import Page
from chat.models import Stream
from chat.process import Process
from chat.protocol import errors, events
from chat.protocol.events import Event
from chat.views import doors, event_stream

NAME = UUID("12345678-1234-1234-1234-123456789abc")
DELTA = events.encode(events.delta("Hi\u2028\n\ndata: [DONE]"))
END = events.encode(events.finish("STOP", {"totalTokenCount": 3}))


class Following(Log):
    """Stands for the log: pages to follow, and exceptions to raise in their place."""

    def __init__(self, *batches: list[Event] | Exception) -> None:
        super().__init__()
        self.batches = batches
        self.after: list[int] = []
        self.closed = asyncio.Event()
        self.endless = False

    async def follow(
        self, stream_id: UUID, after: int = -1, deliver: Any = None, live: bool = True
    ) -> AsyncGenerator[Page, None]:
        self.after.append(after)
        try:
            for number, batch in enumerate(self.batches, 1):
                if isinstance(batch, Exception):
                    raise batch
                events_left = [event for event in batch if event.seq > after]
                yield Page(events_left, ended=number == len(self.batches) and not self.endless)
            if self.endless:
                await asyncio.Event().wait()
        finally:
            self.closed.set()


LOG = [[Event(0, 900, events.OK_DATA)], [Event(1, 2500, DELTA), Event(2, 3999, END)]]


async def sent(log: Any, after: int = -1, **options: Any) -> list[bytes]:
    return [piece async for piece in event_stream.event_stream(log, NAME, after, **options)]


async def test_the_first_reader_gets_the_contract_to_the_letter():
    log = Following(*LOG)

    assert b"".join(await sent(log)) == (
        b'retry: 1000\nid: %s:0\ndata: {"candidates": [{"content": {"parts": [{"text": "OK"}]}}]}\n\n'
        b"id: %s:1\ndata: %s\n\nid: %s:2\ndata: %s\n\ndata: [DONE]\n\n"
    ) % (str(NAME).encode(), str(NAME).encode(), DELTA.encode(), str(NAME).encode(), END.encode())


async def test_a_batch_is_one_write():
    log = Following(*LOG)

    assert [piece.count(b"id: ") for piece in await sent(log)] == [1, 2]


async def test_after_a_check_a_reader_may_read_for_a_while(monkeypatch: pytest.MonkeyPatch):
    times, checks = iter([0.0]), list[int]()
    monkeypatch.setattr(event_stream, "monotonic", lambda: next(times, event_stream.RECHECK + 1))

    async def may_read() -> None:
        checks.append(1)

    await sent(Following(*[[Event(seq, 0, DELTA)] for seq in range(4)]), may_read=may_read)
    assert len(checks) == 1


async def test_a_resumed_reader_gets_its_headers_before_there_is_anything_to_tell():
    log = Following([], [Event(1, 0, DELTA)])
    pieces = await sent(log, 0)

    assert log.after == [0]
    assert pieces[0] == b"retry: 1000\n"
    assert pieces[1] == b": \n\n"
    assert pieces[2].startswith(b"id: ")


async def test_timing_comments_precede_each_event():
    log = Following(*LOG)
    pieces = await sent(log, timing=True)

    assert pieces[0].startswith(b"retry: 1000\n: t=0\nid: ")
    assert b": t=2\nid: %s:1" % str(NAME).encode() in pieces[1]
    assert b": t=3\nid: %s:2" % str(NAME).encode() in pieces[1]


async def test_an_exception_cuts_the_body_and_goes_no_further():
    log = Following(LOG[0], RuntimeError("the database"))

    assert b"[DONE]" not in b"".join(await sent(log))


async def test_a_right_that_has_ended_is_a_typed_end_and_nothing_leaks(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(event_stream, "RECHECK", -1)
    log = Following(*LOG)

    async def refused() -> None:
        raise errors.Unauthenticated("Your account may not read this any more.")

    body = b"".join(await sent(log, may_read=refused))
    assert body.startswith(b'retry: 1000\ndata: {"error":{"code":401')
    assert body.endswith(b"data: [DONE]\n\n")
    assert b"id: " not in body
    assert b"wondercam" not in body  # the stream itself has not ended


async def test_a_right_is_looked_at_again_within_30_seconds_of_any_stream():
    # A silent stream has a heartbeat at which to look; the look before it was at most RECHECK ago.
    assert event_stream.RECHECK + follow.HEARTBEAT <= 30
    assert event_stream.RECHECK < follow.HEARTBEAT


async def test_gemini_s_stream_has_none_of_our_words():
    waiting = events.encode(events.notice(events.WAITING, "in line"))
    stopped = events.encode(events.stopped())
    log = Following([Event(1, 0, waiting), Event(2, 0, DELTA)], [Event(3, 0, stopped)])
    process = Process()
    process.log = log
    body = b"".join([piece async for piece in doors.gemini_stream(process, Stream(pk=NAME))])

    assert b"wondercam" not in body
    assert b"[DONE]" not in body.replace(DELTA.encode(), b"")
    assert body.count(b"data: ") - DELTA.encode().count(b"data: ") == 2


async def test_the_whole_answer_is_the_stream_put_together():
    first = [Event(1, 0, events.encode(events.delta("a", "m"))), Event(2, 0, events.encode(events.delta("b")))]
    log = Following(first, [Event(3, 0, END)])
    answer = await event_stream.whole(log, uuid4())

    assert answer["candidates"][0]["content"] == {"role": "model", "parts": [{"text": "ab"}]}
    assert answer["candidates"][0]["finishReason"] == "STOP"
    assert answer["usageMetadata"] == {"totalTokenCount": 3}


async def test_the_whole_answer_of_a_failure_is_its_error():
    failed = events.encode(events.failure(errors.Truncated("cut")))
    log = Following([Event(1, 0, DELTA), Event(2, 0, failed)])

    assert await event_stream.whole(log, uuid4()) == errors.Truncated("cut").as_json()


async def test_a_reader_that_goes_closes_what_it_followed():
    log = Following(LOG[0])
    log.endless = True
    body = event_stream.event_stream(log, NAME)
    await anext(body)
    await body.aclose()
    await asyncio.wait_for(log.closed.wait(), 60)


def test_pieces_are_pushed_by_our_server_only():
    scope = {"type": "http", "method": "GET", "path": "/", "headers": []}
    written = list[bytes]()

    def write(piece: bytes) -> bool:
        written.append(piece)
        return True

    push = event_stream.push_of(ASGIRequest({**scope, "extensions": {"wondercam.push": {"write": write}}}, BytesIO()))
    assert push is not None
    assert push(b"piece")
    assert written == [b"piece"]
    assert event_stream.push_of(ASGIRequest(scope, BytesIO())) is None
    assert event_stream.push_of(HttpRequest()) is None
