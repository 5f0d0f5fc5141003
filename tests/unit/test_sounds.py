"""Sounds in questions: sent, stored, shown, exported and deleted like photos."""

import base64
import io
import json
import zipfile
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import AsyncClient

from chat import attachments, limits
from chat.accounts import tokens
from chat.models import Attachment, Message, Stream, User
from tests.catalogue import providers
from tests.faults.arena import environment
from tests.inside import Core
from tests.sounds import FLAC, OPUS, SECRET, wav

WAV = wav(samples=16_000)
ASKED = {"text": "words=1"}


def inline(data: bytes = WAV, mime: str = "audio/wav") -> dict[str, Any]:
    """A sound in a question's body."""
    return {"inlineData": {"mimeType": mime, "data": base64.b64encode(data).decode()}}


def headers(user: User) -> dict[str, str]:
    return {"Authorization": f"Bearer {tokens.access_for(user)}"}


async def post(core: Core, path: str, body: dict[str, Any]) -> Any:
    return await AsyncClient().post(path, json.dumps(body), "application/json", headers=headers(core.user))


async def get(core: Core, path: str) -> Any:
    return await AsyncClient().get(path, headers=headers(core.user))


async def upload(core: Core, data: bytes, field: str = "sound") -> Any:
    file = SimpleUploadedFile("me.txt", data, "text/plain")
    return await AsyncClient().post("/v2/attachments", {field: file}, headers=headers(core.user))


async def asked(core: Core, *parts: dict[str, Any], **fields: Any) -> Any:
    return await post(core, "/v2/chat", {"contents": [*parts], "stream": False, **fields})


@pytest.fixture
def hearing(core: Core) -> Core:
    """A core whose model hears."""
    providers.configure(environment(core.model.url, OPENAI_SOUNDS="1"))
    return core


async def test_a_sound_in_the_body_reaches_a_model_that_hears_and_is_kept_as_the_question_s(hearing: Core):
    answer = await asked(hearing, inline(), ASKED)
    assert answer.status_code == 200
    kept = await Attachment.objects.aget()
    sent = hearing.model.asked[-1].json()["messages"][-1]["content"]
    told = {"data": base64.b64encode(bytes(kept.data)).decode(), "format": "wav"}
    assert sent == [{"type": "input_audio", "input_audio": told}, {"type": "text", "text": "words=1"}]
    question = await Message.objects.aget(role=Message.USER)
    assert question.parts == [{"attachment": str(kept.pk), "mimeType": "audio/wav"}, ASKED]
    assert (kept.mime_type, kept.seconds, kept.conversation_id) == ("audio/wav", 1.0, question.conversation_id)
    assert SECRET not in bytes(kept.data)


async def test_one_that_was_uploaded_is_asked_with_by_its_id_and_shown_to_its_owner(hearing: Core):
    told = (await upload(hearing, WAV)).json()
    assert (told["mimeType"], told["seconds"]) == ("audio/wav", 1.0)
    for mime in ({}, {"mimeType": "image/png"}, {"mimeType": "audio/wav"}):  # what it is, the server knows
        assert (await asked(hearing, {"attachment": told["id"], **mime}, ASKED)).status_code == 200
    questions = [message.parts[0] async for message in Message.objects.filter(role=Message.USER).order_by("pk")]
    assert [part["mimeType"] for part in questions] == ["audio/wav"] * 3
    assert questions[0]["attachment"] == told["id"]
    assert len({part["attachment"] for part in questions}) == 3  # a further conversation has its own copy
    shown = await get(hearing, f"/v2/attachments/{told['id']}")
    assert (shown.headers["Content-Type"], shown.headers["Content-Disposition"]) == (
        "audio/wav",
        'inline; filename="sound.wav"',
    )
    assert shown.content[:4] == b"RIFF"
    assert shown.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
    other = await User.objects.acreate(username="eve")
    assert (await AsyncClient().get(f"/v2/attachments/{told['id']}", headers=headers(other))).status_code == 404


