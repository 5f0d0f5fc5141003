"""Snapshots: the stored events of an answer as one event, which later events continue."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from django.test import AsyncClient

from chat.accounts import tokens
from chat.log.fence import LeaseLost
from chat.models import Stream
from chat.protocol import events
from chat.protocol.answer import Answer
from chat.protocol.events import Event
from chat.protocol.sse import Decoder, ServerSentEvent
from chat.turns.snapshot import snapshot_of
from tests.faults.upstream import Script
from tests.inside import Core
from tests.unit.test_turns import row_of, seen


def parts_of(event: Event) -> Any:
    return events.parts_of(events.decode(event.data))


async def taken(core: Core, started: Stream) -> Event | None:
    return await snapshot_of(core.turns, core.log, await row_of(started))


async def body(core: Core, stream: Stream, query: str, **headers: str) -> AsyncIterator[bytes]:
    """The body of a response over HTTP, piece by piece."""
    headers["Authorization"] = f"Bearer {tokens.access_for(core.user)}"
    response: Any = await AsyncClient().get(f"/v2/streams/{stream.pk}{query}", headers=headers)
    assert response.status_code == 200
    async for piece in response:
        yield piece


async def read(core: Core, stream: Stream, query: str = "?snapshot=1", **headers: str) -> list[ServerSentEvent]:
    """What a reader gets."""
    return Decoder().feed(b"".join([piece async for piece in body(core, stream, query, **headers)]))


async def test_of_a_running_answer_it_is_what_is_stored_so_far(core: Core):
    started = await core.ask("seed=5 words=30 hold=20")
    await seen(core, started, 20)
    found = await taken(core, started)

    assert found is not None
    assert found.seq == 20
    assert parts_of(found) == [{"text": "".join(Script(5, 30).said()[:20])}]
    assert events.decode(found.data)["wondercam"] == {events.SNAPSHOT: 1}

    core.model.let()
    log = await core.ended(started)
    assert events.answer_text(log) == Script(5, 30).text  # taking it has closed nothing


async def test_there_is_none_of_an_answer_that_another_worker_holds_by_now(core: Core):
    """Its turn has not learned yet that what it said since was refused."""
    started = await core.ask("seed=5 words=30 hold=20")
    await seen(core, started, 20)
    turn = core.turns.turn_of(started.pk)
    assert turn is not None
    turn.answer.take([{"text": "said, and not stored"}], None)
    turn.tail.committed(Event(21, 0, "{}"), None, LeaseLost("taken over"))

    assert await taken(core, started) is None
    core.model.let()


async def test_one_of_another_process_is_put_together_from_what_is_stored(core: Core):
    started = await core.ask("seed=5 words=30 hold=20")
    await seen(core, started, 20)
    elsewhere = type(core.turns)(core.log, None, None, 10)  # type: ignore[arg-type]
    found = await snapshot_of(elsewhere, core.log, await row_of(started))
    await core.turns.stop(started)

    assert found is not None
    assert found.seq == 19  # the newest may be the end
    assert parts_of(found) == [{"text": "".join(Script(5, 30).said()[:19])}]


async def test_a_commit_that_does_not_come_is_not_waited_for(core: Core):
    started = await core.ask("words=30 hold=20")
    await seen(core, started, 20)
    turn = core.turns.turn_of(started.pk)
    assert turn is not None

    turn.tail.pending += 1
    assert await taken(core, started) is None
    turn.tail.error = OSError("the disk is full")
    assert await taken(core, started) is None

    turn.tail.error, turn.tail.pending = None, 0
    assert await taken(core, started) is not None
    await core.turns.stop(started)


async def test_before_the_first_word_there_is_none(core: Core):
    started = await core.ask("words=0 then=stall")

    assert await taken(core, started) is None
    await core.turns.stop(started)
    assert await taken(core, started) is None


async def test_of_a_complete_answer_it_is_all_with_its_end(core: Core):
    started = await core.ask("seed=6 words=30")
    log = await core.ended(started)
    found = await taken(core, started)
    last = events.decode(log[-1].data)

    assert found is not None
    assert (found.seq, found.at) == (log[-1].seq, log[-1].at)
    assert parts_of(found) == Answer.of(log).finished()
    assert events.finish_reason(events.decode(found.data)) == events.finish_reason(last)
    assert events.decode(found.data)["usageMetadata"] == last["usageMetadata"]


@pytest.mark.parametrize("then", ["cut", "error"])
async def test_an_end_that_is_more_than_a_reason_comes_behind_it(core: Core, then: str):
    started = await core.ask(f"seed=7 words=5 then={then}")
    log = await core.ended(started)
    came = await read(core, started)

    assert [event.id for event in came] == [f"{started.pk}:{len(log) - 2}", *[f"{started.pk}:{len(log) - 1}"] * 2]
    assert events.text_of(events.decode(came[0].data)) == Script(7, 5).text
    assert [event.data for event in came[1:]] == [log[-1].data, events.DONE]


async def test_a_reader_who_joins_gets_it_then_what_follows_as_it_is_written(core: Core):
    started = await core.ask("seed=8 words=30 hold=20")
    await seen(core, started, 20)
    pieces = body(core, started, "?snapshot=1")
    first = await anext(pieces)
    core.model.let()
    came = Decoder().feed(first + b"".join([piece async for piece in pieces]))
    log = await core.ended(started)

    assert came[0].id == f"{started.pk}:20"
    assert [event.data for event in came[1:]] == [*(event.data for event in log[21:]), events.DONE]
    text = "".join(events.text_of(events.decode(event.data)) for event in came[:-1])
    assert text == Script(8, 30).text


async def test_it_is_given_to_who_asks_for_it_and_has_nothing_yet(core: Core):
    started = await core.ask("seed=9 words=9")
    log = await core.ended(started)
    every = [event.data for event in log]

    by_header = await read(core, started, "", **{"X-WonderCam-Snapshot": "1"})
    assert by_header == await read(core, started) == await read(core, started, "?snapshot=1&after=0")
    assert by_header == await read(core, started, "?snapshot=1&poll=1")
    assert len(by_header) == 2
    assert [event.data for event in await read(core, started, "")] == [*every, events.DONE]
    assert [event.data for event in await read(core, started, "?snapshot=1&after=3")] == [*every[4:], events.DONE]


def test_after_an_answer_began_anew_only_what_counts_is_in_it():
    answer = Answer()
    for response in (events.delta("gone"), events.begun_anew(), events.delta("stays")):
        answer.add(response)

    assert answer.so_far() == [{"text": "stays"}]
    assert answer.so_far() == answer.finished()
