"""Notifications between processes, which may be lost or wrong without harm; and waiting subscribers."""

import asyncio
from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import pytest

from chat.log import notifier
from chat.log.notifier import Lately, NotificationHandlers, Notifier
from chat.log.subscriber import Subscriber
from chat.log.timeouts import Timeouts


def subscribed() -> Subscriber:
    """A reader that waits on the running loop."""
    return Subscriber(-1, None, Timeouts(asyncio.get_running_loop()))


async def woken(subscriber: Subscriber, seconds: float) -> bool:
    """Whether it is woken within that time."""
    await subscriber.wait(seconds)
    return subscriber._woken


async def test_a_waiting_subscriber_is_woken():
    subscriber = subscribed()
    waiting = asyncio.create_task(woken(subscriber, 100))
    await asyncio.sleep(0)
    subscriber.wake()
    assert await asyncio.wait_for(waiting, 60)


async def test_what_happens_between_the_look_and_the_wait_is_not_missed():
    subscriber = subscribed()
    subscriber.clear()
    subscriber.wake()
    assert await asyncio.wait_for(woken(subscriber, 100), 60)
    subscriber.clear()
    assert not await woken(subscriber, 0.01)
    subscriber.close()


async def test_a_wait_that_is_cancelled_is_not_ended_by_its_timeout():
    subscriber = subscribed()
    waiting = asyncio.create_task(woken(subscriber, 0.001))
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    subscriber.close()
    assert not await woken(subscribed(), 0.01)  # rings after the first one's


async def test_waits_of_many_end_in_their_order_and_a_later_wait_does_not_end_at_an_earlier_time():
    first, second = subscribed(), subscribed()
    loop, ended = asyncio.get_running_loop(), list[str]()
    late, early = first.wait(0.02), second.wait(0.01)
    late.add_done_callback(lambda _: ended.append("late"))
    early.add_done_callback(lambda _: ended.append("early"))
    await asyncio.gather(late, early)
    assert ended == ["early", "late"]
    began = loop.time()
    first.wait(0.01).cancel()  # its timeout is still set
    await first.wait(0.03)
    assert loop.time() - began >= 0.03


class Layer:
    """A channel layer that can be away; what is sent comes back to whoever receives."""

    def __init__(self) -> None:
        self.away = False
        self.sent: list[dict[str, Any]] = []
        self.queue: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.joined = 0

    async def new_channel(self) -> str:
        return "channel"

    async def group_add(self, group: str, channel: str) -> None:
        self.joined += 1

    async def group_send(self, group: str, message: dict[str, Any]) -> None:
        await asyncio.sleep(0.01)
        if self.away:
            raise ConnectionError("no Redis")
        self.sent.append(message)
        self.queue.put_nowait(message)

    async def receive(self, channel: str) -> dict[str, Any]:
        message = await self.queue.get()
        if message.get("type") == "cut":
            raise ConnectionError("no Redis")
        return message


@pytest.fixture
def layer(monkeypatch: pytest.MonkeyPatch) -> Layer:
    monkeypatch.setattr(notifier, "RETRY_AFTER", 0.01)
    return Layer()


def notifier_on(
    layer: Layer,
    on_reached: Callable[[UUID], None] = print,
    on_stop: Callable[[UUID], None] = print,
    on_changed: Callable[[int], None] = print,
    on_followed: Callable[[UUID], None] = print,
) -> Notifier:
    return Notifier(layer, NotificationHandlers(on_reached, on_stop, on_followed, on_changed))


async def test_a_burst_is_one_message_with_the_newest_seq(layer: Layer):
    stream_id, notifies = uuid4(), notifier_on(layer)
    for seq in range(1, 100):
        notifies.reached(stream_id, seq)
    while not layer.sent:
        await asyncio.sleep(0.01)
    await notifies.close()

    assert layer.sent == [{"type": "notifications", "reached": {str(stream_id): 99}}]


async def test_notifications_go_on_after_the_layer_was_away(layer: Layer):
    stopped: list[Any] = []
    stream_id, notifies = uuid4(), notifier_on(layer, on_stop=stopped.append)
    layer.away = True
    notifies.stop(uuid4())
    await asyncio.sleep(0.05)
    layer.queue.put_nowait({"type": "cut"})
    while layer.joined < 2:
        await asyncio.sleep(0.01)
    layer.away = False
    notifies.stop(stream_id)
    while not stopped:
        await asyncio.sleep(0.01)
    await notifies.close()

    assert stopped == [stream_id]


async def test_a_feed_that_has_grown_is_told_by_its_user(layer: Layer):
    changed = asyncio.Queue[int]()
    notifies = notifier_on(layer, on_changed=changed.put_nowait)
    layer.queue.put_nowait({"feeds": {"7": 0}})
    while layer.queue.qsize():
        await asyncio.sleep(0)
    notifies.changed(7)
    while not layer.sent:
        await asyncio.sleep(0.01)
    layer.queue.put_nowait(layer.sent[0])

    assert await asyncio.wait_for(changed.get(), 5) == 7
    await notifies.close()


async def test_a_notification_that_makes_no_sense_is_passed_over(layer: Layer):
    stream_id, reached = uuid4(), asyncio.Queue[UUID]()
    notifies = notifier_on(layer, on_reached=reached.put_nowait)
    for nonsense in ({}, {"reached": {"no-id": 1}}, {"stop": {"?": 0}}, {"reached": {str(stream_id): -5}}):
        layer.queue.put_nowait(nonsense)
    assert await asyncio.wait_for(reached.get(), 60) == stream_id
    await notifies.close()


async def test_a_feed_that_nobody_follows_elsewhere_is_not_told(layer: Layer):
    notifies = notifier_on(layer)
    notifies.changed(7)
    notifies.stop(uuid4())
    while not layer.sent:
        await asyncio.sleep(0.01)
    await notifies.close()

    assert list(layer.sent[0]) == ["type", "stop"]


async def test_that_a_stream_is_followed_is_said_once_and_again_after_a_while(
    layer: Layer, monkeypatch: pytest.MonkeyPatch
):
    now, stream_id, heard = [1000.0], uuid4(), asyncio.Queue[UUID]()
    monkeypatch.setattr(notifier, "monotonic", lambda: now[0])
    notifies = notifier_on(layer, on_followed=heard.put_nowait)
    for _ in range(3):
        notifies.follows(stream_id)
        assert heard.empty()
    assert await asyncio.wait_for(heard.get(), 60) == stream_id
    notifies.follows(stream_id)
    now[0] += notifier.SAID_AGAIN
    notifies.follows(stream_id)
    assert await asyncio.wait_for(heard.get(), 60) == stream_id
    notifies.left(stream_id)
    notifies.follows(stream_id)
    assert await asyncio.wait_for(heard.get(), 60) == stream_id
    await notifies.close()

    assert len(layer.sent) == 3


def test_what_was_heard_lately_is_forgotten_after_twice_the_time(monkeypatch: pytest.MonkeyPatch):
    now = [0.0]
    monkeypatch.setattr(notifier, "monotonic", lambda: now[0])
    lately = Lately(60)
    lately.add(7)
    now[0] = 61.0
    assert 7 in lately
    now[0] = 122.0
    assert 7 not in lately
    lately.add(8)
    now[0] = 1000.0
    assert 8 not in lately
