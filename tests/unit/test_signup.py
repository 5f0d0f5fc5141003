"""Sign-up: open, by invitation, or closed."""

import re
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from chat.models import Invitation, User

PASSWORD = "correct horse battery"
FORM = {"username": "ada", "password1": PASSWORD, "password2": PASSWORD}

pytestmark = pytest.mark.django_db


def invite(**options: Any) -> str:
    """The link that the command prints."""
    said = StringIO()
    call_command("invite", stdout=said, **options)
    return said.getvalue().strip()


def sign_up(link: str = "/accounts/signup/", name: str = "ada", client: Client | None = None) -> int:
    return (client or Client()).post(link, {**FORM, "username": name}).status_code


def test_an_open_site_takes_everybody(settings):
    settings.SIGNUP = "open"
    assert sign_up() == 302
    assert 'href="/accounts/signup/"' in Client().get("/accounts/signin/").content.decode()


@pytest.mark.parametrize("mode", ["closed", "invite"])
def test_elsewhere_a_stranger_makes_no_account_and_is_told_why(settings, mode):
    settings.SIGNUP = mode
    settings.GUESTS = True
    for answer in (Client().get("/accounts/signup/"), Client().post("/accounts/signup/", FORM)):
        assert answer.status_code == 403
        assert "operator" in answer.content.decode()
        assert "<form" not in answer.content.decode()
    assert not User.objects.exists()
    for page in ("/", "/accounts/signin/"):
        assert "/accounts/signup/" not in Client().get(page).content.decode()


def test_a_guest_makes_no_account_either_where_it_is_closed(settings):
    settings.SIGNUP = "closed"
    guest = User.objects.create(username="guest-1", is_guest=True)
    client = Client()
    client.force_login(guest)
    assert sign_up(client=client) == 403
    guest.refresh_from_db()
    assert guest.is_guest


def test_a_guest_who_signs_up_keeps_the_account_and_is_a_guest_no_more(settings):
    settings.SIGNUP = "open"
    guest = User.objects.create(username="guest-1", is_guest=True)
    client = Client()
    client.force_login(guest)
    assert 'value="guest-1"' not in client.get("/accounts/signup/").content.decode()
    assert sign_up(client=client) == 302
    account = User.objects.get()
    assert (account.pk, account.username, account.is_guest) == (guest.pk, "ada", False)


def test_an_invitation_that_another_uses_in_the_same_moment_makes_no_account(settings, monkeypatch):
    settings.SIGNUP = "invite"
    link = invite()
    monkeypatch.setattr(Invitation, "use", lambda self, user: False)
    assert sign_up(link) == 403
    assert not User.objects.exists()


def test_an_invitation_lets_one_person_in_once(settings):
    settings.SIGNUP = "invite"
    link = invite(note="Ada")
    assert re.fullmatch(r"/accounts/signup/\?invitation=[\w-]{22}", link)
    assert Client().get(link).status_code == 200
    assert sign_up(link) == 302
    assert Invitation.objects.get().used_by == User.objects.get(username="ada")
    assert sign_up(link, "bob") == 403
    assert User.objects.count() == 1


def test_a_form_with_a_mistake_uses_nothing_up(settings):
    settings.SIGNUP = "invite"
    link = invite()
    assert Client().post(link, {**FORM, "password2": "other"}).status_code == 200
    assert sign_up(link) == 302


def test_of_two_who_use_an_invitation_at_the_same_moment_one_gets_in(settings):
    settings.SIGNUP = "invite"
    found = Invitation.find(invite().partition("=")[2])
    assert found is not None
    assert found.use(User.objects.create(username="bob"))
    assert not found.use(User.objects.create(username="eve"))


def test_an_expired_or_unknown_invitation_opens_nothing(settings):
    settings.SIGNUP = "invite"
    assert sign_up(invite(expires=timedelta(0))) == 403
    assert sign_up("/accounts/signup/?invitation=nonsense") == 403
    assert "unknown" in Client().get("/accounts/signup/?invitation=x").content.decode()


def test_only_the_digest_of_an_invitation_is_kept(settings):
    settings.SIGNUP = "invite"
    code = invite(url="https://chat.example.com").removeprefix("https://chat.example.com/accounts/signup/?invitation=")
    assert len(code) == 22
    assert code not in str(Invitation.objects.values().get())


@pytest.mark.parametrize("mode", ["open", "closed"])
def test_where_invitations_do_not_count_none_is_made(settings, mode):
    settings.SIGNUP = mode
    with pytest.raises(CommandError, match="WONDERCAM_SIGNUP"):
        invite()


def test_signing_out_clears_what_the_page_kept_in_the_browser() -> None:
    browser = Client()
    browser.force_login(User.objects.create_user("ada"))
    answer = browser.post("/accounts/signout/")
    assert answer.status_code == 302
    assert answer.headers["Clear-Site-Data"] == '"storage"'
