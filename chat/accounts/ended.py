"""Expired rows of accounts, such as sessions and tokens, for the commands and tasks that delete them."""

from datetime import datetime, timedelta
from typing import Any

from django.contrib.sessions.models import Session
from django.db.models import Exists, OuterRef, QuerySet
from rest_framework_simplejwt.token_blacklist.models import OutstandingToken

from chat.accounts.guests import SESSION_SECONDS
from chat.models import (
    Attachment,
    AuditEntry,
    Conversation,
    DailyUse,
    Invitation,
    ModelUse,
    PushSubscription,
    SiteUse,
    Ticket,
    User,
)
from chat.models.accounts import RESUME_AFTER_END

BATCH = 100
"""Rows deleted in one transaction, which takes a few milliseconds: the server's writer hardly waits."""
PAUSE = 0.005
"""Seconds between two batches."""
USE_DAYS = 60
"""Days for which each user's questions and tokens of a day are kept. Budgets need one day, operators look further
back."""
SPENDING_DAYS = 400
"""Days for which each model's answers and tokens of a day are kept: a year and a month."""
AUDIT_DAYS = 365
UNSENT_DAYS = 7
"""Days for which an uploaded photo or sound that no message contains is kept."""


def rows(now: datetime, audit_kept_from: datetime) -> dict[str, QuerySet[Any]]:
    """The expired rows of each kind, by the name of the kind in reports."""
    tickets, ended_before = Ticket.objects.order_by(), now - RESUME_AFTER_END
    unused = tickets.filter(stream=None, expires_at__lt=now)
    return {
        "sessions": Session.objects.filter(expire_date__lt=now),
        "tokens": OutstandingToken.objects.order_by().filter(expires_at__lt=now),
        "tickets": unused | tickets.filter(stream__ended_at__lt=ended_before),
        "invitations": Invitation.objects.order_by().filter(expires_at__lt=now),
        "guests": guests_who_left_nothing(now),
        "push subscriptions": PushSubscription.objects.order_by().filter(expires_at__lt=now),
        "unsent photos": Attachment.objects.order_by().filter(
            conversation=None, created_at__lt=now - timedelta(days=UNSENT_DAYS)
        ),
        "days": DailyUse.objects.filter(day__lt=(now - timedelta(days=USE_DAYS)).date()),
        "days of the site": SiteUse.objects.filter(day__lt=(now - timedelta(days=USE_DAYS)).date()),
        "spending": ModelUse.objects.order_by().filter(day__lt=(now - timedelta(days=SPENDING_DAYS)).date()),
        "audit entries": AuditEntry.objects.order_by().filter(at__lt=audit_kept_from),
    }


def guests_who_left_nothing(now: datetime) -> QuerySet[User]:
    """Guests without conversations who cannot return: their session and their refresh tokens have expired."""
    talks = Conversation.objects.filter(user=OuterRef("pk"))
    tokens = OutstandingToken.objects.filter(user=OuterRef("pk"), expires_at__gt=now)
    old = User.objects.filter(is_guest=True, date_joined__lt=now - timedelta(seconds=SESSION_SECONDS))
    return old.exclude(Exists(talks)).exclude(Exists(tokens))


def delete_batch(found: QuerySet[Any]) -> int:
    """Delete at most `BATCH` of these rows, in the caller's transaction; returns their number, 0 at the end."""
    batch = list(found.values_list("pk", flat=True)[:BATCH])
    found.model._default_manager.filter(pk__in=batch).delete()
    return len(batch)
