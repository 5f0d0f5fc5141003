"""Retention of what is kept about accounts, once it has ended: nobody comes in by it any more."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from time import sleep
from typing import Any

from django.contrib.sessions.models import Session
from django.core.management.base import CommandError, CommandParser
from django.db.models import Exists, OuterRef, QuerySet
from rest_framework_simplejwt.token_blacklist.models import OutstandingToken

from chat.accounts.guests import SESSION_SECONDS
from chat.management import arguments
from chat.management.filters import Filter
from chat.models import AuditEntry, Conversation, DailyUse, Invitation, Ticket, User
from chat.models.accounts import RESUME_AFTER_END

BATCH = 100
"""Rows a transaction: some milliseconds, so that a server's writer hardly waits."""
PAUSE = 0.005

USE_DAYS = 60
"""For which the questions and tokens of a day are kept: a budget needs one, an operator's question some more."""


class Command(Filter):
    """`prune_accounts`: sessions, tokens and tickets that have ended, guests who left nothing, old audit entries."""

    help = (
        "Delete what has ended: sessions, spent tokens, tickets, invitations, guests who left no conversation, and "
        "audit entries older than --audit. Run it once a day; a server goes on meanwhile."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """How long the audit log is kept."""
        text = "keep audit entries for so long; 365d unless you say otherwise"
        parser.add_argument("--audit", type=arguments.age, default=timedelta(days=365), metavar="AGE", help=text)
        parser.add_argument("--dry-run", action="store_true", help="only count")
        parser.add_argument("--json", action="store_true", help="print what was deleted as a JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        """Count, or delete batch by batch."""
        now = datetime.now(UTC)
        try:
            kept_from = now - options["audit"]
        except OverflowError:
            raise CommandError("--audit goes further back than the calendar.") from None
        done = {
            name: rows.count() if options["dry_run"] else deleted(rows) for name, rows in ended(now, kept_from).items()
        }
        if options["json"]:
            return self.put(json.dumps({**done, "deleted": not options["dry_run"]}) + "\n")
        verb = "would be" if options["dry_run"] else "were"
        self.stdout.write(", ".join(f"{count} {name}" for name, count in done.items()) + f" {verb} deleted.")


def ended(now: datetime, audit_kept_from: datetime) -> dict[str, QuerySet[Any]]:
    """What nobody needs any more, by what it is called."""
    tickets, ended_before = Ticket.objects.order_by(), now - RESUME_AFTER_END
    unused = tickets.filter(stream=None, expires_at__lt=now)
    return {
        "sessions": Session.objects.filter(expire_date__lt=now),
        "tokens": OutstandingToken.objects.order_by().filter(expires_at__lt=now),
        "tickets": unused | tickets.filter(stream__ended_at__lt=ended_before),
        "invitations": Invitation.objects.order_by().filter(expires_at__lt=now),
        "guests": gone_guests(now),
        "days": DailyUse.objects.filter(day__lt=(now - timedelta(days=USE_DAYS)).date()),
        "audit entries": AuditEntry.objects.order_by().filter(at__lt=audit_kept_from),
    }


def gone_guests(now: datetime) -> QuerySet[User]:
    """Guests who cannot come back, their session and their refresh tokens being over, and who left nothing."""
    talks = Conversation.objects.filter(user=OuterRef("pk"))
    tokens = OutstandingToken.objects.filter(user=OuterRef("pk"), expires_at__gt=now)
    old = User.objects.filter(is_guest=True, date_joined__lt=now - timedelta(seconds=SESSION_SECONDS))
    return old.exclude(Exists(talks)).exclude(Exists(tokens))


def deleted(rows: QuerySet[Any]) -> int:
    """Delete them, a batch a transaction, with a pause after each; how many they were."""
    return sum(map(len, batches_deleted(rows)))


def batches_deleted(rows: QuerySet[Any]) -> Iterator[list[Any]]:
    """Each batch, when it is gone."""
    while batch := list(rows.values_list("pk", flat=True)[:BATCH]):
        rows.model._default_manager.filter(pk__in=batch).delete()
        yield batch
        sleep(PAUSE)
