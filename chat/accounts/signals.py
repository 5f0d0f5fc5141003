"""What ends tokens by itself, however the account is changed: a form, a command, a shell, the admin; and what writes
sign-ins down, whichever page they happen on.

Connected in `AppConfig.ready()`, so in every process that can change an account. Changes of many accounts in one
statement send no signal: `AccountQuerySet.update` sees to those.
"""

from typing import Any

from django.contrib.auth.signals import user_logged_in, user_logged_out
from django.db.models.signals import pre_save
from django.http import HttpRequest

from chat.accounts import audit, families
from chat.models import User


def connect() -> None:
    """Connect the receivers; doing it again changes nothing."""
    pre_save.connect(end_tokens_on_change, sender=User, dispatch_uid="end_tokens_on_change")
    user_logged_in.connect(write_sign_in_down, dispatch_uid="write_sign_in_down")
    user_logged_out.connect(end_session_family, dispatch_uid="end_session_family")


def end_tokens_on_change(sender: Any, instance: User, update_fields: frozenset[str] | None, **_: Any) -> None:
    """A new password, and being disabled, end every token given out before. A mere upgrade of the hash does not.

    Whoever saves an account that was read before its tokens ended does not bring them back.
    """
    if instance._state.adding or (update_fields is not None and not {"password", "is_active"} & update_fields):
        return
    upgraded = update_fields == frozenset({"password"}) and instance._password is None  # type: ignore[attr-defined]
    kept = User.objects.filter(pk=instance.pk).values("password", "is_active", "token_version").first()
    if kept is None or upgraded:
        return
    if kept["password"] != instance.password or (kept["is_active"] and not instance.is_active):
        instance.end_tokens()
        changed = audit.Action.PASSWORD if kept["password"] != instance.password else audit.Action.DISABLED
        audit.record(changed, target=f"account {instance.pk}, {instance.get_username()}")
    else:
        instance.token_version = max(instance.token_version, kept["token_version"])


def end_session_family(sender: Any, request: HttpRequest, **_: Any) -> None:
    """Signing out of the page ends the access tokens that the page was given."""
    if key := request.session.session_key:
        families.end(families.of_session(key))


def write_sign_in_down(sender: Any, request: HttpRequest | None, user: User, **_: Any) -> None:
    """Signing in leaves an entry in the audit log. A program that makes a session has no request that was sent."""
    if request is not None and request.method is not None:
        audit.record_sign_in(request, user)
