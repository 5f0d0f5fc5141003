"""Guests: which clients and origins may create one, and how their chats move to an account."""

from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from chat.models import Attachment, Conversation, Message, Stream, User

OWN = "http://testserver"


@pytest.fixture(autouse=True)
def guests_on(db: None, settings: Any) -> None:
    settings.GUESTS = True


def come(**headers: str) -> Any:
    return Client().post("/v2/auth/guest", headers=headers)


def test_an_api_client_that_says_nothing_of_a_page_becomes_a_guest():
    assert set(come().json()) == {"access", "refresh"}


@pytest.mark.parametrize(
    "headers",
    [{"Sec-Fetch-Site": "same-origin", "Origin": OWN}, {"Sec-Fetch-Site": "same-origin"}, {"Sec-Fetch-Site": "none"}],
    ids=str,
)
def test_the_sites_own_page_may_ask(headers):
    assert come(**headers).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://testserver.evil.example"},
        {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"},
    ],
    ids=str,
)
def test_another_sites_page_makes_no_guest(headers):
    answer = come(**headers)
    assert answer.status_code == 403
    assert answer.json()["error"]["status"] == "PERMISSION_DENIED"
    assert not User.objects.exists()


def test_an_origin_that_may_call_the_api_may_ask(settings):
    settings.CORS_ALLOWED_ORIGINS = ["https://app.example.com"]
    assert come(**{"Sec-Fetch-Site": "cross-site", "Origin": "https://app.example.com"}).status_code == 200


def test_guests_of_one_network_are_known_as_such_and_its_address_is_not_kept():
    for address in ("192.0.2.1", "192.0.2.200", "198.51.100.1"):
        assert Client(REMOTE_ADDR=address).post("/v2/auth/guest").status_code == 200
    networks = list(User.objects.order_by("pk").values_list("network", flat=True))
    assert networks[0] == networks[1] != networks[2]
    assert not any("." in network for network in networks)


PASSWORD = "correct horse battery"


def chat_of(user: User, request_id: str = "once") -> Conversation:
    """A conversation with an answer and a photo."""
    talk = Conversation.objects.create(user=user, title="Leaves")
    answer = Message.objects.create(conversation=talk, role=Message.MODEL)
    now = timezone.now()
    Stream.objects.create(user=user, conversation=talk, answer=answer, created_at=now, request_id=request_id)
    Attachment.objects.create(user=user, conversation=talk, mime_type="image/jpeg", width=1, height=1, data=b"x")
    return talk


def owners() -> set[str]:
    """Whose each conversation, stream and photo is."""
    kinds: tuple[Any, ...] = (Conversation, Stream, Attachment)
    return {name for kind in kinds for name in kind.objects.values_list("user__username", flat=True)}


def signed_in_from(who: User, password: str = PASSWORD) -> Client:
    browser = Client()
    browser.force_login(who)
    browser.post("/accounts/signin/", {"username": "alice", "password": password})
    return browser


def test_a_guests_chats_come_along_to_the_account_that_signs_in():
    alice = User.objects.create_user("alice", password=PASSWORD)
    guest, stranger = (User.objects.create(username=name, is_guest=True) for name in ("g", "other"))
    talk, left = chat_of(guest), chat_of(stranger)
    chat_of(alice)
    browser = signed_in_from(guest)
    assert browser.get(f"/c/{talk.pk}").status_code == 200
    assert browser.get(f"/c/{left.pk}").status_code == 404
    assert owners() == {"alice", "other"}
    assert Conversation.objects.for_user(alice.pk).count() == 2


def test_a_wrong_password_and_an_account_bring_nothing_along():
    User.objects.create_user("alice", password=PASSWORD)
    guest, bob = User.objects.create(username="g", is_guest=True), User.objects.create(username="bob")
    chat_of(guest)
    chat_of(bob)
    signed_in_from(guest, "wrong")
    signed_in_from(bob)
    assert owners() == {"g", "bob"}


def test_the_page_s_guest_comes_back_for_thirty_days(settings):
    client = Client()
    assert client.post("/v2/auth/session").status_code == 200
    assert client.cookies[settings.SESSION_COOKIE_NAME]["max-age"] == 30 * 24 * 3600
