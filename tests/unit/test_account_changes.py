"""Changes of an account, by any route, invalidate its earlier tokens and sessions."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.db.models import Case, Value, When
from django.test import Client
from django.urls import reverse

from chat.accounts import signals, tokens
from chat.models import User
from chat.protocol.errors import Unauthenticated

ROOT = Path(__file__).resolve().parent.parent.parent
PASSWORD, ANOTHER = "a long enough pass phrase", "another long pass phrase"


@pytest.fixture
def alice(db: None) -> User:
    return User.objects.create_user("alice", password=PASSWORD)


def is_open(access: str) -> bool:
    return Client().get("/v2/conversations", headers={"Authorization": f"Bearer {access}"}).status_code == 200


def in_bulk(user: User) -> None:
    user.set_password(ANOTHER)
    User.objects.bulk_update([user], ["password"])


def disabled_in_bulk(user: User) -> None:
    user.is_active = False
    User.objects.bulk_update([user], ["is_active"])


def by_an_expression(user: User) -> None:
    User.objects.filter(pk=user.pk).update(is_active=Case(When(pk=0, then=Value(True)), default=Value(False)))


def by_two_updates(user: User) -> None:
    """Disabled and enabled again: what was given out before does not come back."""
    User.objects.filter(pk=user.pk).update(is_active=False)
    User.objects.filter(pk=user.pk).update(is_active=True)


def on_request(user: User) -> None:
    user.end_tokens()


def and_a_save_by_someone_who_read_it_before(user: User) -> None:
    stale = User.objects.get(pk=user.pk)
    user.end_tokens()
    stale.first_name = "Alice"
    stale.save()


@pytest.mark.parametrize(
    "change",
    [in_bulk, disabled_in_bulk, by_an_expression, by_two_updates, on_request, and_a_save_by_someone_who_read_it_before],
    ids=lambda change: change.__name__,
)
def test_tokens_end_with_a_change(alice, change):
    access, refresh = tokens.access_for(alice), tokens.issue(alice)["refresh"]
    assert is_open(access)
    change(User.objects.get(pk=alice.pk))
    assert not is_open(access)
    with pytest.raises(Unauthenticated):
        tokens.rotate(refresh)


def test_a_change_of_something_else_ends_nothing(alice):
    access = tokens.access_for(alice)
    alice.first_name = "Alice"
    alice.save()
    alice.save(update_fields=["first_name"])
    User.objects.filter(pk=alice.pk).update(is_active=True, last_name="Liddell")
    assert is_open(access)


def test_a_password_set_in_the_admin_ends_tokens(alice, settings):
    settings.SECURE_SSL_REDIRECT = False
    chief = Client()
    chief.force_login(User.objects.create_superuser("chief", password=PASSWORD))
    access = tokens.access_for(alice)
    form = {"password1": ANOTHER, "password2": ANOTHER, "usable_password": "true"}
    answer = chief.post(reverse("admin:auth_user_password_change", args=[alice.pk]), form)
    assert answer.status_code == 302
    assert not is_open(access)


def test_connecting_twice_ends_tokens_once(alice):
    signals.connect()
    alice.set_password(ANOTHER)
    alice.save()
    alice.refresh_from_db()
    assert alice.token_version == 1


SET_UP = """
import django; django.setup()
from django.core.management import call_command
from chat.accounts import tokens
from chat.models import User
from chat.protocol.errors import Unauthenticated
call_command("migrate", verbosity=0)
alice = User.objects.create_user("alice", password="a long enough pass phrase")
for pair in tokens.issue(alice), tokens.issue(alice):
    print(pair["access"], pair["refresh"])
"""
LOOK = """
import sys, django; django.setup()
from django.test import Client
access, refresh = sys.argv[1:]
client = Client(SERVER_NAME="localhost")
opened = client.get("/v2/conversations", headers={"Authorization": f"Bearer {access}"})
renewed = client.post("/v2/auth/refresh", {"refresh": refresh}, content_type="application/json")
print(opened.status_code, renewed.status_code)
"""
IN_A_SHELL = """
from django.contrib.auth import get_user_model
user = get_user_model().objects.get(username="alice"); user.set_password("another long pass phrase"); user.save()
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    "command", [["changepassword", "alice"], ["shell", "-c", IN_A_SHELL]], ids=["command", "shell"]
)
def test_a_command_that_changes_a_password_ends_tokens(tmp_path, command):
    environment = {**os.environ, "WONDERCAM_DATA_DIR": str(tmp_path)}

    def run(*arguments: str, said: str = "") -> Any:
        process = [sys.executable, *arguments]
        return subprocess.run(
            process, cwd=ROOT, env=environment, input=said, capture_output=True, text=True, start_new_session=True
        )

    first, second = (line.split() for line in run("-c", SET_UP).stdout.splitlines())
    assert run("-c", LOOK, *first).stdout.split() == ["200", "200"]
    changed = run("manage.py", *command, said=f"{ANOTHER}\n{ANOTHER}\n")
    assert changed.returncode == 0, changed.stderr
    assert run("-c", LOOK, *second).stdout.split() == ["401", "401"]