@pytest.mark.parametrize(
    ("data", "code", "said"),
    [
        (b"\x1aE\xdf\xa3webm", 415, "WebM sounds cannot be used here: send WAV, MP3, AAC, FLAC or OGG."),
        (WAV[:-9000], 400, "The sound cannot be read: its data is damaged."),
        (wav(samples=320_000), 413, "The sound is longer than 2 seconds."),
        (wav(samples=700_000, rate=384_000), 413, "The sound has more than 1 MB."),
    ],
)
async def test_what_cannot_be_used_is_refused_with_a_sentence_and_not_kept(
    hearing: Core, settings: Any, data: bytes, code: int, said: str
):
    settings.LIMITS = {**settings.LIMITS, "SOUND_SECONDS": 2, "SOUND_BYTES": 2**20}
    for answer in (await upload(hearing, data), await asked(hearing, inline(data), ASKED)):
        assert (answer.status_code, answer.json()["error"]["message"]) == (code, said)
    assert not await Attachment.objects.aexists()
    assert not await Stream.objects.aexists()


async def test_a_file_is_taken_by_its_bytes_whatever_its_field_is_called(core: Core):
    assert (await upload(core, WAV, "photo")).json()["mimeType"] == "audio/wav"
    assert (await upload(core, WAV, "file")).json()["mimeType"] == "audio/wav"


async def test_a_photo_declared_as_a_sound_is_refused_and_the_other_way_round(hearing: Core):
    assert (await asked(hearing, inline(b"\xff\xd8\xff\xe0photo"), ASKED)).status_code == 415
    assert (await asked(hearing, inline(mime="image/png"), ASKED)).status_code == 415


async def test_a_model_that_does_not_hear_is_not_asked(core: Core):
    for part in (inline(), {"attachment": (await upload(core, WAV)).json()["id"]}):
        refused = await asked(core, part, ASKED)
        said = "openai/script cannot hear sounds, and no model of this server can. Send words instead."
        assert (refused.status_code, refused.json()["error"]["message"]) == (400, said)
    assert not core.model.asked
    assert not await Stream.objects.aexists()


async def test_a_sound_of_a_type_that_this_model_does_not_hear_is_refused(hearing: Core):
    for part in (inline(OPUS, "audio/ogg"), inline(OPUS), {"attachment": (await upload(hearing, FLAC)).json()["id"]}):
        refused = await asked(hearing, part, ASKED)
        said = "openai/script hears WAV and MP3 only: send the sound as one of these."
        assert (refused.status_code, refused.json()["error"]["message"]) == (400, said)
    assert not hearing.model.asked


async def test_an_earlier_sound_is_spoken_of_to_a_model_that_does_not_hear(hearing: Core):
    stream = await asked(hearing, inline(), ASKED)
    conversation = stream.headers["X-Conversation-Id"]
    await providers.close()
    providers.configure(environment(hearing.model.url))
    assert (await asked(hearing, ASKED, conversation_id=conversation)).status_code == 200
    first = hearing.model.asked[-1].json()["messages"][0]["content"]
    assert first == "[a sound that you cannot hear]\n\nwords=1"


async def test_the_models_say_who_hears_what(hearing: Core):
    (model,) = (await get(hearing, "/v2/models")).json()["models"]
    assert (model["sounds"], model["sound_types"]) == (True, ["audio/wav", "audio/mp3"])
    providers.configure(environment(hearing.model.url))
    (model,) = (await get(hearing, "/v2/models")).json()["models"]
    assert (model["sounds"], model["sound_types"]) == (False, [])


async def test_both_doors_take_sounds(hearing: Core):
    data = base64.b64encode(WAV).decode()
    gemini = {"contents": [{"parts": [{"inline_data": {"mime_type": "audio/x-wav", "data": data}}, ASKED]}]}
    openai = [{"type": "input_audio", "input_audio": {"data": data, "format": "wav"}}, {"type": "text", **ASKED}]
    completion = {"model": "openai/script", "messages": [{"role": "user", "content": openai}]}
    assert (await post(hearing, "/v1beta/models/script:generateContent", gemini)).status_code == 200
    assert (await post(hearing, "/v1/chat/completions", completion)).status_code == 200
    first, second = (request.json()["messages"][-1]["content"][0] for request in hearing.model.asked)
    assert first == second
    assert (first["type"], first["input_audio"]["format"]) == ("input_audio", "wav")
    openai[0]["input_audio"] = {"data": data}
    refused = await post(hearing, "/v1/chat/completions", completion)
    assert "input_audio" in refused.json()["error"]["message"]


