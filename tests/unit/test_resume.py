"""Resume: a client gets all remaining events, from any process."""

import asyncio
from contextlib import aclosing
from functools import partial
from typing import Any

from django.test import AsyncClient

from chat.accounts import tokens
from chat.log.interruption import interrupt
from chat.models import Stream, User
from chat.protocol import events
from chat.protocol.errors import Interrupted
from tests.inside import Core


async def after(core: Core, stream: Stream, seq: int) -> Any:
    """What a reader gets who has the events up to that one."""
    headers = {"Authorization": f"Bearer {tokens.access_for(core.user)}"}
    return await AsyncClient().get(f"/v2/streams/{stream.pk}", {"after": seq, "poll": 1}, headers=headers)


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


async def test_a_stream_of_somebody_else_looks_like_none(core: Core):
    started = await core.ask("words=1")
    await core.ended(started)
    eve = await User.objects.acreate(username="eve")
    headers = {"Authorization": f"Bearer {tokens.access_for(eve)}"}
    foreign = await AsyncClient().get(f"/v2/streams/{started.pk}", headers=headers)
    unknown = await AsyncClient().get(f"/v2/streams/{started.answer_id}", headers=headers)
    assert foreign.status_code == unknown.status_code == 404
    assert foreign.content == unknown.content
