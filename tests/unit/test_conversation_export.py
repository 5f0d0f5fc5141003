"""Export of a conversation: as Markdown, as JSON with all data, and as ZIP with the photos."""

import io
import json
import zipfile
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import pytest
from asgiref.sync import sync_to_async
from django.test import AsyncClient

from chat.accounts import tokens
from chat.models import Attachment, Conversation, Message, User
from chat.views.conversation_export import disposition

pytestmark = pytest.mark.django_db(transaction=True)

ANSWER = "It is *blue*.\n\n```python\nprint(1)\n```"


@pytest.fixture
async def talk() -> Conversation:
    """A photo with a question, an answer that was asked for twice, and another's conversation."""
    ada = await User.objects.acreate(username="ada")
    found = await Conversation.objects.acreate(user=ada, title='Sky: "blue"/天\n')
    photo = await Attachment.objects.acreate(
        user=ada, conversation=found, mime_type="image/jpeg", width=1, height=1, data=b"pixels"
    )
    parts = [{"attachment": str(photo.pk)}, {"text": "Why?"}]
    question = await Message.objects.acreate(conversation=found, role=Message.USER, parts=parts)
    for place, text in enumerate(("The first one.", ANSWER), 1):
        said = [{"text": "Hm.", "thought": True}, {"text": text}]
        await Message.objects.acreate(
            conversation=found, parent=question, role=Message.MODEL, parts=said, position=place
        )
    return found


async def export(user: User, conversation: Any, format: str) -> Any:
    headers = {"Authorization": f"Bearer {await sync_to_async(tokens.access_for)(user)}"}
    return await AsyncClient().get(f"/v2/conversations/{conversation}/export?format={format}", headers=headers)


async def whole(answer: Any) -> bytes:
    """The body of a streamed response."""
    content: AsyncIterator[bytes] = answer.streaming_content
    return b"".join([piece async for piece in content])


async def test_markdown_is_the_path_that_the_page_shows_with_texts_as_they_are(talk: Conversation) -> None:
    answer = await export(await User.objects.aget(), talk.pk, "md")
    assert answer["Content-Type"] == "text/markdown; charset=utf-8"
    text = answer.content.decode()
    assert text.startswith('# Sky: "blue"/天\n')
    assert "## You\n\n*(a photo)*\n\nWhy?" in text
    assert f"## WonderCam\n\n{ANSWER}" in text
    assert "The first one." not in text
    assert "Hm." not in text


async def test_markdown_of_an_answer_that_was_stopped_in_code_goes_on_behind_it(talk: Conversation) -> None:
    await Message.objects.filter(position=2).aupdate(parts=[{"text": "See:\n\n```python\nprint("}])
    await Message.objects.acreate(
        conversation=talk,
        parent=await Message.objects.aget(position=2),
        role=Message.USER,
        parts=[{"text": "And?"}],
        position=3,
    )
    text = (await export(await User.objects.aget(), talk.pk, "md")).content.decode()
    assert "```python\nprint(\n```\n\n## You\n\nAnd?" in text


async def test_json_has_every_version(talk: Conversation) -> None:
    answer = await export(await User.objects.aget(), talk.pk, "json")
    said = json.loads(answer.content)
    assert (said["title"], len(said["messages"])) == (talk.title, 3)


async def test_a_zip_has_both_and_the_photos_that_the_text_names(talk: Conversation) -> None:
    answer = await export(await User.objects.aget(), talk.pk, "zip")
    archive = zipfile.ZipFile(io.BytesIO(await whole(answer)))
    photo = f"photos/{(await Attachment.objects.aget()).pk}.jpg"
    assert archive.testzip() is None
    assert set(archive.namelist()) == {"chat.md", "chat.json", photo}
    assert f"![Photo]({photo})" in archive.read("chat.md").decode()
    assert archive.read(photo) == b"pixels"


async def test_the_file_is_named_by_the_title_in_any_script_and_no_path(talk: Conversation) -> None:
    answer = await export(await User.objects.aget(), talk.pk, "md")
    assert answer["Content-Disposition"] == (
        "attachment; filename=\"chat.md\"; filename*=UTF-8''Sky%20blue%20%E5%A4%A9.md"
    )


async def test_another_s_is_unknown_and_another_format_is_refused(talk: Conversation) -> None:
    eve = await User.objects.acreate(username="eve")
    foreign, unknown = await export(eve, talk.pk, "md"), await export(eve, uuid4(), "md")
    assert foreign.status_code == unknown.status_code == 404
    assert foreign.content == unknown.content
    assert (await export(eve, talk.pk, "pdf")).status_code == 400


async def test_an_empty_conversation_is_an_empty_file(talk: Conversation) -> None:
    await Message.objects.all().adelete()
    text = (await export(await User.objects.aget(), talk.pk, "md")).content.decode()
    assert text.startswith("# Sky")
    assert "##" not in text


async def test_photos_are_not_compressed_again(talk: Conversation) -> None:
    answer = await export(await User.objects.aget(), talk.pk, "zip")
    with zipfile.ZipFile(io.BytesIO(await whole(answer))) as archive:
        kinds = {found.filename.rpartition(".")[2]: found.compress_type for found in archive.infolist()}
    assert kinds == {"md": zipfile.ZIP_DEFLATED, "json": zipfile.ZIP_DEFLATED, "jpg": zipfile.ZIP_STORED}


def test_a_file_name_has_no_character_that_changes_how_the_rest_is_shown() -> None:
    assert disposition("a\u202egpj\x07b", "md").endswith("filename*=UTF-8''a%20gpj%20b.md")
