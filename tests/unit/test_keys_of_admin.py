"""API keys in the admin: who sees them, what of them, and how they are ended there."""

import pytest
from asgiref.sync import async_to_sync
from django.test import Client
from django.urls import reverse

from chat.accounts import keys
from chat.models import ApiKey, AuditEntry, User
from chat.process import this_process
from chat.protocol.errors import Unauthenticated
from tests.unit.test_admin import staff

pytestmark = pytest.mark.django_db
LIST = "admin:chat_apikey_changelist"


@pytest.fixture
def alice() -> User:
    return User.objects.create_user("alice")


@pytest.fixture
def chief() -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("chief"))
    return client


def is_open(raw: str) -> bool:
    try:
        async_to_sync(keys.holder)(raw, keys.READ, this_process().log)
    except Unauthenticated:
        return False
    return True


def test_the_list_tells_whose_a_key_is_and_nothing_that_opens_anything(alice: User, chief: Client) -> None:
    key, raw = keys.give(alice, "laptop", [], None)
    for address in (reverse(LIST) + "?q=alice", reverse("admin:chat_apikey_change", args=[key.pk])):
        page = chief.get(address).content.decode()
        assert all(said in page for said in ("alice", "laptop", key.hint))
        assert raw not in page
        assert key.digest not in page
    assert "laptop" not in chief.get(reverse(LIST) + "?q=nobody").content.decode()


@pytest.mark.parametrize("how", ["one", "several"])
def test_a_key_that_staff_end_opens_nothing_and_the_audit_log_says_who_did_it(
    alice: User, chief: Client, how: str
) -> None:
    key, raw = keys.give(alice, "laptop", [], None)
    _, other = keys.give(alice, "phone", [], None)
    assert is_open(raw)
    form = {"post": "yes", "action": "delete_selected", "_selected_action": [str(key.pk)]}
    address = reverse(LIST) if how == "several" else reverse("admin:chat_apikey_delete", args=[key.pk])
    assert chief.post(address, form).status_code == 302

    assert not is_open(raw)
    assert is_open(other)
    entry = AuditEntry.objects.get(action=AuditEntry.Action.KEY_ENDED)
    assert (entry.name, entry.target) == ("chief", f"laptop ({key.hint}…) of alice")


@pytest.mark.parametrize(("permission", "reads"), [("view_apikey", 200), ("view_stream", 403)])
def test_staff_without_the_permission_end_no_key(alice: User, permission: str, reads: int) -> None:
    key, raw = keys.give(alice, "laptop", [], None)
    client = staff(permission)
    assert client.get(reverse(LIST)).status_code == reads
    assert client.post(reverse("admin:chat_apikey_delete", args=[key.pk]), {"post": "yes"}).status_code == 403
    assert client.get(reverse("admin:chat_apikey_add")).status_code == 403
    assert is_open(raw)
    assert ApiKey.objects.count() == 1
