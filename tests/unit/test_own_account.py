"""The account page: export and deletion without a token or a script."""

import io
import zipfile
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.conf import settings as site
from django.test import AsyncClient, Client

from chat import limits
from chat.models import Attachment, AuditEntry, Conversation, Event, Message, Stream, User
from tests.inside import Core

PASSWORD = "correct horse battery"
HELD = (Conversation, Message, Stream, Event, Attachment)


async def browser(user: User) -> AsyncClient:
    """A browser that is signed in as the user."""
    client = AsyncClient()
    await client.aforce_login(user)
    return client


@pytest.fixture
async def page(core: Core) -> AsyncClient:
    """Of Ann, who has a password and has asked something with a photo."""
    await core.ended(await core.ask("words=5 gap=0"))
    photo = {"mime_type": "image/jpeg", "width": 1, "height": 1, "data": b"pixels"}
    await Attachment.objects.acreate(user=core.user, conversation=await Conversation.objects.aget(), **photo)
    await sync_to_async(core.user.set_password)(PASSWORD)
    await core.user.asave()
    return await browser(core.user)


@pytest.mark.parametrize("path", ["", "export/", "delete/", "password/", "email/"])
@pytest.mark.django_db
def test_a_stranger_is_sent_to_sign_in(path: str):
    assert Client().get(f"/accounts/{path}").headers["Location"].startswith("/accounts/signin/?next=/accounts/")


async def test_the_page_says_what_was_used_and_leads_to_everything(page, core: Core):
    text = (await page.get("/accounts/")).content.decode()
    assert "signed in as ann" in text
    assert "of 2,000,000 tokens" in text
    for path in ("/accounts/password/", "/accounts/email/", "/accounts/export/", "/accounts/delete/", "/#api-keys"):
        assert f'href="{path}"' in text


async def test_a_guest_is_led_to_no_password_and_no_keys(core: Core):
    guest = await User.objects.acreate(username="guest-1", is_guest=True)
    text = (await (await browser(guest)).get("/accounts/")).content.decode()
    assert "You are here as a guest." in text
    assert "api-keys" not in text
    assert "/accounts/password/" not in text


async def test_the_page_says_where_all_people_together_have_less_left(page, core: Core, settings):
    settings.LIMITS_OFF = False
    await sync_to_async(limits.spend_question)(core.user.pk)
    for most, told in ((2, "have less left of today than you"), (1, "have asked as much as one day allows"), (0, "")):
        settings.LIMITS = {**settings.LIMITS, "DAY_QUESTIONS_SITE": most}
        text = (await page.get("/accounts/")).content.decode()
        assert ("All people of this site together" in text) == bool(most)
        assert told in text


async def test_the_export_is_that_of_the_api(page):
    await limits.close()
    answer = await page.get("/accounts/export/")
    whole = b"".join([piece async for piece in answer.streaming_content])
    with zipfile.ZipFile(io.BytesIO(whole)) as archive:
        kinds = {name.split("/")[0] for name in archive.namelist()}
    assert kinds == {"README.txt", "account.json", "conversations", "photos"}
    again = await page.get("/accounts/export/")
    assert (again.status_code, int(again.headers["Retry-After"])) == (429, 60)
    await limits.close()


async def test_with_the_password_all_of_it_goes_and_the_browser_is_signed_out(page, core: Core):
    assert (await page.post("/accounts/delete/", {"password": PASSWORD})).headers["Location"] == "/"
    assert not await User.objects.filter(pk=core.user.pk).aexists()
    for kind in HELD:
        assert await kind.objects.acount() == 0, kind
    assert await AuditEntry.objects.filter(action=AuditEntry.Action.DELETED, name="ann").acount() == 1
    assert not page.cookies[site.SESSION_COOKIE_NAME].value


@pytest.mark.parametrize("form", [{}, {"password": ""}, {"password": "wrong"}])
async def test_without_the_password_nothing_goes(page, core: Core, form: dict[str, Any]):
    assert (await page.post("/accounts/delete/", form)).status_code == 200
    assert await Conversation.objects.filter(user=core.user).acount() == 1


async def test_a_guest_needs_no_password_and_leaves_nothing(core: Core):
    await core.ended(await core.ask("words=5 gap=0"))
    await User.objects.filter(pk=core.user.pk).aupdate(is_guest=True, password="!")
    guest = await browser(await User.objects.aget(pk=core.user.pk))
    assert "as a guest" in (await guest.get("/accounts/")).content.decode()
    assert (await guest.post("/accounts/delete/")).status_code == 302
    assert not await User.objects.filter(pk=core.user.pk).aexists()
    assert await Message.objects.acount() == 0


async def test_who_reviews_others_is_ended_by_an_operator(page, core: Core):
    await User.objects.filter(pk=core.user.pk).aupdate(is_staff=True)
    answer = await page.post("/accounts/delete/", {"password": PASSWORD})
    assert "an operator ends it" in answer.content.decode()
    assert await User.objects.filter(pk=core.user.pk).aexists()
