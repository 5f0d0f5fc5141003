"""The rows of subscriptions. Those that write are jobs of `Log.write`."""

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
"""Of one user; the oldest goes."""
MOST_FAILURES = 5
"""After which, one after the other, a browser is given up."""
MOST_LINES = 1000
"""Looked at in one go."""


class Browser(NamedTuple):
    """What a browser says of itself."""

    endpoint: str
    p256dh: str
    auth: str


class Unread(NamedTuple):
    """One answer's end that a subscription's place lies before."""

    digest: str
    user_id: int
    told: int
    place: int
    conversation: Any
    data: str
    at: datetime

    def is_to_be_told(self) -> bool:
        """Whether nobody has read the answer to its end, and nobody has stopped it."""
        found = events.decode(self.data)
        return not found.get("read") and found["status"] != events.STOPPED

    def status(self) -> str:
        """How it ended."""
        return str(events.decode(self.data)["status"])


class Move(NamedTuple):
    """A subscription's place, as it is believed to be and as it shall be."""

    digest: str
    told: int
    place: int


def digest_of(endpoint: str) -> str:
    """By what a subscription is found."""
    return hashlib.sha256(endpoint.encode()).hexdigest()


def keep(user: User, browser: Browser) -> None:
    """Tell this browser from now on, whoever it was told for before."""
    newest = Change.objects.filter(user=user).aggregate(newest=Max("id"))["newest"] or 0
    fields = {**browser._asdict(), **sign_in(user), "user": user, "told": newest, "failures": 0}
    PushSubscription.objects.update_or_create(digest=digest_of(browser.endpoint), defaults=fields)
    others = PushSubscription.objects.for_user(user.pk).order_by("-created_at").values_list("pk", flat=True)
    PushSubscription.objects.filter(pk__in=list(others[MOST_BROWSERS:])).delete()


def renew(user: User, browser: Browser) -> bool:
    """Tell it for as long as the newest sign-in holds. False where it is not told for this user: then it was told for
    another one, who has left this browser without signing out, and is told no more."""
    found = PushSubscription.objects.filter(pk=digest_of(browser.endpoint))
    if found.filter(user=user).update(**browser._asdict(), **sign_in(user)):
        return True
    found.delete()
    return False


def remove(user: User, endpoint: str) -> None:
    """Tell it no more."""
    PushSubscription.objects.for_user(user.pk).filter(pk=digest_of(endpoint)).delete()


def sign_in(user: User) -> dict[str, Any]:
    """By what right it is told, and until when."""
    until = timezone.now() + timedelta(seconds=settings.SESSION_COOKIE_AGE)
    return {"family": user.claims.family, "version": user.claims.version, "expires_at": until}


def unread() -> list[Unread]:
    """The ends of answers that subscriptions have not been told of, those of one subscription in their order."""
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
    """Move places on; the digests of those that nobody else has moved before: theirs is what is to be sent."""
    return {
        digest
        for digest, told, place in moves
        if PushSubscription.objects.filter(pk=digest, told=told).update(told=place)
    }


def browser_of(digest: str) -> Browser | None:
    """Where to send, as long as the sign-in holds; None where it has ended."""
    found = PushSubscription.objects.filter(pk=digest).first()
    if found is None:
        return None
    claims = Claims(found.user_id, found.version, found.family, "")
    return None if tokens.ended([claims]) else Browser(found.endpoint, found.p256dh, found.auth)


def notice_of(line: Unread) -> Notice | None:
    """What is said of an answer: the chat's title and how it ended, never a word of it. None where it was deleted."""
    chat = Conversation.objects.for_user(line.user_id).filter(pk=line.conversation).only("title").first()
    return None if chat is None else Notice(str(line.conversation), chat.title, line.status())


def forget(digest: str) -> None:
    """A browser that is told no more."""
    PushSubscription.objects.filter(pk=digest).delete()


def count_failure(digest: str) -> None:
    """One more message that did not reach the push service."""
    PushSubscription.objects.filter(pk=digest).update(failures=F("failures") + 1)
    PushSubscription.objects.filter(pk=digest, failures__gte=MOST_FAILURES).delete()


def clear_failures(digest: str) -> None:
    """It was reached."""
    PushSubscription.objects.filter(pk=digest, failures__gt=0).update(failures=0)
