"""The core inside the test's own process: the real log on the test database, real turns, a scripted model over HTTP.

`log` for tests of the writer and the log; `core` for tests of turns, with `core.ask("words=5 gap=10")`.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from time import monotonic
from typing import Any

import pytest
import pytest_asyncio
from asgiref.sync import sync_to_async
from django.db import connections

from chat import providers
from chat.log import eventlog, follow, notifier
from chat.log.sql import Ending
from chat.models import Conversation, Message, Stream, User
from chat.protocol import events
from chat.protocol.events import Event
from chat.protocol.request import Ask
from chat.turns import leases, runner
from tests.faults.arena import environment
from tests.faults.upstream import Model, upstream


@pytest.fixture
def log(transactional_db: None) -> Iterator[Any]:
    """The log, closed with the test: its thread's connection goes with it."""
    yield eventlog
    eventlog.close()
    eventlog._tails.clear()


@dataclass
class Core:
    """Turns that run in this process, for one user."""

    model: Model
    user: User

    async def ask(self, question: str, **fields: Any) -> Stream:
        """Start a turn; returns once event 0 is stored."""
        ask = Ask(contents=[{"text": question}], **fields)
        return await runner.start(self.user, ask, monotonic())

    async def ended(self, started: Stream) -> list[Event]:
        """Follow a stream to its end; its events."""
        async with asyncio.timeout(20):
            return [event async for batch in follow.follow(started.pk) for event in batch]


@pytest_asyncio.fixture
async def core(log: Any) -> AsyncIterator[Core]:
    """A process that takes turns, and drains at the end."""
    runner.reopen()
    user = await User.objects.acreate(username="ann")
    async with upstream() as model:
        providers.configure(environment(model.url))
        yield Core(model, user)
        await runner.drain(0)
        await providers.close()
    runner.reopen()
    await asyncio.to_thread(eventlog.close)
    await sync_to_async(connections.close_all)()


def new_stream(name: str = "ann", worker: str | None = None) -> Stream:
    """A running stream with its event 0, as `Opening` leaves it."""
    user, _ = User.objects.get_or_create(username=name)
    conversation = Conversation.objects.create(user=user)
    answer = Message.objects.create(conversation=conversation, role=Message.MODEL)
    row = Stream.objects.create(
        user=user,
        conversation=conversation,
        answer=answer,
        provider="openai",
        model="script",
        worker=leases.worker() if worker is None else worker,
        lease_until=leases.now(),
        created_at=leases.now(),
    )
    row.events.create(seq=0, at=0, data=events.OK_DATA)
    return row


def an_end(status: str = events.COMPLETE, text: str = "") -> Ending:
    """What is stored with a stream's last event."""
    return Ending(status, [{"text": text}] if text else [], leases.now())


class Ears:
    """Notes what is announced, in place of the readers' bells."""

    def __init__(self) -> None:
        self.heard: list[tuple[Any, int]] = []

    def __call__(self, stream_id: Any, seq: int) -> None:
        self.heard.append((stream_id, seq))


@pytest.fixture
def ears(monkeypatch: pytest.MonkeyPatch) -> Ears:
    """Who hears every commit instead of `live`."""
    listening = Ears()
    monkeypatch.setattr(eventlog, "on_commit", listening)
    return listening


@pytest.fixture
def deaf(monkeypatch: pytest.MonkeyPatch) -> None:
    """No hint reaches anybody: readers look by themselves."""
    monkeypatch.setattr(eventlog, "on_commit", lambda stream_id, seq: None)
    monkeypatch.setattr(eventlog, "tail_of", lambda stream_id: None)
    monkeypatch.setattr(notifier, "wake", lambda stream_id: None)
