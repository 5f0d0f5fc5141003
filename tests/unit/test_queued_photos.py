"""Photos of queued messages: kept with the message, sent with it once, and deleted with it when it is removed."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID, uuid4

import pytest
import pytest_asyncio

from chat.log.deletion import delete_conversation
from chat.models import Attachment, Message, QueuedMessage, Stream, User
from chat.protocol import events
from chat.protocol.errors import NotFound
from chat.protocol.request import Ask
from tests.catalogue import providers
from tests.faults.arena import environment
from tests.inside import Core
from tests.talks import HELD_BACK, Talk

pytestmark = pytest.mark.usefixtures("looks_by_itself_only_when_told")


@pytest_asyncio.fixture
async def seeing(core: Core) -> AsyncIterator[Talk]:
    """The same with a model that sees photos by itself."""
    providers.configure(environment(core.model.url, OPENAI_IMAGES="1"))
    yield Talk(core, await core.ask(HELD_BACK))


async def a_photo(user: User) -> Attachment:
    """One that was uploaded, and not sent."""
    return await Attachment.objects.acreate(user=user, mime_type="image/jpeg", width=1, height=1, data=b"a photo")


def parts_with(*photos: Attachment) -> list[dict[str, Any]]:
    return [{"text": "seed=2 words=2"}, *(photo.as_part() for photo in photos)]


async def queue(talk: Talk, *photos: Attachment) -> UUID:
    """A message with these photos is queued."""
    return await talk.core.turns.queues.add(talk.core.user, talk.conversation, Ask(parts_with(*photos)))


async def kept() -> set[Any]:
    return {pk async for pk in Attachment.objects.values_list("pk", flat=True)}


async def remove(talk: Talk, message_id: UUID) -> None:
    await talk.core.turns.queues.remove(talk.core.user, talk.conversation, message_id)


async def test_a_photo_waits_with_its_message_and_is_sent_with_it_once(seeing: Talk):
    talk, photo = seeing, await a_photo(seeing.core.user)
    message_id = await queue(talk, photo)
    [waiting] = (await talk.state())["messages"]
    assert waiting["parts"] == parts_with(photo)

    await talk.finishes()
    await talk.is_over(2)
    sent = await Message.objects.aget(pk=message_id)
    assert sent.parts == parts_with(photo)
    assert await kept() == {photo.pk}
    assert [stream.status async for stream in Stream.objects.all()] == [events.COMPLETE] * 2


async def test_a_photo_belongs_to_the_conversation_as_soon_as_it_is_queued(seeing: Talk):
    talk, photo = seeing, await a_photo(seeing.core.user)
    await queue(talk, photo)
    await photo.arefresh_from_db()
    assert photo.conversation_id == talk.conversation.pk

    await talk.finishes()
    await talk.is_over(2)
    await delete_conversation(talk.conversation.pk, talk.core.log.write)
    assert await kept() == set()


async def test_a_photo_is_deleted_with_the_message_that_is_removed(talk: Talk):
    photo = await a_photo(talk.core.user)
    await remove(talk, await queue(talk, photo))

    assert await kept() == set()


async def test_a_photo_that_a_change_takes_out_is_deleted_and_one_that_it_brings_is_kept(talk: Talk):
    first, second, third = [await a_photo(talk.core.user) for _ in range(3)]
    message_id = await queue(talk, first, second)
    change = Ask(parts_with(second, third))
    await talk.core.turns.queues.edit(talk.core.user, talk.conversation, message_id, change)
    await third.arefresh_from_db()

    assert await kept() == {second.pk, third.pk}
    assert third.conversation_id == talk.conversation.pk


async def test_a_photo_stays_that_a_message_or_another_queued_one_has(talk: Talk):
    sent, twice = await a_photo(talk.core.user), await a_photo(talk.core.user)
    question = await Message.objects.aget(conversation=talk.conversation, role=Message.USER)
    question.parts = [*question.parts, sent.as_part()]
    await question.asave()
    first, second = await queue(talk, sent, twice), await queue(talk, twice)
    await remove(talk, first)
    assert await kept() == {sent.pk, twice.pk}
    await remove(talk, second)
    assert await kept() == {sent.pk}


@pytest.mark.parametrize("whose", ["nobody's", "another user's"])
async def test_a_photo_that_is_not_one_s_own_is_refused_at_once(talk: Talk, whose: str):
    other = await User.objects.acreate(username="bob")
    foreign = await a_photo(other) if whose == "another user's" else Attachment(pk=uuid4(), mime_type="image/jpeg")
    own = await a_photo(talk.core.user)
    with pytest.raises(NotFound, match="no such photo"):
        await queue(talk, own, foreign)
    message_id = await queue(talk, own)
    change = Ask(parts_with(foreign))
    with pytest.raises(NotFound, match="no such photo"):
        await talk.core.turns.queues.edit(talk.core.user, talk.conversation, message_id, change)

    [waiting] = (await talk.state())["messages"]
    assert waiting["parts"] == parts_with(own)
    if whose == "another user's":
        await foreign.arefresh_from_db()
        assert (foreign.user_id, foreign.conversation_id) == (other.pk, None)


async def test_a_message_that_is_sent_again_keeps_its_photo(talk: Talk):
    photo = await a_photo(talk.core.user)
    ask = Ask(parts_with(photo), request_id="r1")
    queues = talk.core.turns.queues
    ids = {await queues.add(talk.core.user, talk.conversation, ask) for _ in range(2)}

    assert len(ids) == await QueuedMessage.objects.acount() == 1
    assert await kept() == {photo.pk}
