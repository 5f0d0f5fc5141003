"""Turns that are stopped after a sign-out, and those of guests who have left."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from time import monotonic
from typing import Any

import pytest
from asgiref.sync import sync_to_async

from chat.accounts import families, keys
from chat.accounts.claims import Claims
from chat.log import Log
from chat.log.subscriber import Subscriber
from chat.models import Stream, User
from chat.process import this_process
from chat.protocol import events
from chat.protocol.request import Ask
from chat.turns import runner
from chat.turns.runner import Turns
from chat.turns.unwanted import Unwanted
from tests.inside import Core
from tests.unit.test_continuation import dies, going_on, is_missed

__all__ = ["going_on"]

LONG = "words=2000 gap=50"


@pytest.fixture
async def quick(core: Core, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Core]:
    """Turns that are looked at twenty times a second."""
    process = this_process()
    monkeypatch.setattr(runner, "UNWANTED_POLL", 0.05)
    turns = Turns(core.log, lambda: process.catalogue, process.metrics, 5)
    await turns.open()
    yield replace(core, turns=turns)
    await turns.close(0)


@pytest.fixture(autouse=True)
def limits_on(settings: Any) -> None:
    settings.LIMITS_OFF = False


async def begun(core: Core, *, is_guest: bool = False, family: str = "f") -> Stream:
    """A long answer for somebody who came by that sign-in."""
    user = core.user
    await User.objects.filter(pk=user.pk).aupdate(is_guest=is_guest)
    user.is_guest, user.claims = is_guest, Claims(user.pk, user.token_version, family, "")
    return await core.turns.start(user, Ask(contents=[{"text": LONG}]), monotonic())


async def end_of(core: Core, stream: Stream) -> str:
    await core.ended(stream)
    return (await Stream.objects.aget(pk=stream.pk)).status


def nobody_has_read(core: Core, stream: Stream, seconds: float) -> None:
    tail = core.log.tail_of(stream.pk)
    assert tail is not None
    tail.left_at -= seconds


async def look(core: Core) -> list[Any]:
    return await core.turns._unwanted.look()


async def test_an_answer_is_stopped_soon_after_whoever_asked_has_signed_out(quick: Core):
    stream = await begun(quick)
    await sync_to_async(families.end)("f")
    assert await end_of(quick, stream) == events.STOPPED


async def test_it_goes_on_while_the_sign_in_does(core: Core):
    stream = await begun(core)
    await sync_to_async(families.end)("another")
    assert await look(core) == []
    assert core.turns.running() == [stream.pk]


async def test_a_new_password_and_a_lock_stop_it(core: Core):
    stream = await begun(core)
    await sync_to_async(core.user.end_tokens)()
    assert await look(core) == [stream.pk]


async def test_so_does_the_end_of_the_api_key_that_it_was_asked_by(core: Core):
    key, _ = await sync_to_async(keys.give)(core.user, "laptop", [], None)
    stream = await begun(core, family=keys.family_of(key.pk))
    assert await look(core) == []
    await sync_to_async(keys.end)(core.user, key.pk)
    assert await look(core) == [stream.pk]


async def test_a_guests_answer_that_nobody_reads_is_stopped_after_a_while(core: Core):
    stream = await begun(core, is_guest=True)
    nobody_has_read(core, stream, 59)
    assert await look(core) == []
    nobody_has_read(core, stream, 2)
    assert await look(core) == [stream.pk]


async def test_it_ends_as_stopped_with_what_came_so_far(quick: Core):
    stream = await begun(quick, is_guest=True)
    nobody_has_read(quick, stream, 61)
    while quick.turns.running():
        await asyncio.sleep(0.01)
    assert (await Stream.objects.aget(pk=stream.pk)).status == events.STOPPED


async def test_not_while_somebody_reads_it(core: Core):
    stream = await begun(core, is_guest=True)
    before = core.log.state().readers
    reading = asyncio.create_task(core.ended(stream))
    while core.log.state().readers == before:
        await asyncio.sleep(0)
    nobody_has_read(core, stream, 1000)
    assert await look(core) == []
    reading.cancel()
    await asyncio.gather(reading, return_exceptions=True)
    assert await look(core) == []  # who has just gone may come back
    nobody_has_read(core, stream, 61)
    assert await look(core) == [stream.pk]


async def test_nor_while_a_reader_is_at_another_process(core: Core, other_log: Log):
    stream = await begun(core, is_guest=True)
    nobody_has_read(core, stream, 1000)
    subscriber = Subscriber(-1, None, other_log.timeouts())
    other_log.subscribe(stream.pk, subscriber)
    other_log.unsubscribe(stream.pk, subscriber)  # as a reader that polls does
    await Unwanted(other_log).look()
    assert await look(core) == []
    assert other_log.read_elsewhere() == []


async def test_a_person_with_an_account_may_leave(core: Core):
    stream = await begun(core)
    nobody_has_read(core, stream, 1000)
    assert await look(core) == []


async def test_nothing_is_kept_of_a_turn_that_has_ended(core: Core):
    stream = await begun(core, is_guest=True)
    assert await core.turns.stop(await Stream.objects.aget(pk=stream.pk)) == events.STOPPED
    assert not core.turns._unwanted._claims
    assert not core.turns._unwanted._guests


async def test_a_guests_answer_that_was_taken_over_is_watched_too(going_on: Core):
    core = going_on
    await User.objects.filter(pk=core.user.pk).aupdate(is_guest=True)
    core.user.is_guest = True
    stream = await core.ask("seed=3 words=30 hold=6")
    await dies(core, stream, 6)
    await is_missed(core)
    assert core.turns.running() == [stream.pk]
    assert await look(core) == []  # it had a reader here while nobody wrote it
    nobody_has_read(core, stream, 61)
    await Stream.objects.filter(pk=stream.pk).aupdate(read_elsewhere_at=None)

    assert await look(core) == [stream.pk]
