"""Signal receivers that revoke tokens when an account changes, and record sign-ins in the audit log.

They are connected in `AppConfig.ready()`, so they also work for changes by a form, a command, a shell or the admin. One
statement that changes many accounts sends no signal: `AccountQuerySet.update` revokes the tokens of those.
"""

from typing import Any

from django.contrib.auth.signals import user_logged_in, user_logged_out
from django.db.models.signals import pre_save
from django.http import HttpRequest

from chat.accounts import audit, families
from chat.models import User


def connect() -> None:
    """Connect the receivers. Idempotent."""
    pre_save.connect(end_tokens_on_change, sender=User, dispatch_uid="end_tokens_on_change")
    user_logged_in.connect(record_sign_in, dispatch_uid="record_sign_in")
    user_logged_out.connect(end_session_family, dispatch_uid="end_session_family")


def end_tokens_on_change(sender: Any, instance: User, update_fields: frozenset[str] | None, **_: Any) -> None:
    """Revoke all tokens of an account with a new password, or that is disabled. An upgraded hash revokes none.

    An instance that was read before the tokens were revoked does not make them valid again when it is saved.
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
    """At the sign-out of the page, revoke the access tokens of its session."""
    if key := request.session.session_key:
        families.end(families.of_session(key))


def record_sign_in(sender: Any, request: HttpRequest | None, user: User, **_: Any) -> None:
    """Record a sign-in in the audit log. A session that a program makes has no request, or one without a method."""
    if request is not None and request.method is not None:
        audit.record_sign_in(request, user)
