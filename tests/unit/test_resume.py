"""Resume: a client gets all remaining events, from any process."""

import asyncio
from contextlib import aclosing
from functools import partial
from typing import Any

from django.test import AsyncClient

from chat.accounts import tokens
from chat.log.interruption import interrupt
from chat.models import Stream, User
from chat.process import this_process
from chat.protocol import events
from chat.protocol.errors import Interrupted
from tests.inside import Core


async def after(core: Core, stream: Stream, cursor: int | str) -> Any:
    """What a reader gets who has the events up to that one."""
    headers = {"Authorization": f"Bearer {tokens.access_for(core.user)}"}
    return await AsyncClient().get(f"/v2/streams/{stream.pk}", {"after": cursor, "poll": 1}, headers=headers)


async def test_an_end_that_another_process_stored_is_still_to_come(core: Core):
    """A worker that lost its database for a while still has the stream's tail, without the end that another stored."""
    started = await core.ask("words=5 gap=0 hold=3")
    stored = 0
    async with asyncio.timeout(60), aclosing(core.log.follow(started.pk)) as pages:
        async for page in pages:
            stored = page.events[-1].seq
            if stored >= 3:
                break
    end = await core.log.write(partial(interrupt, started.pk, Interrupted("Its worker is gone.")))
    assert end == stored + 1

    answer = await after(core, started, stored)
    assert answer.status_code == 200, "204 would tell the reader that it has everything"

    core.model.let()
    assert [event.seq for event in await core.ended(started)][-1] == end
    assert (await Stream.objects.aget(pk=started.pk)).status == events.INTERRUPTED
    assert (await after(core, started, end)).status_code == 204


def resumed() -> float:
    """How many readers went on from a cursor, as this process counts."""
    return this_process().metrics.standing()["streams_resumed"][""]


async def test_a_cursor_of_another_stream_or_ahead_of_its_own_is_refused(core: Core):
    started, other = await core.ask("seed=1 words=1"), await core.ask("seed=2 words=1")
    last = (await core.ended(started))[-1].seq
    await core.ended(other)
    for cursor in (f"{other.pk}:1", str(last + 1), "x:1", f"{started.pk}:", "-1", "²", "9" * 5000):
        assert (await after(core, started, cursor)).status_code == 400, cursor
    assert (await after(core, started, f"{started.pk}:1")).status_code == 200


async def test_a_reader_that_resumes_is_counted_and_who_asks_for_the_head_is_not(core: Core):
    started = await core.ask("words=1")
    await core.ended(started)
    before = resumed()
    headers = {"Authorization": f"Bearer {tokens.access_for(core.user)}"}
    await AsyncClient().head(f"/v2/streams/{started.pk}", {"after": 0}, headers=headers)
    assert resumed() == before
    await after(core, started, 0)
    assert resumed() == before + 1


async def test_a_stop_is_counted(core: Core):
    started = await core.ask("words=3 hold=1")
    before = this_process().metrics.standing()["stops_requested"][""]
    headers = {"Authorization": f"Bearer {tokens.access_for(core.user)}"}
    answer = await AsyncClient().post(f"/v2/streams/{started.pk}/stop", headers=headers)
    assert answer.json()["status"] == events.STOPPED
    assert this_process().metrics.standing()["stops_requested"][""] == before + 1


async def test_a_stream_of_somebody_else_looks_like_none(core: Core):
    started = await core.ask("words=1")
    await core.ended(started)
    eve = await User.objects.acreate(username="eve")
    headers = {"Authorization": f"Bearer {tokens.access_for(eve)}"}
    foreign = await AsyncClient().get(f"/v2/streams/{started.pk}", headers=headers)
    unknown = await AsyncClient().get(f"/v2/streams/{started.answer_id}", headers=headers)
    assert foreign.status_code == unknown.status_code == 404
    assert foreign.content == unknown.content
