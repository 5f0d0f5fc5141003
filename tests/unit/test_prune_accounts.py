"""`prune_accounts`: what is stored about accounts, and for how long."""

import json
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.core.management import call_command
from django.utils import timezone
from rest_framework_simplejwt.token_blacklist.models import BlacklistedToken, OutstandingToken

from chat.accounts import families, tokens
from chat.models import Attachment, AuditEntry, Conversation, DailyUse, Invitation, SiteUse, Ticket, User

NOW = timezone.now()
OVER, TO_COME = NOW - timedelta(days=400), NOW + timedelta(days=1)


@pytest.fixture
def alice(db: None) -> User:
    return User.objects.create_user("alice")


def pruned(*options: str) -> dict[str, Any]:
    said = StringIO()
    call_command("prune_accounts", *options, "--json", stdout=said)
    return dict(json.loads(said.getvalue()))


def one_of_each(user: User, at: Any, name: str) -> None:
    """Everything that ends, ending at that moment."""
    Session.objects.create(session_key=name, session_data="", expire_date=at)
    tokens.issue(user)
    families.end(name)
    OutstandingToken.objects.filter(expires_at__gt=timezone.now() - timedelta(days=300)).update(expires_at=at)
    Ticket.objects.create(digest=name, user=user, expires_at=at)
    Invitation.objects.create(digest=name, expires_at=at)
    DailyUse.objects.create(user=user, day=at.date())
    SiteUse.objects.create(day=at.date())
    entry = AuditEntry.objects.create(action="read")
    AuditEntry.objects.filter(pk=entry.pk).update(at=at)


def test_what_has_ended_goes_and_what_has_not_stays(alice):
    one_of_each(alice, OVER, "over")
    one_of_each(alice, TO_COME, "to come")
    assert pruned() == {
        "sessions": 1,
        "tokens": 2,
        "tickets": 1,
        "invitations": 1,
        "guests": 0,
        "push subscriptions": 0,
        "unsent photos": 0,
        "days": 1,
        "days of the site": 1,
        "spending": 0,
        "audit entries": 1,
        "deleted": True,
    }
    assert families.has_ended("to come")
    assert BlacklistedToken.objects.count() == 1
    for model in (Session, Ticket, Invitation, DailyUse, SiteUse, AuditEntry):
        assert model._default_manager.count() == 1


def test_a_dry_run_only_counts(alice):
    one_of_each(alice, OVER, "over")
    assert pruned("--dry-run")["tickets"] == 1
    assert Ticket.objects.exists()
    said = StringIO()
    call_command("prune_accounts", "--dry-run", stdout=said)
    assert "1 tickets" in said.getvalue()
    assert "would be deleted" in said.getvalue()


def test_the_audit_log_is_kept_for_as_long_as_is_said(alice):
    one_of_each(alice, NOW - timedelta(days=31), "a month")
    assert pruned()["audit entries"] == 0
    assert pruned("--audit", "30d")["audit entries"] == 1


def test_guests_who_cannot_come_back_and_left_nothing_go(alice):
    def guest(name: str, joined: Any) -> User:
        return User.objects.create(username=name, is_guest=True, date_joined=joined)

    guest("gone", OVER)
    guest("new", NOW)
    Conversation.objects.create(user=guest("talked", OVER))
    tokens.issue(guest("has a token", OVER))
    assert pruned()["guests"] == 1
    assert set(User.objects.values_list("username", flat=True)) == {"alice", "new", "talked", "has a token"}


def test_a_photo_that_was_never_sent_goes_after_a_week(alice):
    chat = Conversation.objects.create(user=alice)
    for name, conversation, days in (("old", None, 8), ("new", None, 6), ("sent", chat, 8)):
        photo = Attachment.objects.create(
            user=alice, conversation=conversation, mime_type=name, width=1, height=1, data=b""
        )
        Attachment.objects.filter(pk=photo.pk).update(created_at=NOW - timedelta(days=days))
    assert pruned()["unsent photos"] == 1
    assert set(Attachment.objects.values_list("mime_type", flat=True)) == {"new", "sent"}


def test_many_go_batch_by_batch(alice):
    Ticket.objects.bulk_create(Ticket(digest=str(number), user=alice, expires_at=OVER) for number in range(250))
    assert pruned()["tickets"] == 250
    assert not Ticket.objects.exists()
