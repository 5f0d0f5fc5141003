"""The audit log: its entries, and that they cannot be changed."""

from datetime import timedelta
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from chat import limits
from chat.accounts import tokens
from chat.models import AuditEntry, Conversation, Invitation, Message, Stream, User
from chat.protocol import events
from chat.protocol.errors import Unauthenticated

PASSWORD = "a long enough pass phrase"


@pytest.fixture(autouse=True)
def quick_passwords(settings: Any) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def alice(db: None) -> User:
    return User.objects.create_user("alice", password=PASSWORD)


@pytest.fixture
def chief(db: None) -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("chief", password=PASSWORD))
    return client


def stream_of(user: User) -> Stream:
    talk = Conversation.objects.create(user=user)
    answer = Message.objects.create(conversation=talk, role=Message.MODEL)
    now = timezone.now()
    return Stream.objects.create(
        user=user, conversation=talk, answer=answer, status=events.COMPLETE, created_at=now, ended_at=now
    )


def written(action: str = "") -> list[tuple[str, str, str]]:
    entries = AuditEntry.objects.order_by("pk")
    return [(e.action, e.name, e.target) for e in (entries.filter(action=action) if action else entries)]


def test_reading_somebody_elses_session_is_written_down_with_whose(chief, alice):
    stream = stream_of(alice)
    for name, pk in (("conversation", stream.conversation_id), ("stream", stream.pk)):
        assert chief.get(reverse(f"admin:chat_{name}_change", args=[pk])).status_code == 200
    assert written() == [
        ("read", "chief", f"conversation {stream.conversation_id} of alice"),
        ("read", "chief", f"stream {stream.pk} of alice"),
    ]
    assert AuditEntry.objects.first().address == "127.0.0.1"


def test_reading_ones_own_is_not(chief):
    own = stream_of(User.objects.get(username="chief"))
    chief.get(reverse("admin:chat_stream_change", args=[own.pk]))
    assert written() == []


def test_a_reader_who_may_not_read_leaves_no_entry(alice):
    clerk = Client()
    clerk.force_login(User.objects.create_user("clerk", is_staff=True))
    assert clerk.get(reverse("admin:chat_stream_change", args=[stream_of(alice).pk])).status_code == 403
    assert written() == []


def test_using_a_spent_refresh_token_is_written_down(alice):
    refresh = tokens.issue(alice)["refresh"]
    tokens.rotate(refresh)
    with pytest.raises(Unauthenticated):
        tokens.rotate(refresh, "192.0.2.7")
    assert written() == [("reused", "", f"account {alice.pk}")]
    assert AuditEntry.objects.get().address == "192.0.2.7"


@pytest.mark.parametrize("path", ["/accounts/signin/", "/admin/login/"])
def test_a_sign_in_is_written_down_with_where_and_a_wrong_one_is_none(alice, path):
    User.objects.update(is_staff=True)
    client = Client()
    client.post(path, {"username": "alice", "password": "wrong"})
    assert written() == []
    client.post(path, {"username": "alice", "password": PASSWORD})
    assert written() == [("signed-in", "alice", f"account {alice.pk}, at {path}")]
    assert AuditEntry.objects.get().address == "127.0.0.1"


def test_a_sign_in_of_the_api_is_written_down_and_a_refresh_is_none(alice):
    given = {"username": "alice", "password": PASSWORD}
    pair = Client().post("/v2/auth/token", given, content_type="application/json").json()
    Client().post("/v2/auth/refresh", {"refresh": pair["refresh"]}, content_type="application/json")
    assert written() == [("signed-in", "alice", f"account {alice.pk}, at /v2/auth/token")]


def test_a_guest_signs_in_nowhere(db, settings):
    settings.GUESTS = True
    client = Client()
    client.get("/")
    assert client.post("/v2/auth/session").status_code == 200
    assert User.objects.get().is_guest
    assert written() == []


def test_too_many_tries_to_sign_in_are_written_down_once_in_a_while(alice, settings):
    settings.LIMITS_OFF = False
    settings.LIMITS = {**settings.LIMITS, "LOGIN_ACCOUNT": 2}
    form = {"username": " Alice", "password": "wrong"}
    statuses = [Client().post("/admin/login/", form).status_code for _ in range(5)]
    async_to_sync(limits.close)()
    assert statuses == [200, 200, 429, 429, 429]
    assert written() == [("throttled", "", "Alice")]


def test_a_new_password_and_a_lock_are_written_down(alice):
    alice.set_password("another long pass phrase")
    alice.save()
    alice.is_active = False
    alice.save()
    whose = f"account {alice.pk}, alice"
    assert written() == [("password", "", whose), ("disabled", "", whose)]


def test_accounts_that_are_disabled_together_are_written_down_with_by_whom(chief, alice):
    bob = User.objects.create_user("bob", is_active=False)
    form = {"action": "deactivate", "_selected_action": [alice.pk, bob.pk]}
    assert chief.post(reverse("admin:chat_user_changelist"), form).status_code == 302
    assert written() == [("disabled", "chief", f"account {alice.pk}, alice")]


def test_an_invitation_that_was_used_is_written_down(settings, db):
    settings.SIGNUP = "invite"
    code = Invitation.give(timedelta(days=1), "Ada")
    form = {"username": "ada", "password1": PASSWORD, "password2": PASSWORD}
    assert Client().post(f"/accounts/signup/?invitation={code}", form).status_code == 302
    assert written("invited") == [("invited", "ada", "Ada")]


def test_the_admin_shows_entries_and_changes_none(chief, alice):
    chief.get(reverse("admin:chat_stream_change", args=[stream_of(alice).pk]))
    entry = AuditEntry.objects.get()
    listed = chief.get(reverse("admin:chat_auditentry_changelist"))
    assert "of alice" in listed.content.decode()
    address = reverse("admin:chat_auditentry_change", args=[entry.pk])
    assert chief.get(address).status_code == 200
    assert chief.post(address, {"name": "nobody"}).status_code == 403
    assert chief.post(reverse("admin:chat_auditentry_delete", args=[entry.pk]), {"post": "yes"}).status_code == 403
    assert chief.get(reverse("admin:chat_auditentry_add")).status_code == 403


def test_an_entry_outlives_the_account_of_who_did_it(chief, alice):
    chief.get(reverse("admin:chat_stream_change", args=[stream_of(alice).pk]))
    User.objects.get(username="chief").delete()
    assert [entry[1] for entry in written()] == ["chief"]