async def test_a_conversation_s_archive_and_one_s_own_have_the_sound_by_its_type(hearing: Core):
    conversation = (await asked(hearing, inline(), ASKED)).headers["X-Conversation-Id"]
    kept = await Attachment.objects.aget()
    name = f"sounds/{kept.pk}.wav"
    for address in (f"/v2/conversations/{conversation}/export?format=zip", "/v2/me/export"):
        answer: Any = await get(hearing, address)
        archive = zipfile.ZipFile(io.BytesIO(b"".join([piece async for piece in answer.streaming_content])))
        assert archive.read(name) == bytes(kept.data)
        if "chat.md" in archive.namelist():
            assert f"\n\n[Sound]({name})\n\n" in archive.read("chat.md").decode()
    text = (await get(hearing, f"/v2/conversations/{conversation}/export?format=md")).content.decode()
    assert "\n\n*(a sound)*\n\n" in text


async def test_it_goes_with_its_conversation(hearing: Core):
    conversation = (await asked(hearing, inline(), ASKED)).headers["X-Conversation-Id"]
    gone = await AsyncClient().delete(f"/v2/conversations/{conversation}", headers=headers(hearing.user))
    assert gone.status_code == 204
    assert not await Attachment.objects.aexists()


async def test_a_question_that_is_sent_again_with_its_sound_is_the_same_question(hearing: Core):
    body = {"contents": [inline(), ASKED]}
    first: Any = await post(hearing, "/v2/echat", body)
    stream = first.headers["X-Stream-Id"]
    async for _ in first.streaming_content:
        pass
    again: Any = await AsyncClient().post(
        "/v2/echat",
        json.dumps(body),
        "application/json",
        headers={**headers(hearing.user), "Last-Event-ID": f"{stream}:0"},
    )
    assert (again.status_code, again.headers["X-Stream-Id"]) == (200, stream)
    async for _ in again.streaming_content:
        pass


async def test_each_counts_as_one_that_was_sent(hearing: Core, settings: Any):
    settings.LIMITS_OFF = False
    settings.LIMITS = {**settings.LIMITS, "UPLOAD_USER": 2}
    too_many = await asked(hearing, *[inline()] * 3, ASKED)
    said = "The message has 3 sounds: send at most 2 at a time."
    assert (too_many.status_code, too_many.json()["error"]["message"]) == (413, said)
    assert (await asked(hearing, inline(), inline(), ASKED)).status_code == 200
    assert (await upload(hearing, WAV)).status_code == 429
    await limits.close()


async def test_a_full_account_keeps_no_more(hearing: Core, settings: Any):
    await attachments.store(hearing.user, WAV)
    settings.LIMITS = {**settings.LIMITS, "PHOTOS_USER_BYTES": 1}
    refused = await upload(hearing, WAV)
    assert (refused.status_code, refused.json()["error"]["message"]) == (429, attachments.SPACE_TAKEN)


async def test_staff_hear_it_where_they_may_read_texts(hearing: Core, client: Any):
    await asked(hearing, inline(), ASKED)
    kept = await Attachment.objects.aget()
    await sync_to_async(client.force_login)(
        await User.objects.acreate(username="ben", is_staff=True, is_superuser=True)
    )
    page = (
        await sync_to_async(client.get)(f"/admin/chat/conversation/{kept.conversation_id}/change/")
    ).content.decode()
    address = f"/admin/chat/conversation/{kept.conversation_id}/photo/{kept.pk}/"
    assert f'<audio class="sound" controls preload="none" src="{address}"' in page
    shown = await sync_to_async(client.get)(address)
    assert (shown.headers["Content-Type"], shown.content) == ("audio/wav", bytes(kept.data))
