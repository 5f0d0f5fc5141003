"""The user's own account in the API: its data, the export, and complete deletion."""

import io
import json
import zipfile
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.test import AsyncClient

from chat import limits
from chat.accounts import keys, tokens
from chat.models import ApiKey, Attachment, AuditEntry, Conversation, Event, Message, Stream, User
from chat.protocol import events
from tests.inside import Core

HELD = (Conversation, Message, Stream, Event, Attachment, ApiKey)


class Caller:
    """Somebody with a token or a key."""

    def __init__(self, credential: str) -> None:
        self._headers = {"Authorization": f"Bearer {credential}"}

    async def get(self, path: str) -> Any:
        return await AsyncClient().get(path, headers=self._headers)

    async def delete(self, path: str) -> Any:
        return await AsyncClient().delete(path, headers=self._headers)


@pytest.fixture
async def client(core: Core) -> Caller:
    """Of Ann, who has asked something and sent a photo."""
    await core.ended(await core.ask("words=5 gap=0"))
    talk = await Conversation.objects.aget()
    photo = {"user": core.user, "mime_type": "image/jpeg", "width": 1, "height": 1}
    await Attachment.objects.acreate(conversation=talk, data=b"pixels", **photo)
    await Attachment.objects.acreate(data=b"not sent yet", **photo)
    return Caller(tokens.access_for(core.user))


async def test_it_says_who_one_is_and_what_was_used_of_the_day(client, core: Core, settings):
    settings.LIMITS_OFF = False
    await core.ended(await core.ask("words=5 gap=0"))
    me = (await client.get("/v2/me")).json()
    assert (me["name"], me["guest"]) == ("ann", False)
    assert me["today"]["questions"] == 1
    assert me["today"]["tokens"] > 0
    assert me["today"]["most_questions"] == limits.of("DAY_QUESTIONS")
    assert me["today"]["site"] == "enough"


async def test_it_says_where_all_people_together_have_less_left_and_not_how_much(client, core: Core, settings):
    settings.LIMITS_OFF, settings.LIMITS = False, {**settings.LIMITS, "DAY_QUESTIONS": 3, "DAY_QUESTIONS_SITE": 3}
    bob = await User.objects.acreate(username="bob")
    found = []
    for asker in (core.user, bob, bob):
        await sync_to_async(limits.spend_question)(asker.pk)
        found.append((await client.get("/v2/me")).json()["today"])
    assert [today.pop("site") for today in found] == ["enough", "less", "used_up"]
    assert found[0] == found[1] == found[2]  # another's questions change nothing else


async def test_the_export_has_every_conversation_and_photo_and_no_secret(client, core: Core):
    _, raw = await sync_to_async(keys.give)(core.user, "laptop", [], None)
    await Conversation.objects.acreate(user=await User.objects.acreate(username="bob"), title="foreign")
    await limits.close()
    answer = await client.get("/v2/me/export")
    whole = b"".join([piece async for piece in answer.streaming_content])
    archive = zipfile.ZipFile(io.BytesIO(whole))
    assert archive.testzip() is None
    talk = await Conversation.objects.aget(user=core.user)
    photos = {f"photos/{pk}.jpg" async for pk in Attachment.objects.values_list("pk", flat=True)}
    assert set(archive.namelist()) == {"README.txt", "account.json", f"conversations/{talk.pk}.json", *photos}
    said = json.loads(archive.read(f"conversations/{talk.pk}.json"))["messages"]
    assert [message["role"] for message in said] == ["user", "model"]
    assert said[1]["text"]
    assert json.loads(archive.read("account.json"))["keys"][0]["name"] == "laptop"
    assert raw.encode() not in b"".join(archive.read(name) for name in archive.namelist())
    again = await client.get("/v2/me/export")
    assert (again.status_code, again.headers["Retry-After"]) == (429, "60")


async def test_nothing_is_left_of_an_account_that_is_ended(client, core: Core):
    _, raw = await sync_to_async(keys.give)(core.user, "laptop", [], None)
    running = await core.ask("words=2000 gap=50")
    assert (await client.delete("/v2/me")).status_code == 204
    assert not core.turns.running()
    for model in HELD:
        assert not await model._default_manager.aexists(), model
    assert not await User.objects.filter(username="ann").aexists()
    assert (await client.get("/v2/me")).status_code == 401
    by_key = Caller(raw)
    assert (await by_key.get(f"/v2/streams/{running.pk}")).status_code == 401
    assert [entry.name async for entry in AuditEntry.objects.filter(action="deleted")] == ["ann"]


async def test_another_ones_account_and_data_stay(client, core: Core):
    bob = await User.objects.acreate(username="bob")
    await Conversation.objects.acreate(user=bob)
    await client.delete("/v2/me")
    assert await Conversation.objects.filter(user=bob).acount() == 1


@pytest.mark.parametrize("scope", ["chat", "read"])
async def test_a_key_ends_no_account(client, core: Core, scope: str):
    _, raw = await sync_to_async(keys.give)(core.user, "laptop", [scope], None)
    by_key = Caller(raw)
    assert (await by_key.delete("/v2/me")).status_code == 403
    assert (await by_key.get("/v2/me")).status_code == 200


async def test_a_reviewers_account_is_not_ended_by_a_request(client, core: Core):
    await User.objects.filter(pk=core.user.pk).aupdate(is_staff=True)
    assert (await client.delete("/v2/me")).status_code == 403
    assert await Stream.objects.filter(status=events.COMPLETE).acount() == 1


async def test_a_guest_may_end_what_it_has(client: Any, core: Core):
    await User.objects.filter(pk=core.user.pk).aupdate(is_guest=True)
    assert (await client.delete("/v2/me")).status_code == 204
