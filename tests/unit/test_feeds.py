"""Feeds of a user's conversations: each line once, in order, resumable, and only for that user."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.utils import timezone

from chat.log import Log, changes, feeds, follow
from chat.log.deletion import delete_conversation
from chat.log.feeds import FeedKey, Feeds
from chat.log.interruption import interrupt
from chat.log.subscriber import Subscriber
from chat.models import Change, Conversation, User
from chat.protocol import events
from chat.protocol.errors import ApiError, Interrupted
from tests.inside import Core, new_stream


class FeedReader:
    """Reads a feed in the background; `lines` are what it was told, with the place of each."""

    def __init__(self, source: Feeds, key: FeedKey, after: int = -1) -> None:
        self.lines: list[tuple[int, dict[str, Any]]] = []
        self.ended = False
        self.refusal: ApiError | None = None
        self._told = asyncio.Condition()
        self._source, self._key, self._after = source, key, after

    async def run(self) -> None:
        try:
            async for page in self._source.follow(self._key, self._after):
                async with self._told:
                    self.lines += [(event.seq, events.decode(event.data)) for event in page.events]
                    self.ended = page.ended
                    self._told.notify_all()
        except ApiError as refusal:
            self.refusal = refusal

    @property
    def kinds(self) -> list[str]:
        return [line["type"] for _, line in self.lines]

    async def told(self, *kinds: str) -> dict[str, Any]:
        """Wait until these kinds of lines were the last; the last line."""
        async with asyncio.timeout(20), self._told:
            await self._told.wait_for(lambda: self.kinds[-len(kinds) :] == list(kinds))
        return self.lines[-1][1]


@asynccontextmanager
async def reading(source: Feeds, key: FeedKey, after: int = -1) -> AsyncIterator[FeedReader]:
    """A reader that has its first line."""
    reader = FeedReader(source, key, after)
    task = asyncio.create_task(reader.run())
    if after < 0:
        await reader.told("generating")
    yield reader
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_a_turn_is_told_from_its_question_to_its_end(core: Core):
    async with reading(core.log.feeds, FeedKey(core.user.pk)) as reader:
        started = await core.ask("seed=1 words=3")
        await core.ended(started)
        ended = await reader.told("message", "started", "ended")
        (_, first), (_, message), (_, begun), _ = reader.lines

    home = str(started.conversation_id)
    assert first == {"type": "generating", "streams": []}
    assert message == {"type": "message", "conversation": home, "message": str(started.question_id), "role": "user"}
    assert begun == {
        "type": "started",
        "conversation": home,
        "stream": str(started.pk),
        "question": str(started.question_id),
        "message": str(started.answer_id),
        "title": "seed=1 words=3",
    }
    ended.pop("read", None)  # whether this reader had come by then
    assert ended == {"type": "ended", "conversation": home, "stream": str(started.pk), "status": "complete"}


async def test_what_is_generated_already_is_the_first_thing_that_is_told(core: Core):
    started = await core.ask("words=3 then=stall")
    running = {"conversation": str(started.conversation_id), "stream": str(started.pk)}
    async with reading(core.log.feeds, FeedKey(core.user.pk)) as reader:
        assert reader.lines[0][1]["streams"] == [running]
    elsewhere = await Conversation.objects.acreate(user=core.user)
    async with reading(core.log.feeds, FeedKey(core.user.pk, elsewhere.pk)) as reader:
        assert reader.lines[0][1] == {"type": "generating", "conversation": str(elsewhere.pk), "streams": []}


async def test_a_reader_that_comes_back_gets_what_it_missed_once_and_in_order(core: Core):
    async with reading(core.log.feeds, FeedKey(core.user.pk)) as whole:
        for number in range(3):
            await core.ended(await core.ask(f"seed={number} words=1"))
        await whole.told(*["message", "started", "ended"] * 3)
    places = [place for place, _ in whole.lines]

    assert places[1:] == sorted(set(places[1:]))
    for cut in range(1, len(whole.lines) - 1):
        async with reading(core.log.feeds, FeedKey(core.user.pk), after=places[cut]) as again:
            await again.told("ended")
            while len(again.lines) < len(whole.lines) - cut - 1:
                await again.told("ended")
                await asyncio.sleep(0)
        assert again.lines == whole.lines[cut + 1 :]


async def test_the_feed_of_a_conversation_has_its_own_lines_and_ends_with_it(core: Core):
    first = await core.ask("words=1")
    await core.ended(first)
    key = FeedKey(core.user.pk, first.conversation_id)
    async with reading(core.log.feeds, key) as reader:
        await core.ended(await core.ask("words=1"))
        second = await core.ask("words=1", conversation_id=first.conversation_id)
        await core.ended(second)
        await reader.told("message", "started", "ended")
        told = partial(core.log.feeds.changed, core.user.pk)
        await delete_conversation(first.conversation_id, core.log.write, told)
        await reader.told("message", "started", "ended", "deleted")

    assert reader.kinds == ["generating", "message", "started", "ended", "deleted"]
    assert reader.ended


async def test_nobody_is_told_of_another_s(core: Core):
    other = await User.objects.acreate(username="bob")
    async with reading(core.log.feeds, FeedKey(other.pk)) as reader:
        await core.ended(await core.ask("words=1"))
        await core.log.write(lambda: changes.prune(timezone.now() - timedelta(days=1)))
        page = await core.log.feeds.read(FeedKey(other.pk), 0)

    assert reader.kinds == ["generating"]
    assert page.events == []


async def test_what_another_process_did_without_a_word_is_told_all_the_same(log: Log, other_log: Log):
    stream = await sync_to_async(new_stream)()
    async with reading(log.feeds, FeedKey(stream.user_id)) as reader:
        await other_log.write(partial(interrupt, stream.pk, Interrupted("It went away.")))
        told = await reader.told("ended")

    assert (told["stream"], told["status"]) == (str(stream.pk), events.INTERRUPTED)


async def test_a_place_that_is_not_in_the_feed_any_more_is_answered_by_what_is_now(core: Core):
    await core.ended(await core.ask("words=1"))
    newest = await Change.objects.order_by("-id").values_list("id", flat=True).afirst()
    assert newest is not None
    for place in (newest + 1000, 0):
        async with reading(core.log.feeds, FeedKey(core.user.pk), after=place) as reader:
            first = await reader.told("generating")
        assert first["missed"] is True
        assert reader.lines[0][0] == newest


async def test_old_lines_are_deleted_and_their_numbers_are_not_given_again(core: Core):
    await core.ended(await core.ask("words=1"))
    newest = await Change.objects.order_by("-id").values_list("id", flat=True).afirst()
    await Change.objects.aupdate(at=timezone.now() - changes.KEPT - timedelta(minutes=1))
    tidying = asyncio.create_task(feeds.keep_short(core.log.write))
    async with asyncio.timeout(20):
        while await Change.objects.aexists():
            await asyncio.sleep(0.01)
    tidying.cancel()
    await core.ended(await core.ask("words=1"))
    after = await Change.objects.order_by("id").values_list("id", flat=True).afirst()

    assert after is not None
    assert newest is not None
    assert after > newest


async def test_a_server_that_goes_down_ends_every_reading_at_once_and_takes_no_more(core: Core):
    async with reading(core.log.feeds, FeedKey(core.user.pk)) as reader:
        core.log.feeds.leave()
        async with asyncio.timeout(20):
            while reader.refusal is None:
                await asyncio.sleep(0)
        again = FeedReader(core.log.feeds, FeedKey(core.user.pk))
        await again.run()
        core.log.feeds.open(None)

    assert reader.refusal.status == "UNAVAILABLE"
    assert again.refusal is not None


async def test_what_is_not_stored_is_not_told(core: Core):
    conversation = await Conversation.objects.acreate(user=core.user)

    def fails() -> None:
        changes.tell_of_conversation(conversation.pk, changes.RENAMED, {"title": "x"})
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        await core.log.write(fails)

    assert not await Change.objects.aexists()


async def test_readers_are_notified_at_once_of_a_turn_that_begins(core: Core, monkeypatch: pytest.MonkeyPatch):
    """Not only at their next poll."""
    monkeypatch.setattr(feeds, "POLL_SECONDS", 3600.0)
    monkeypatch.setattr(follow, "HEARTBEAT", 3600.0)
    async with reading(core.log.feeds, FeedKey(core.user.pk)) as reader:
        started = await core.ask("words=3 hold=1")
        begun = await reader.told("message", "started")
        core.model.let()
        await core.ended(started)

    assert begun["stream"] == str(started.pk)


async def test_nothing_is_kept_of_readers_that_have_left(core: Core):
    """Neither of one that reads what is stored, nor of one that leaves while the poll asks for its lines."""
    await core.ended(await core.ask("words=1"))
    source, key = core.log.feeds, FeedKey(core.user.pk)
    subscriber = Subscriber(-1, None, source.timeouts())
    source.subscribe(key, subscriber)
    await source._look_at([core.user.pk])
    asking = asyncio.create_task(source._look_at([core.user.pk]))
    await asyncio.sleep(0)
    source.unsubscribe(key, subscriber)
    await asking
    assert (await source.read(key, 0)).events

    assert source._seen == {}
