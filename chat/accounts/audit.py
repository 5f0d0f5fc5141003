"""Writes the audit log (`AuditEntry`): who did what, to whom, when and from which address."""

from typing import Any

from django.http import HttpRequest

from chat import limits
from chat.models import AuditEntry, User

Action = AuditEntry.Action

QUIET_SECONDS = 600
"""At most one entry per address or per reviewed object in this time, so that repetition does not fill the log."""


def record(
    action: AuditEntry.Action, *, who: User | None = None, target: str = "", address: str = "", why: str = ""
) -> None:
    """Write one entry, in the open transaction. `who` is None if the user is not known."""
    name = who.get_username() if who is not None else ""
    cut = {"name": name[:150], "target": target[:200], "address": address[:64], "why": why[:200]}
    AuditEntry.objects.create(action=action, who=who, **cut)


def record_reading(request: HttpRequest, found: Any, *, texts: bool = True, why: str = "") -> None:
    """Record that a reviewer opens another user's row in the admin, at most once per `QUIET_SECONDS`.

    `texts`: whether texts were shown, not only times and structure; `why`: the reason that the reviewer gave.
    """
    reader: Any = request.user
    if found.user_id != reader.pk and limits.is_first(f"read:{reader.pk}:{found.pk}:{texts:d}", QUIET_SECONDS):
        target = f"{found._meta.verbose_name} {found.pk} of {found.user.get_username()}"
        target += "" if texts else ", texts hidden"
        record(Action.READ, who=reader, target=target, address=limits.address(request), why=why)


def record_sign_in(request: HttpRequest, account: User) -> None:
    """Record the sign-in of an account, with the path: a page, the API, or the second factor."""
    if not account.is_guest:
        target = f"account {account.pk}, at {request.path}"
        record(Action.SIGNED_IN, who=account, target=target, address=limits.address(request))


def record_disabled(request: HttpRequest, account: User) -> None:
    """Record an account that was disabled in the admin together with others, for which Django sends no signal."""
    staff: Any = request.user
    target = f"account {account.pk}, {account.get_username()}"
    record(Action.DISABLED, who=staff, target=target, address=limits.address(request))


def record_end(user_id: int, address: str) -> None:
    """Record that a user deletes their account."""
    owner = User.objects.get(pk=user_id)
    record(Action.DELETED, who=owner, target=f"account {user_id}, {owner.get_username()}", address=address)


def record_throttled(account: str, address: str) -> None:
    """Record attempts to sign in over the limit, at most once per `QUIET_SECONDS` and address."""
    if limits.is_first(f"throttled:{address}", QUIET_SECONDS):
        record(Action.THROTTLED, target=User.normalize_username(account.strip()), address=address)
