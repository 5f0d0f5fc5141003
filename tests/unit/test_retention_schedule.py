"""When a process that serves deletes what is too old: by a clock that the test holds, not by waiting."""

import asyncio
import logging
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio
from django.utils import timezone

from chat import retention
from chat.log import Log
from chat.models import Attachment, Conversation, Event, Stream
from chat.process import this_process
from tests.inside import Core

DAYS = {"conversations": 30, "recordings": 20, "photos": 10, "guests": 0}


class Hours:
    """A clock that stands still while the retention works, and goes on by what it sleeps once the test says so."""

    def __init__(self) -> None:
        self.at = timezone.now()
        self.slept: list[float] = []
        self.asleep, self._go = asyncio.Event(), asyncio.Event()

    def now(self) -> datetime:
        """The time."""
        return self.at

    async def sleep(self, seconds: float) -> None:
        """Sleep until the test wakes the sleeper, so many seconds later."""
        self.slept.append(seconds)
        self._go.clear()
        self.asleep.set()
        await self._go.wait()
        self.at += timedelta(seconds=seconds)

    async def wake(self) -> None:
        """Let the time of the sleep pass, and wait until what is woken sleeps again."""
        await self.asleep.wait()
        self.asleep.clear()
        self._go.set()
        await asyncio.wait_for(self.asleep.wait(), 90)


@pytest_asyncio.fixture
async def hours(core: Core) -> AsyncIterator[Hours]:
    """The clock of a retention that runs."""
    clock = Hours()
    task = asyncio.create_task(retention.keep_pruning(DAYS, core.log.write, clock.sleep, clock.now))
    await clock.asleep.wait()
    yield clock
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def made(core: Core, clock: Hours, **ago: float) -> Conversation:
    """A conversation with an answer and a photo, that age by the clock."""
    then = clock.at - timedelta(**ago)
    stream = await core.ask("words=5 gap=0")
    await core.ended(stream)
    talk = Conversation.objects.filter(pk=stream.conversation_id)
    photo: dict[str, Any] = {"mime_type": "image/jpeg", "width": 1, "height": 1, "data": b"pixels"}
    kept = await Attachment.objects.acreate(user=core.user, conversation=await talk.aget(), **photo)
    await Attachment.objects.filter(pk=kept.pk).aupdate(created_at=then)
    await Stream.objects.filter(pk=stream.pk).aupdate(ended_at=then, created_at=then)
    await talk.aupdate(updated_at=then)
    return await talk.aget()


async def kept() -> dict[str, int]:
    """How many conversations, streams with a recording, and photos there are."""
    recorded = await Event.objects.values("stream").distinct().acount()
    return {
        "talks": await Conversation.objects.exclude(user__username="(deleted)").acount(),
        "recordings": recorded,
        "photos": await Attachment.objects.acount(),
    }


async def test_it_begins_a_minute_after_the_start_and_comes_each_hour(hours: Hours, core: Core) -> None:
    await made(core, hours, days=40)
    assert await kept() == {"talks": 1, "recordings": 1, "photos": 1}
    await hours.wake()
    assert await kept() == {"talks": 0, "recordings": 0, "photos": 0}
    for _ in range(3):
        await hours.wake()
    assert hours.slept == [60, 3600, 3600, 3600, 3600]


@pytest.mark.parametrize(
    ("days", "left"),
    [
        (10, {"talks": 1, "recordings": 1, "photos": 0}),
        (20, {"talks": 1, "recordings": 0, "photos": 0}),
        (30, {"talks": 0, "recordings": 0, "photos": 0}),
    ],
    ids=["photos", "recordings", "conversations"],
)
async def test_what_comes_of_age_goes_in_the_next_round_and_not_before(
    hours: Hours, core: Core, days: int, left: dict[str, int]
) -> None:
    await hours.wake()
    await made(core, hours, days=days, minutes=-90)  # of age in an hour and a half
    before = {**left, {10: "photos", 20: "recordings", 30: "talks"}[days]: 1}
    await hours.wake()
    assert await kept() == before
    await hours.wake()
    assert await kept() == left


async def test_a_round_that_fails_is_logged_and_the_next_one_does_it(
    hours: Hours, core: Core, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    await made(core, hours, days=40)

    async def broken(*_: Any) -> dict[str, int]:
        raise RuntimeError("the database is away")

    with monkeypatch.context() as patched, caplog.at_level(logging.INFO, "chat.retention"):
        patched.setattr(retention, "once", broken)
        await hours.wake()
        assert "Retention failed" in caplog.text
    assert (await kept())["talks"] == 1
    with caplog.at_level(logging.INFO, "chat.retention"):
        await hours.wake()
    assert (await kept())["talks"] == 0
    assert "Retention deleted 1 conversations" in caplog.text


async def test_an_answer_that_is_written_meanwhile_is_whole(hours: Hours, core: Core) -> None:
    running = await core.ask("words=40 gap=0 hold=20")
    await made(core, hours, days=40)
    await hours.wake()
    core.model.let()
    found = await core.ended(running)
    assert [event.seq for event in found] == list(range(len(found)))
    assert await kept() == {"talks": 1, "recordings": 1, "photos": 0}


async def test_a_process_that_serves_keeps_to_it_until_it_closes(
    log: Log, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.KEEP_DAYS = DAYS
    begun, over = asyncio.Event(), asyncio.Event()
    told: list[Any] = []

    async def keep_pruning(*given: Any) -> None:
        told.extend(given)
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            over.set()

    monkeypatch.setattr(retention, "keep_pruning", keep_pruning)
    process = this_process()
    await process.open()
    await asyncio.wait_for(begun.wait(), 90)
    assert told == [DAYS, log.write]
    await process.close()
    assert over.is_set()
