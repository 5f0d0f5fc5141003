"""What has ended: sign-ins, and refresh tokens that were used.

A family is all the pairs of tokens that descend from one sign-in (RFC 9700, 4.14.2). That it has ended is a row which
every process sees at once: a blacklisted `OutstandingToken` of simplejwt's named `family:<id>`, gone when its tokens
have expired anyway.
"""

import hashlib

from django.utils import timezone
from rest_framework_simplejwt.settings import api_settings
from rest_framework_simplejwt.token_blacklist.models import BlacklistedToken, OutstandingToken

from chat.models import PushSubscription, User


def end(family: str) -> None:
    """Refuse every token and ticket of the family, in every process, from its next request on; tell its browser of no
    answer any more."""
    spend(row_of(family), None)
    PushSubscription.objects.filter(family=family).delete()


def has_ended(family: str) -> bool:
    """Whether it was ended."""
    return BlacklistedToken.objects.filter(token__jti=row_of(family)).exists()


def spend(jti: str, user: User | None) -> bool:
    """Blacklist a token by its id; True for the one who was first, which the unique row decides, not a look before."""
    expires_at = timezone.now() + api_settings.REFRESH_TOKEN_LIFETIME
    row, _ = OutstandingToken.objects.get_or_create(jti=jti, defaults={"user": user, "expires_at": expires_at})
    _, first = BlacklistedToken.objects.get_or_create(token=row)
    return first


def row_of(family: str) -> str:
    """The name under which the end of a family is kept among the token ids, which are bare hexadecimal."""
    return f"family:{family}"


def of_session(session_key: str) -> str:
    """The family of all access tokens that one browser session gets: signing out of the page ends it."""
    return hashlib.sha256(session_key.encode()).hexdigest()[:32]
