"""Hints: rung at once, never needed, and harmless when they lie."""

import asyncio
from typing import Any
from uuid import uuid4

import pytest

from chat.log import notifier


async def rings(hint: notifier.Hint, seconds: float) -> bool:
    """Whether the bell rings within that time."""
    await hint.ringing(seconds)
    return hint.rung


async def test_a_ring_wakes_who_waits():
    stream_id = uuid4()
    with notifier.listen(stream_id) as hint:
        waiting = asyncio.create_task(rings(hint, 10))
        await asyncio.sleep(0)
        notifier.announce(stream_id, 1)
        assert await asyncio.wait_for(waiting, 1)


async def test_a_ring_between_the_look_and_the_wait_is_not_missed():
    stream_id = uuid4()
    with notifier.listen(stream_id) as hint:
        hint.clear()
        notifier.wake(stream_id)
        assert await asyncio.wait_for(rings(hint, 10), 1)
        hint.clear()
        assert not await rings(hint, 0.01)


async def test_all_who_listen_are_woken_and_nobody_else():
    mine, other = uuid4(), uuid4()
    with notifier.listen(mine) as first, notifier.listen(mine) as second, notifier.listen(other) as third:
        notifier.wake(mine)
        assert await rings(first, 0.01)
        assert await rings(second, 0.01)
        assert not await rings(third, 0.01)


async def test_who_stops_listening_leaves_nothing_behind():
    stream_id = uuid4()
    with notifier.listen(stream_id), notifier.listen(stream_id):
        pass
    notifier.wake(stream_id)

    assert stream_id.int not in notifier._hints


async def test_a_wait_that_is_cancelled_leaves_no_timer():
    with notifier.listen(uuid4()) as hint:
        waiting = asyncio.create_task(rings(hint, 10))
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        notifier.wake(uuid4())
    assert hint._timer is None


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
    found = Layer()
    monkeypatch.setattr(notifier, "get_channel_layer", lambda: found)
    monkeypatch.setattr(notifier, "RETRY_AFTER", 0.01)
    return found


async def test_a_burst_is_one_message_with_the_newest_seq(layer: Layer):
    stream_id, peers = uuid4(), notifier.Peers(lambda _: None)
    for seq in range(1, 100):
        peers.tell("reached", stream_id, seq)
    while not layer.sent:
        await asyncio.sleep(0.01)
    await peers.close()

    assert layer.sent == [{"type": "hints", "reached": {str(stream_id): 99}}]


async def test_hints_go_on_after_the_layer_was_away(layer: Layer):
    stopped: list[Any] = []
    stream_id, peers = uuid4(), notifier.Peers(stopped.append)
    layer.away = True
    peers.tell("stop", uuid4(), 0)
    await asyncio.sleep(0.05)
    layer.queue.put_nowait({"type": "cut"})
    while layer.joined < 2:
        await asyncio.sleep(0.01)
    layer.away = False
    peers.tell("stop", stream_id, 0)
    while not stopped:
        await asyncio.sleep(0.01)
    await peers.close()

    assert stopped == [stream_id]


async def test_a_hint_from_another_process_wakes_readers_here(layer: Layer):
    stream_id, peers = uuid4(), notifier.Peers(lambda _: None)
    with notifier.listen(stream_id) as hint:
        layer.queue.put_nowait({"type": "hints", "reached": {str(stream_id): 7}})
        assert await rings(hint, 5)
    await peers.close()


async def test_a_hint_that_makes_no_sense_is_passed_over(layer: Layer):
    stream_id, peers = uuid4(), notifier.Peers(lambda _: None)
    with notifier.listen(stream_id) as hint:
        for nonsense in ({}, {"reached": {"no-id": 1}}, {"stop": {"?": 0}}, {"reached": {str(stream_id): -5}}):
            layer.queue.put_nowait(nonsense)
        assert await rings(hint, 5)
    await peers.close()
