"""Writes down what an operator will ask about later (`AuditEntry`): who did what, to whom, when, from where."""

from typing import Any

from django.http import HttpRequest

from chat import limits
from chat.models import AuditEntry, User

Action = AuditEntry.Action

QUIET_SECONDS = 600
"""One entry in ten minutes for an address that is refused, or for a reader of one session: nobody fills the log."""


def record(
    action: AuditEntry.Action, *, who: User | None = None, target: str = "", address: str = "", why: str = ""
) -> None:
    """Write one entry, in the transaction that is open. `who` is None where nobody is known to have done it."""
    name = who.get_username() if who is not None else ""
    cut = {"name": name[:150], "target": target[:200], "address": address[:64], "why": why[:200]}
    AuditEntry.objects.create(action=action, who=who, **cut)


def record_reading(request: HttpRequest, found: Any, *, texts: bool = True, why: str = "") -> None:
    """Somebody in the admin looks at what belongs to somebody else; once in a while, pages and photos alike.

    `texts`: whether what was written is shown, and not only times and structure; `why`: the reason that was given.
    """
    reader: Any = request.user
    if found.user_id != reader.pk and limits.is_first(f"read:{reader.pk}:{found.pk}:{texts:d}", QUIET_SECONDS):
        target = f"{found._meta.verbose_name} {found.pk} of {found.user.get_username()}"
        target += "" if texts else ", texts hidden"
        record(Action.READ, who=reader, target=target, address=limits.address(request), why=why)


def record_sign_in(request: HttpRequest, account: User) -> None:
    """Somebody with an account signs in, at the address that is asked: a page, the API, or a second factor."""
    if not account.is_guest:
        target = f"account {account.pk}, at {request.path}"
        record(Action.SIGNED_IN, who=account, target=target, address=limits.address(request))


def record_disabled(request: HttpRequest, account: User) -> None:
    """Somebody in the admin disables one of several accounts at once, of which no signal tells."""
    staff: Any = request.user
    target = f"account {account.pk}, {account.get_username()}"
    record(Action.DISABLED, who=staff, target=target, address=limits.address(request))


def record_end(user_id: int, address: str) -> None:
    """Somebody ends the own account."""
    owner = User.objects.get(pk=user_id)
    record(Action.DELETED, who=owner, target=f"account {user_id}, {owner.get_username()}", address=address)


def record_throttled(account: str, address: str) -> None:
    """Somebody tried to sign in more often than is allowed; once in a while for each address."""
    if limits.is_first(f"throttled:{address}", QUIET_SECONDS):
        record(Action.THROTTLED, target=User.normalize_username(account.strip()), address=address)
