"""The rows of subscriptions. Functions that write are jobs of `Log.write`."""

import hashlib
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.conf import settings
from django.db.models import F, Max
from django.utils import timezone

from chat.accounts import tokens
from chat.accounts.claims import Claims
from chat.log.changes import ENDED
from chat.models import Change, Conversation, PushSubscription, User
from chat.protocol import events
from chat.push.delivery import Notice

MOST_BROWSERS = 10
"""The most subscriptions of a user; beyond it the oldest is deleted."""
MOST_FAILURES = 5
"""Failures in a row after which a subscription is deleted."""
MOST_LINES = 1000
"""The most lines that one query reads."""


class Browser(NamedTuple):
    """A browser's push subscription."""

    endpoint: str
    p256dh: str
    auth: str


class Unread(NamedTuple):
    """The end of an answer after the cursor (`told`) of a subscription."""

    digest: str
    user_id: int
    told: int
    place: int
    conversation: Any
    data: str
    at: datetime

    def is_to_be_told(self) -> bool:
        """Whether the answer had no reader at its end and was not stopped."""
        found = events.decode(self.data)
        return not found.get("read") and found["status"] != events.STOPPED

    def status(self) -> str:
        """How it ended."""
        return str(events.decode(self.data)["status"])


class Move(NamedTuple):
    """A change of a subscription's cursor from `told` to `place`."""

    digest: str
    told: int
    place: int


def digest_of(endpoint: str) -> str:
    """The key of a subscription."""
    return hashlib.sha256(endpoint.encode()).hexdigest()


def keep(user: User, browser: Browser) -> None:
    """Store a subscription for this user, in place of one of another user of the same browser."""
    newest = Change.objects.filter(user=user).aggregate(newest=Max("id"))["newest"] or 0
    fields = {**browser._asdict(), **sign_in(user), "user": user, "told": newest, "failures": 0}
    PushSubscription.objects.update_or_create(digest=digest_of(browser.endpoint), defaults=fields)
    others = PushSubscription.objects.for_user(user.pk).order_by("-created_at").values_list("pk", flat=True)
    PushSubscription.objects.filter(pk__in=list(others[MOST_BROWSERS:])).delete()


def renew(user: User, browser: Browser) -> bool:
    """Bind a subscription to the present sign-in. False if this user has none: one of another user, who left this
    browser without signing out, is deleted."""
    found = PushSubscription.objects.filter(pk=digest_of(browser.endpoint))
    if found.filter(user=user).update(**browser._asdict(), **sign_in(user)):
        return True
    found.delete()
    return False


def remove(user: User, endpoint: str) -> None:
    """Delete a subscription of this user."""
    PushSubscription.objects.for_user(user.pk).filter(pk=digest_of(endpoint)).delete()


def sign_in(user: User) -> dict[str, Any]:
    """The sign-in that a subscription depends on, and its expiry."""
    until = timezone.now() + timedelta(seconds=settings.SESSION_COOKIE_AGE)
    return {"family": user.claims.family, "version": user.claims.version, "expires_at": until}


def unread() -> list[Unread]:
    """The ends of answers after the cursors of subscriptions, in order for each subscription."""
    alive = PushSubscription.objects.filter(expires_at__gt=timezone.now())
    lines = alive.filter(user__changes__kind=ENDED, user__changes__id__gt=F("told")).order_by("user__changes__id")
    names = (
        "digest",
        "user_id",
        "told",
        *(f"user__changes__{name}" for name in ("id", "conversation_id", "data", "at")),
    )
    found = [Unread(*row) for row in lines.values_list(*names)[:MOST_LINES]]
    return sorted(found, key=lambda line: (line.digest, line.place))


def move(moves: Iterable[Move]) -> set[str]:
    """Move cursors; returns the keys of those that no other process has moved first: only theirs are to be sent."""
    return {
        digest
        for digest, told, place in moves
        if PushSubscription.objects.filter(pk=digest, told=told).update(told=place)
    }


def browser_of(digest: str) -> Browser | None:
    """The browser of a subscription; None if it was deleted or its sign-in has ended."""
    found = PushSubscription.objects.filter(pk=digest).first()
    if found is None:
        return None
    claims = Claims(found.user_id, found.version, found.family, "")
    return None if tokens.ended([claims]) else Browser(found.endpoint, found.p256dh, found.auth)


def notice_of(line: Unread) -> Notice | None:
    """The notification of an answer: the chat's title and status, without any text of it. None if it was deleted."""
    chat = Conversation.objects.for_user(line.user_id).filter(pk=line.conversation).only("title").first()
    return None if chat is None else Notice(str(line.conversation), chat.title, line.status())


def forget(digest: str) -> None:
    """Delete a subscription."""
    PushSubscription.objects.filter(pk=digest).delete()


def count_failure(digest: str) -> None:
    """Count a message that the push service did not accept; delete the subscription after `MOST_FAILURES`."""
    PushSubscription.objects.filter(pk=digest).update(failures=F("failures") + 1)
    PushSubscription.objects.filter(pk=digest, failures__gte=MOST_FAILURES).delete()


def clear_failures(digest: str) -> None:
    """Reset the failures after a message was accepted."""
    PushSubscription.objects.filter(pk=digest, failures__gt=0).update(failures=0)
