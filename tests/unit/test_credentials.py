"""Credentials that are not valid any more, or never were, whatever is cached and whichever way the account changed."""

from typing import Any

import pytest
from django.contrib.auth.hashers import make_password
from rest_framework_simplejwt.settings import api_settings

from chat.accounts import claims, guests, passwords, tokens
from chat.accounts.claims import LEEWAY, Claims
from chat.models import Conversation, User
from chat.process import this_process
from chat.protocol.errors import Unauthenticated

PASSWORD = "a long enough pass phrase"


def test_a_token_that_was_verified_before_expires_all_the_same(monkeypatch: pytest.MonkeyPatch):
    """Verification is cached; the expiry is compared each time."""
    raw = tokens.access_for(User(pk=1))
    found = tokens.token(raw)
    _, expires = claims.verified(raw, api_settings.SIGNING_KEY)
    monkeypatch.setattr(tokens, "time", lambda: expires + LEEWAY)

    assert found.user_id == 1
    with pytest.raises(Unauthenticated):
        tokens.token(raw)


@pytest.mark.django_db
def test_claims_of_an_earlier_password_and_of_a_disabled_account_have_ended():
    ann, bob = User.objects.create(username="ann", token_version=1), User.objects.create(username="bob")
    eve = User.objects.create(username="eve", is_active=False)
    given = [Claims(ann.pk, 1, "a", ""), Claims(ann.pk, 0, "b", ""), Claims(bob.pk, 0, "c", "")]
    disabled = Claims(eve.pk, 0, "d", "")

    assert tokens.ended([*given, disabled]) == {given[1], disabled}


@pytest.mark.django_db(transaction=True)
async def test_a_disabled_account_s_token_opens_nothing_although_its_version_is_the_same(log: Any):
    ann = await User.objects.acreate(username="ann", is_active=False)
    with pytest.raises(Unauthenticated):
        await tokens.holder(Claims(ann.pk, 0, "a", ""), this_process().log)


@pytest.mark.django_db(transaction=True)
async def test_a_password_that_is_too_long_is_not_even_hashed(monkeypatch: pytest.MonkeyPatch, log: Any):
    checked: list[str] = []

    def check(password: str, kept: str) -> bool:
        checked.append(password)
        return True

    monkeypatch.setattr(passwords, "check_password", check)
    await User.objects.acreate(username="ann", password=make_password(PASSWORD, hasher="md5"))

    assert await passwords.holder("ann", "x" * (passwords.LONGEST + 1)) is None
    assert await passwords.holder("ann", "x" * passwords.LONGEST) is not None
    assert checked == ["x" * passwords.LONGEST]


@pytest.mark.django_db
def test_a_guest_s_chats_do_not_go_to_a_disabled_account():
    guest = User.objects.create(username="g", is_guest=True)
    disabled = User.objects.create(username="eve", is_active=False)
    talk = Conversation.objects.create(user=guest)
    guests.take_along(guest, disabled)

    assert Conversation.objects.get(pk=talk.pk).user_id == guest.pk
