"""Whose a photo is: a conversation's, which has it deleted with itself, or nobody's yet."""

from time import monotonic
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.test import AsyncClient

from chat.accounts import tokens
from chat.log.deletion import delete_conversation
from chat.models import Attachment, Message, Stream, User
from chat.protocol.errors import ResourceExhausted
from chat.protocol.request import Ask
from tests.inside import Core
from tests.talks import Talk
from tests.unit.test_queued_photos import a_photo, parts_with, queue, seeing

__all__ = ["seeing"]


async def question_of(stream: Stream) -> Message:
    return await Message.objects.aget(pk=str(stream.question_id))


async def ask(talk: Talk, parts: list[dict[str, Any]], conversation: UUID | None = None) -> Stream:
    return await talk.core.turns.start(talk.core.user, Ask(parts, conversation_id=conversation), monotonic())


async def test_a_photo_that_is_asked_about_in_two_conversations_outlives_either(seeing: Talk):
    photo = await a_photo(seeing.core.user)
    first = await ask(seeing, parts_with(photo))
    second = await ask(seeing, parts_with(photo))
    [_, part] = (await question_of(second)).parts
    copy = await Attachment.objects.aget(pk=part["attachment"])

    assert (await question_of(first)).parts == parts_with(photo)
    assert (copy.conversation_id, copy.data) == (second.conversation_id, photo.data)
    stored = await Stream.objects.aget(pk=second.pk)
    assert stored.request["contents"][-1]["parts"] == [{"text": "seed=2 words=2"}, copy.as_part()]
    await delete_conversation(first.conversation_id, seeing.core.log.write)
    assert [each.pk async for each in Attachment.objects.all()] == [copy.pk]


async def test_a_photo_is_not_copied_in_its_own_conversation(seeing: Talk):
    photo = await a_photo(seeing.core.user)
    await ask(seeing, parts_with(photo), seeing.conversation.pk)
    again = await ask(seeing, parts_with(photo, photo), seeing.conversation.pk)
    assert (await question_of(again)).parts == parts_with(photo, photo)
    assert await Attachment.objects.acount() == 1


async def test_a_queued_message_has_a_copy_of_another_conversation_s_photo(seeing: Talk):
    photo = await a_photo(seeing.core.user)
    elsewhere = await ask(seeing, parts_with(photo))
    message_id = await queue(seeing, photo)
    [waiting] = (await seeing.state())["messages"]
    change = Ask([{"text": "changed"}, photo.as_part()])
    await seeing.core.turns.queues.edit(seeing.core.user, seeing.conversation, message_id, change)
    [changed] = (await seeing.state())["messages"]

    await photo.arefresh_from_db()
    assert photo.conversation_id == elsewhere.conversation_id
    for message in (waiting, changed):
        assert message["parts"][1] != photo.as_part()
    assert str((await Attachment.objects.exclude(pk=photo.pk).aget()).pk) == changed["parts"][1]["attachment"]


async def delete(user: User, pk: object) -> Any:
    return await AsyncClient().delete(
        f"/v2/attachments/{pk}", headers={"Authorization": f"Bearer {tokens.access_for(user)}"}
    )


async def test_an_unsent_photo_can_be_deleted(core: Core):
    photo = await a_photo(core.user)
    assert (await delete(core.user, photo.pk)).status_code == 204
    assert (await delete(core.user, photo.pk)).status_code == 404
    assert not await Attachment.objects.aexists()


@pytest.mark.parametrize(("whose", "status"), [("a message's", 400), ("another user's", 404), ("nobody's", 404)])
async def test_a_photo_of_a_message_or_of_another_user_is_not_deleted(core: Core, whose: str, status: int):
    photo = await a_photo(core.user)
    if whose == "a message's":
        stream = await core.ask("seed=1 words=1")
        await Attachment.objects.filter(pk=photo.pk).aupdate(conversation=stream.conversation_id)
    if whose == "another user's":
        await Attachment.objects.filter(pk=photo.pk).aupdate(user=await User.objects.acreate(username="bob"))
    response = await delete(core.user, uuid4() if whose == "nobody's" else photo.pk)

    assert response.status_code == status
    assert await Attachment.objects.filter(pk=photo.pk).aexists()


async def test_a_copy_takes_space_of_its_user_and_is_refused_where_none_is_left(seeing: Talk, settings: Any):
    photo = await a_photo(seeing.core.user)
    await ask(seeing, parts_with(photo), seeing.conversation.pk)
    settings.LIMITS = {**settings.LIMITS, "PHOTOS_USER_BYTES": len(photo.data)}
    before = await Stream.objects.acount()
    with pytest.raises(ResourceExhausted, match="all the space you have"):
        await ask(seeing, parts_with(photo))

    await ask(seeing, parts_with(photo), seeing.conversation.pk)  # no copy is made of it
    assert (await Attachment.objects.acount(), await Stream.objects.acount()) == (1, before + 1)
