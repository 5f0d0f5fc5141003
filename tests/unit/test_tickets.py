"""Tickets for native EventSources: access and expiry."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.test import Client
from django.utils import timezone

from chat.accounts import families, tickets, tokens
from chat.accounts.claims import Claims
from chat.models import Conversation, Message, Stream, Ticket, User
from chat.models.accounts import RESUME_AFTER_END
from chat.process import this_process
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
def pair(alice: User) -> dict[str, str]:
    """One sign-in of Alice's."""
    return tokens.issue(alice)


@pytest.fixture
def raw(pair: dict[str, str]) -> str:
    """A ticket that was given to it."""
    answer = post("/v2/tickets", None, Authorization=f"Bearer {pair['access']}").json()
    assert answer["expires_in"] == 30
    return str(answer["ticket"])


def post(path: str, body: Any, **headers: str) -> Any:
    return Client().post(path, json.dumps(body), content_type="application/json", headers=headers)


def stream_of(user: User, status: str = events.RUNNING) -> Stream:
    talk = Conversation.objects.create(user=user)
    answer = Message.objects.create(conversation=talk, role=Message.MODEL)
    return Stream.objects.create(user=user, conversation=talk, answer=answer, status=status, created_at=timezone.now())


def holder(raw: str) -> Ticket:
    return async_to_sync(tickets.holder)(raw, this_process().log)


def status_of(raw: str) -> int:
    """What an EventSource that comes with the ticket is told; 400 is a ticket that would have started a stream."""
    return Client().get("/v2/echat", {"ticket": raw}).status_code


def test_a_ticket_is_kept_as_its_digest_and_names_its_user(raw, alice):
    assert len(raw) >= 22
    assert not Ticket.objects.filter(digest__contains=raw).exists()
    assert holder(raw).user == alice


def test_a_ticket_is_bound_once_and_then_only_resumes(raw, alice):
    first, second, found = stream_of(alice), stream_of(alice), holder(raw)
    found.bind(first.pk)
    with pytest.raises(Unauthenticated):
        found.bind(second.pk)
    Ticket.objects.update(expires_at=timezone.now() - timedelta(hours=1))
    assert holder(raw).stream_id == first.pk


def test_an_expired_ticket_starts_nothing(raw, alice):
    found = holder(raw)
    Ticket.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert status_of(raw) == 401
    with pytest.raises(Unauthenticated):
        found.bind(stream_of(alice).pk)


def test_a_used_ticket_resumes_for_a_while_after_the_end_and_no_longer(raw, alice):
    stream = stream_of(alice)
    holder(raw).bind(stream.pk)
    for ended, opens in ((RESUME_AFTER_END - timedelta(minutes=1), True), (RESUME_AFTER_END, False)):
        Stream.objects.update(status=events.COMPLETE, ended_at=timezone.now() - ended)
        assert (status_of(raw) != 401) is opens


def sign_out(alice: User, pair: dict[str, str]) -> None:
    assert post("/v2/auth/logout", {"refresh": pair["refresh"]}).status_code == 204


def use_the_refresh_token_twice(alice: User, pair: dict[str, str]) -> None:
    for status in (200, 401):
        assert post("/v2/auth/refresh", {"refresh": pair["refresh"]}).status_code == status


def change_the_password(alice: User, pair: dict[str, str]) -> None:
    alice.set_password("another long pass phrase")
    alice.save()


def disable(alice: User, pair: dict[str, str]) -> None:
    User.objects.filter(pk=alice.pk).update(is_active=False)


def delete(alice: User, pair: dict[str, str]) -> None:
    alice.delete()


ENDS = [sign_out, use_the_refresh_token_twice, change_the_password, disable, delete]


@pytest.mark.parametrize("end", ENDS, ids=lambda end: end.__name__)
@pytest.mark.parametrize("used", [False, True], ids=["unused", "used"])
def test_a_ticket_ends_with_the_sign_in_that_it_was_given_to(raw, alice, pair, used: bool, end: Callable[..., None]):
    if used:
        holder(raw).bind(stream_of(alice).pk)
    assert status_of(raw) != 401
    end(alice, pair)
    assert status_of(raw) == 401


def test_a_ticket_of_another_sign_in_goes_on(raw, alice):
    sign_out(alice, tokens.issue(alice))
    assert status_of(raw) == 400


def test_a_ticket_of_the_page_ends_with_the_pages_session(alice):
    client = Client()
    client.force_login(alice)
    access = client.post("/v2/auth/session").json()["access"]
    raw = post("/v2/tickets", None, Authorization=f"Bearer {access}").json()["ticket"]
    assert status_of(raw) == 400
    client.logout()
    assert status_of(raw) == 401


def test_tickets_that_open_nothing_any_more_are_deleted(raw, alice):
    alice.claims = Claims(alice.pk, 0, "f", "")
    old = timezone.now() - timedelta(hours=1)
    holder(raw).bind(stream_of(alice).pk)
    Stream.objects.update(status=events.COMPLETE, ended_at=old)
    async_to_sync(tickets.give)(alice)
    Ticket.objects.update(expires_at=old)
    async_to_sync(tickets.give)(alice)
    assert Ticket.objects.count() == 1


@pytest.mark.parametrize("raw_text", ["", "x", "\ud800", "\0", "a" * 100_000])
def test_an_unknown_ticket_is_refused(db, raw_text):
    with pytest.raises(Unauthenticated):
        holder(raw_text)


def test_what_a_ticket_reads_ends_with_its_sign_in(raw, pair, alice):
    claims = holder(raw).user.claims
    assert async_to_sync(tokens.holder)(claims, this_process().log) == alice
    families.end(claims.family)
    with pytest.raises(Unauthenticated):
        async_to_sync(tokens.holder)(claims, this_process().log)
