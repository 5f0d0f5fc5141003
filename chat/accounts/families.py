"""Token families: which sign-ins have ended, and which refresh tokens were used.

A family is all pairs of tokens that descend from one sign-in (RFC 9700, 4.14.2). Its end is a row, which every process
sees at once: a blacklisted `OutstandingToken` of simplejwt with the id `family:<id>`. It is deleted when all tokens of
the family have expired.
"""

import hashlib

from django.utils import timezone
from rest_framework_simplejwt.settings import api_settings
from rest_framework_simplejwt.token_blacklist.models import BlacklistedToken, OutstandingToken

from chat.models import PushSubscription, User


def end(family: str) -> None:
    """End a sign-in: refuse all its tokens and tickets, in every process, and delete its push subscriptions."""
    spend(row_of(family), None)
    PushSubscription.objects.filter(family=family).delete()


def has_ended(family: str) -> bool:
    """Whether it was ended."""
    return BlacklistedToken.objects.filter(token__jti=row_of(family)).exists()


def spend(jti: str, user: User | None) -> bool:
    """Blacklist a token by its id; True for the first call only, as the unique row decides, also between processes."""
    expires_at = timezone.now() + api_settings.REFRESH_TOKEN_LIFETIME
    row, _ = OutstandingToken.objects.get_or_create(jti=jti, defaults={"user": user, "expires_at": expires_at})
    _, first = BlacklistedToken.objects.get_or_create(token=row)
    return first


def row_of(family: str) -> str:
    """The id of the row for the end of a family; ids of tokens are hexadecimal, without the prefix."""
    return f"family:{family}"


def of_session(session_key: str) -> str:
    """The family of all access tokens of a browser session; signing out of the page ends it."""
    return hashlib.sha256(session_key.encode()).hexdigest()[:32]
