"""The core inside the test's own process: the real log on the test database, real turns, a scripted model over HTTP.

`log` for tests of the writer and the log; `core` for tests of turns, with `core.ask("words=5 gap=10")`.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from time import monotonic
from typing import Any, TypeVar

import pytest
import pytest_asyncio
from asgiref.sync import sync_to_async
from django.contrib.auth.models import Permission
from django.contrib.contenttypes.management import create_contenttypes
from django.contrib.contenttypes.models import ContentType
from django.db import connections
from django.db.models.signals import post_migrate
from django.utils import timezone

from chat.log import Log
from chat.log.fence import Ending
from chat.models import Conversation, Message, Stream, User
from chat.process import this_process
from chat.protocol import events
from chat.protocol.events import Event
from chat.protocol.request import Ask
from chat.turns.runner import Turns
from tests.catalogue import providers
from tests.faults.arena import environment
from tests.faults.upstream import Model, upstream

T = TypeVar("T")


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None) -> None:
    """After a test that commits, Django empties every table, and would then work out its types and permissions anew:
    as tables that others manage, these two keep their rows."""
    ContentType._meta.managed = Permission._meta.managed = False
    post_migrate.disconnect(create_contenttypes)
    post_migrate.disconnect(dispatch_uid="django.contrib.auth.management.create_permissions")


@pytest.fixture
def log(transactional_db: None) -> Iterator[Log]:
    """The log of this process, ended with the test: its threads' connections go with it."""
    found = this_process().log
    yield found
    found.end()


@pytest.fixture
def other_log(log: Log) -> Iterator[Log]:
    """The log of another worker on the same database: it writes and reads, and tells the first one nothing."""
    found = Log()
    yield found
    found.end()


@dataclass
class Core:
    """Turns that run in this process, for one user."""

    model: Model
    user: User
    log: Log
    turns: Turns

    async def ask(self, question: str, **fields: Any) -> Stream:
        """Start a turn; returns once event 0 is stored."""
        ask = Ask(contents=[{"text": question}], **fields)
        return await self.turns.start(self.user, ask, monotonic())

    async def ended(self, started: Stream) -> list[Event]:
        """Follow a stream to its end; its events."""
        async with asyncio.timeout(90):
            return [event async for page in self.log.follow(started.pk) for event in page.events]


@pytest_asyncio.fixture
async def core(log: Log) -> AsyncIterator[Core]:
    """A process that takes turns, and drains at the end."""
    turns = this_process().turns
    await turns.open()
    user = await User.objects.acreate(username="ann")
    async with upstream() as model:
        providers.configure(environment(model.url))
        yield Core(model, user, log, turns)
        await turns.close(0)
        await providers.close()
    await log.close()
    await sync_to_async(connections.close_all)()


async def on_a_connection_of_its_own(function: Callable[..., T], *args: Any) -> T:
    """`function`'s result, from another thread, whose database connection is closed afterwards."""

    def run() -> T:
        try:
            return function(*args)
        finally:
            connections.close_all()

    return await asyncio.to_thread(run)


def new_stream(name: str = "ann", worker: str | None = None) -> Stream:
    """A running stream with its event 0, as `Start` leaves it."""
    user, _ = User.objects.get_or_create(username=name)
    conversation = Conversation.objects.create(user=user)
    answer = Message.objects.create(conversation=conversation, role=Message.MODEL)
    row = Stream.objects.create(
        user=user,
        conversation=conversation,
        answer=answer,
        provider="openai",
        model="script",
        worker=this_process().turns.worker.name if worker is None else worker,
        lease_until=timezone.now(),
        created_at=timezone.now(),
    )
    row.events.create(seq=0, at=0, data=events.OK_DATA)
    return row


def an_end(status: str = events.COMPLETE, text: str = "", user_id: int = 0) -> Ending:
    """What is stored with a stream's last event."""
    return Ending(user_id, status, [{"text": text}] if text else [], timezone.now())
