"""Write times: when events were committed and written is recorded for clients that send a receipt."""

import asyncio
import json
from collections.abc import Callable
from time import monotonic
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.test import AsyncClient

from chat.accounts import tokens
from chat.log import Log, WriteClock
from chat.log.fence import FIRST_EPOCH
from chat.models import Event as StoredEvent
from chat.models import Stream, WriteTimes
from chat.protocol import events
from chat.protocol.events import Event
from chat.protocol.write_times import Write
from chat.views import event_stream
from tests.inside import Core, an_end, new_stream

OK = Event(0, 0, events.OK_DATA)
DELTA = events.encode(events.delta("word "))
END = events.encode(events.finish("STOP"))


async def kept(stream: Stream, count: int) -> list[Write]:
    """What is stored of the stream's write times, in the order of seq, once it is that many: nobody waits for them."""
    async with asyncio.timeout(60):
        while True:
            found = await WriteTimes.objects.filter(pk=stream.pk).afirst()
            if found and len(found.writes) >= count:
                return found.writes


async def read(log: Any, stream: Stream, after: int = -1, write: Callable[[bytes], bool] | None = None) -> bytes:
    body = event_stream.event_stream(log, stream.pk, after, push=write)
    return b"".join([piece async for piece in body])


async def test_every_event_has_its_three_times_of_the_server_in_order(core: Core):
    started = await core.ask("words=30 gap=2")
    await read(WriteClock(core.log, started), started, write=lambda piece: True)
    moments = [
        at async for at in StoredEvent.objects.filter(stream=started).order_by("seq").values_list("at", flat=True)
    ]
    writes = await kept(started, len(moments))

    assert [write.seq for write in writes] == list(range(len(moments)))
    for write, at in zip(writes, moments, strict=True):
        assert at / 1000 - 0.11 <= write.stored <= write.written


async def test_no_event_is_written_later_than_its_reader_can_have_it(core: Core):
    started = await core.ask("words=20 gap=2")
    began, got = core.log.tail_of(started.pk).began, list[float]()

    def write(piece: bytes) -> bool:
        got.extend([(monotonic() - began) * 1000] * piece.count(b"id: "))
        return True

    async for piece in event_stream.event_stream(WriteClock(core.log, started), started.pk, push=write):
        write(piece)
    for write_time, at in zip(await kept(started, len(got)), got, strict=True):
        assert write_time.written <= at + 0.1


async def test_nothing_is_noted_for_a_reader_who_does_not_ask(core: Core):
    started = await core.ask("words=5 gap=0")
    await read(core.log, started)

    assert core.log.tail_of(started.pk).commit_times is None
    assert not await WriteTimes.objects.aexists()


async def test_a_reader_who_leaves_has_what_it_got_and_the_rest_is_added_when_it_comes_back(log: Log):
    row = await sync_to_async(new_stream)()
    tail = log.open_tail(row.pk, FIRST_EPOCH, OK)
    pieces = event_stream.event_stream(WriteClock(log, row), row.pk)
    await anext(pieces)
    tail.append(10, DELTA)
    await tail.settled()
    await anext(pieces)
    await pieces.aclose()
    # What it was given last it may not have got: it is noted when the next piece is asked for.
    first = await kept(row, 1)
    assert [write.seq for write in first] == [0]

    tail.append(20, END, an_end())
    await tail.settled()
    await read(WriteClock(log, row), row, after=0)
    assert [write.seq for write in await kept(row, 3)] == [0, 1, 2]


async def test_a_reader_at_another_process_notes_what_it_writes_itself(log: Log, other_log: Log):
    row = await sync_to_async(new_stream)()
    tail = log.open_tail(row.pk, FIRST_EPOCH, OK)
    tail.append(10, END, an_end())
    await tail.settled()
    await read(WriteClock(other_log, row), row)

    found = await kept(row, 2)
    assert [(write.seq, write.stored) for write in found] == [(0, None), (1, None)]
    assert all(0 <= write.written < 60_000 for write in found)


async def test_a_stream_that_was_deleted_meanwhile_takes_no_times(log: Log):
    row = await sync_to_async(new_stream)()
    clock = WriteClock(log, row)
    pieces = event_stream.event_stream(clock, row.pk)
    await anext(pieces)
    await sync_to_async(row.delete)()
    await pieces.aclose()

    assert await log.write(lambda: WriteTimes.objects.count()) == 0


@pytest.mark.django_db(transaction=True)
async def test_the_header_of_a_question_asks_for_it(core: Core):
    headers = {"Authorization": f"Bearer {tokens.access_for(core.user)}", "X-WonderCam-Receipt": "1"}
    body = json.dumps({"contents": [{"text": "words=5 gap=0"}]})
    answer: Any = await AsyncClient().post("/v2/echat", body, content_type="application/json", headers=headers)
    async for _ in answer.streaming_content:
        pass

    assert await kept(await Stream.objects.aget(), 1)
