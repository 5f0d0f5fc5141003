"""Passwords: change and reset by mail, which both invalidate earlier sessions and tokens."""

import re
from concurrent.futures import Future
from typing import Any

import pytest
from django.contrib.auth.password_validation import validate_password
from django.core import mail
from django.core.exceptions import ImproperlyConfigured, ValidationError
from django.test import Client

from chat.accounts import tokens
from chat.models import AuditEntry, User
from chat.views import passwords
from wondercam.mail import MailServer

OLD, NEW = "correct horse battery", "another long password"
TWICE = {"new_password1": NEW, "new_password2": NEW}

pytestmark = pytest.mark.django_db


class AtOnce:
    """An executor that does it before it returns."""

    def submit(self, work: Any, *args: Any, **kwargs: Any) -> Future[Any]:
        done: Future[Any] = Future()
        done.set_result(work(*args, **kwargs))
        return done


@pytest.fixture(autouse=True)
def sent(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The mails that were sent, each when its request has ended."""
    monkeypatch.setattr(passwords, "MAILS", AtOnce())
    return mail.outbox


@pytest.fixture
def ada() -> User:
    return User.objects.create_user("ada", email="ada@example.com", password=OLD)


def signed_in(user: User) -> Client:
    client = Client()
    assert client.login(username=user.username, password=OLD)
    return client


def link_in(message: Any) -> str:
    found = re.search(r"^http://testserver(/accounts/reset/new/\?link=\S+)$", message.body, re.MULTILINE)
    assert found, message.body
    return found[1]


def alive(token: str) -> bool:
    return Client().get("/v2/conversations", headers={"Authorization": f"Bearer {token}"}).status_code == 200


# Words of the site


@pytest.mark.parametrize("password", ["wondercam2026!", "WonderCam-Admin-1", "chatadminguest", "harbour-ltd-2026"])
def test_a_password_made_of_words_of_this_site_is_refused(settings: Any, password: str) -> None:
    settings.ALLOWED_HOSTS = ["chat.harbour-ltd.example"]
    with pytest.raises(ValidationError, match="words of this site"):
        validate_password(password)


@pytest.mark.parametrize("password", [NEW, "my camera sees a whale", "wondercam and nine herons"])
def test_a_password_that_has_more_than_them_is_taken(password: str) -> None:
    validate_password(password)


# Changed


def test_a_new_password_ends_other_sessions_and_all_tokens_but_not_this_session(ada):
    here, elsewhere, token = signed_in(ada), signed_in(ada), tokens.access_for(ada)
    assert alive(token)
    assert here.post("/accounts/password/", {"old_password": OLD, **TWICE}).headers["Location"] == "/accounts/"
    assert not alive(token)
    assert here.get("/accounts/").status_code == 200
    assert elsewhere.get("/accounts/").status_code == 302
    assert AuditEntry.objects.filter(action=AuditEntry.Action.PASSWORD).count() == 1


@pytest.mark.parametrize("form", [{"old_password": "wrong", **TWICE}, {"old_password": OLD, "new_password1": "short"}])
def test_without_the_old_one_or_with_a_weak_one_nothing_changes(ada, form):
    assert signed_in(ada).post("/accounts/password/", form).status_code == 200
    ada.refresh_from_db()
    assert ada.check_password(OLD)


@pytest.mark.parametrize("path", ["password/", "email/"])
def test_a_guest_is_led_to_making_an_account(path):
    client = Client()
    client.force_login(User.objects.create(username="guest-1", is_guest=True))
    assert client.get(f"/accounts/{path}").headers["Location"] == "/accounts/signup/"


def test_the_address_for_links_is_changed_only_with_the_password(ada):
    client = signed_in(ada)
    assert client.post("/accounts/email/", {"email": "eve@example.com", "password": "wrong"}).status_code == 200
    ada.refresh_from_db()
    assert ada.email == "ada@example.com"
    assert client.post("/accounts/email/", {"email": "new@example.com", "password": OLD}).status_code == 302
    ada.refresh_from_db()
    assert ada.email == "new@example.com"


# Reset


def asked(address: str) -> tuple[Any, ...]:
    answer = Client().post("/accounts/reset/", {"email": address})
    return answer.status_code, answer.headers["Location"], answer.content


def test_the_answer_is_the_same_whether_there_is_such_an_account(ada, sent):
    User.objects.create_user("off", email="off@example.com", password=OLD, is_active=False)
    User.objects.create(username="none", email="none@example.com", password="!")
    told = {asked(address) for address in ("ada@example.com", "no@example.com", "off@example.com", "none@example.com")}
    assert told == {(302, "/accounts/reset/sent/", b"")}
    assert [message.to for message in sent] == [["ada@example.com"]]


def test_a_link_sets_a_new_password_once_and_ends_every_session_and_token(ada, sent):
    session, token = signed_in(ada), tokens.access_for(ada)
    asked("ADA@example.com")
    client, link = Client(), link_in(sent[0])

    bare = client.get(link).headers["Location"]
    assert bare == "/accounts/reset/new/"  # no log, history or referrer keeps the link
    assert "Choose a new password" in client.get(bare).content.decode()
    assert client.post(bare, TWICE).headers["Location"] == "/accounts/signin/"

    ada.refresh_from_db()
    assert ada.check_password(NEW)
    assert session.get("/accounts/").status_code == 302
    assert not alive(token)
    for again in (Client(), client):
        assert "used up" in again.get(link, follow=True).content.decode()
        assert again.post(bare, {"new_password1": OLD, "new_password2": OLD}).status_code == 200
    ada.refresh_from_db()
    assert ada.check_password(NEW)


@pytest.mark.parametrize("link", ["", "x", "MQ.", ".x", "MQ.set-password", "MQ.abc-def", "\0.\0", "é.é"])
def test_a_made_up_link_opens_nothing(ada, link):
    client = Client()
    said = client.get("/accounts/reset/new/", {"link": link}, follow=True)
    assert "used up" in said.content.decode()
    assert client.post("/accounts/reset/new/", TWICE).status_code == 200
    ada.refresh_from_db()
    assert ada.check_password(OLD)


def test_links_are_asked_for_only_so_often_and_nobody_learns_for_whom(ada, sent, settings):
    settings.LIMITS_OFF = False
    for address in ("ada@example.com", "nobody@example.com"):
        statuses = [Client().post("/accounts/reset/", {"email": address}).status_code for _ in range(6)]
        assert statuses == [302] * 5 + [429]
    assert len(sent) == 5


# The server of the mails


def test_without_a_server_mails_are_printed():
    assert MailServer.of("").backend == "django.core.mail.backends.console.EmailBackend"


@pytest.mark.parametrize(
    ("url", "host", "port", "starttls", "tls"),
    [
        ("smtp://ann:p%40ss@mail.example.com", "mail.example.com", 587, True, False),
        ("smtps://ann:p%40ss@mail.example.com", "mail.example.com", 465, False, True),
        ("smtp://ann:p%40ss@127.0.0.1:2525", "127.0.0.1", 2525, False, False),
    ],
)
def test_the_address_of_a_server_says_all(url, host, port, starttls, tls):
    found = MailServer.of(url)
    assert (found.host, found.port, found.starttls, found.tls) == (host, port, starttls, tls)
    assert (found.user, found.password) == ("ann", "p@ss")


@pytest.mark.parametrize("url", ["nonsense", "http://secret@x", "smtp://", "smtp://secret@host:port", "smtp://[secret"])
def test_an_address_that_is_none_is_told_without_repeating_it(url):
    with pytest.raises(ImproperlyConfigured, match="WONDERCAM_EMAIL_URL") as told:
        MailServer.of(url)
    assert "secret" not in str(told.value)
