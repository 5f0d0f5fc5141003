"""A conversation in which an answer runs, and other processes that may take what is queued behind it."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import pytest
import pytest_asyncio

from chat.log import Log
from chat.log.sql import in_thread
from chat.models import Conversation, Message, Stream
from chat.process import this_process
from chat.protocol.request import Ask
from chat.turns import message_queue, runner
from chat.turns.runner import Turns
from tests.inside import Core

HELD_BACK = "seed=1 words=3 hold=1"
"""An answer that waits after its first word until the test lets it go on."""


@pytest.fixture
def looks_by_itself_only_when_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """No process looks for what others left, but at its start: a test that needs such a look makes it."""
    monkeypatch.setattr(runner, "QUEUE_POLL", 3600)


class Talk:
    """A conversation in which an answer runs, and its queue."""

    def __init__(self, core: Core, running: Stream) -> None:
        self.core = core
        self.running = running
        self.conversation = Conversation(pk=running.conversation_id)

    async def queue(self, text: str = "seed=2 words=2", **fields: Any) -> UUID:
        return await self.core.turns.queues.add(self.core.user, self.conversation, Ask([{"text": text}], **fields))

    async def state(self) -> dict[str, Any]:
        return await in_thread(lambda: message_queue.queue_of(self.conversation))

    async def texts(self) -> list[str]:
        return [message["text"] for message in (await self.state())["messages"]]

    async def streams(self) -> list[Stream]:
        """The conversation's turns, in the order of their questions."""
        found = Stream.objects.filter(conversation=self.conversation).select_related("answer__parent")
        return [stream async for stream in found.order_by("answer__position")]

    async def asked(self) -> list[str]:
        """The questions that were asked, in their order."""
        questions = Message.objects.filter(conversation=self.conversation, role=Message.USER)
        return [message.text async for message in questions.order_by("position")]

    async def begun(self, count: int) -> Stream:
        """Wait until the conversation has so many turns; the newest."""
        async with asyncio.timeout(90):
            while len(found := await self.streams()) < count:
                await asyncio.sleep(0.01)
        return found[-1]

    async def finishes(self) -> None:
        """The answer that runs comes to its normal end."""
        self.core.model.let()
        await self.core.ended(self.running)

    async def is_over(self, count: int) -> None:
        """Wait for the end of so many turns, and of all that the process does about them."""
        await self.core.ended(await self.begun(count))
        await settled(self.core.turns)


async def settled(turns: Turns) -> None:
    """Nothing is begun any more."""
    async with asyncio.timeout(90):
        while turns._turns or turns._starting:
            await asyncio.wait([*turns._starting, *(turn.task for turn in turns._turns.values() if turn.task)])


@pytest_asyncio.fixture
async def talk(core: Core) -> AsyncIterator[Talk]:
    """An answer runs."""
    yield Talk(core, await core.ask(HELD_BACK))


@pytest_asyncio.fixture
async def dead(core: Core, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Talk]:
    """An answer runs in a process that does nothing about queues any more, as if it were dead at its end."""
    monkeypatch.setattr(core.turns.queues, "conversation_behind", lambda stream_id: None)
    yield Talk(core, await core.ask(HELD_BACK))


@pytest_asyncio.fixture
async def other(core: Core, other_log: Log) -> AsyncIterator[Turns]:
    """Another process on the same database, that has not begun to look."""
    process = this_process()
    turns = Turns(other_log, lambda: process.catalogue, process.metrics, 60)
    yield turns
    await turns.close(0)
