"""Who is asking: a Bearer token for the API, a ticket for a native EventSource, a session for the page.

    token(request) -> Claims      what a valid token says; signature, type, issuer, audience, expiry: no I/O
    holder(claims) -> User        one query: exists, active, token version unchanged, family not signed out
    authenticate = both           the one authenticator of all API routes

    issue(user)      a pair: access (5 min) and refresh (7 d) of one new family
    rotate(refresh)  the next pair; a refresh token works once, a second use ends its whole family
    revoke(refresh)  sign out: the family's refresh and access tokens are refused from the next request on

A family is all the pairs that descend from one sign-in (RFC 9700, 4.14.2). That it has ended is a row which every
process sees at once: a blacklisted `OutstandingToken` named `family:<id>`, gone when its tokens have expired anyway.
A token is also refused when its `tv` is not its user's `token_version`, which a new password raises.
"""

import asyncio
import hashlib
import re
import secrets
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from time import time
from typing import Any
from urllib.parse import urlsplit

from asgiref.sync import sync_to_async
from django.conf import settings
from django.contrib.auth import aget_user
from django.contrib.auth.hashers import check_password
from django.contrib.auth.signals import user_logged_out
from django.db import transaction
from django.db.models import F
from django.db.models.signals import pre_save
from django.dispatch import receiver
from django.http import HttpRequest
from django.utils import timezone
from django.utils.module_loading import import_string
from rest_framework_simplejwt.settings import api_settings
from rest_framework_simplejwt.token_blacklist.models import BlacklistedToken, OutstandingToken
from rest_framework_simplejwt.tokens import AccessToken, Token

from chat.accounts.claims import BAD_TOKEN, Claims, RefreshToken, claims_of, verified
from chat.log import sqlite_commit
from chat.log.sql import DJANGO
from chat.models import Ticket, User
from chat.protocol.errors import Unauthenticated

TICKET_SECONDS = 30
LEEWAY = float(
    api_settings.LEEWAY.total_seconds() if isinstance(api_settings.LEEWAY, timedelta) else api_settings.LEEWAY
)
LONGEST_PASSWORD = 256
HASHING = ThreadPoolExecutor(2, "password")  # Argon2 takes 50 ms and 100 MB a try: off the loop, and two at a time
JWT = r"[\w-]{1,1024}\.[\w-]{1,4096}\.[\w-]{1,1024}"
BEARER = re.compile(rf"bearer +({JWT})", re.ASCII | re.IGNORECASE)
KEY = re.compile(rf"({JWT})", re.ASCII)

# Every request asks this, for what the API needs to know of a user: the rest is fetched where it is asked for.
# Written out, since to put the query set together takes four times as long as to run it.
HOLDER = f"""
SELECT holder.id, holder.is_guest FROM {User._meta.db_table} holder
WHERE holder.id = %s AND holder.token_version = %s AND holder.is_active AND NOT EXISTS (
    SELECT 1 FROM {BlacklistedToken._meta.db_table} ended
    JOIN {OutstandingToken._meta.db_table} family ON family.id = ended.token_id WHERE family.jti = %s)
"""

NO_TOKEN = "Sign in first: send an access token in the header `Authorization: Bearer …`."
BAD_REFRESH = "The refresh token is not valid, or not valid any more: sign in again."
BAD_TICKET = "The ticket is unknown, expired or already used: get a new one from /v2/tickets."


def token(request: HttpRequest, *, key_header: bool = False) -> Claims:
    """The request's access token. `key_header`: Gemini's `x-goog-api-key` may carry it where there is no Authorization.

    A credential that is there but wrong never falls back to another one.
    """
    header, pattern = request.headers.get("Authorization"), BEARER
    if header is None and key_header:
        header, pattern = request.headers.get("x-goog-api-key"), KEY
    if header is None:
        raise Unauthenticated(NO_TOKEN)
    if not (found := pattern.fullmatch(header.strip())):
        raise Unauthenticated(BAD_TOKEN)
    claims, expires = verified(found[1], api_settings.SIGNING_KEY)
    if time() >= expires + LEEWAY:
        raise Unauthenticated(BAD_TOKEN)
    return claims


async def holder(claims: Claims) -> User:
    """The user whom the claims still speak for, by one query. A long stream asks again from time to time."""
    asked = (claims.user_id, claims.version, family_row(claims.family))
    found = sqlite_commit.find(HOLDER, asked)
    if found is None:
        found = await sync_to_async(DJANGO.query)(HOLDER, asked)
    if not found:
        raise Unauthenticated(BAD_TOKEN)
    number, is_guest = found[0]
    return User.from_db("default", ("id", "is_guest"), (number, bool(is_guest)))


async def authenticate(request: HttpRequest, *, key_header: bool = False) -> User:
    """The request's user by its token, and by nothing else. Raises Unauthenticated with a sentence."""
    claims = token(request, key_header=key_header)
    request.claims = claims  # type: ignore[attr-defined]  # what a long stream asks `holder` about again
    return await holder(claims)


async def by_password(username: str, password: str) -> User | None:
    """The active user with that name and password. An unknown name takes as long as a wrong password."""
    if len(password) > LONGEST_PASSWORD:
        return None
    user = await User.objects.filter(username=username, is_active=True).afirst()
    kept = user.password if user else "!"
    right = await asyncio.get_running_loop().run_in_executor(HASHING, check_password, password, kept)
    return user if right else None


def issue(user: User, family: str = "") -> dict[str, str]:
    """`{"access", "refresh"}`: the first pair of a new family, or the next one of `family`. Writes one row."""
    family = family or uuid.uuid4().hex
    refresh = signed(RefreshToken(), user, family)
    OutstandingToken.objects.create(
        user=user,
        jti=refresh["jti"],
        token="",
        created_at=refresh.current_time,
        expires_at=refresh.current_time + api_settings.REFRESH_TOKEN_LIFETIME,
    )
    return {"access": str(signed(AccessToken(), user, family)), "refresh": str(refresh)}


def access_for(user: User, minutes: int = 5, family: str = "") -> str:
    """One access token without a refresh token: for the page, for `manage.py`. No I/O."""
    access = signed(AccessToken(), user, family or uuid.uuid4().hex)
    access.set_exp(lifetime=timedelta(minutes=minutes))
    return str(access)


def signed(blank: Token, user: User, family: str) -> Any:
    """A new token with the claims that all of ours have."""
    blank[api_settings.USER_ID_CLAIM] = str(user.pk)
    blank["tv"] = user.token_version
    blank["fam"] = family
    return blank


def rotate(refresh: str) -> dict[str, str]:
    """The next pair. Of several uses of one refresh token at most one gets a pair; a second use ends the family."""
    claims = claims_of(RefreshToken, refresh, BAD_REFRESH)
    with transaction.atomic():
        user = User.objects.filter(pk=claims.user_id, token_version=claims.version, is_active=True).first()
        first_use = spend(claims.jti, user)
        if not first_use:
            end_family(claims.family)
        elif user and not is_blacklisted(family_row(claims.family)):
            return issue(user, claims.family)
    raise Unauthenticated(BAD_REFRESH)


def revoke(refresh: str) -> None:
    """Sign out: nothing of the token's family is accepted from now on. Unauthenticated when it is not ours."""
    claims = claims_of(RefreshToken, refresh, BAD_REFRESH)
    with transaction.atomic():
        end_family(claims.family)


def end_family(family: str) -> None:
    """Refuse every token of the family, in every process, from its next request on."""
    spend(family_row(family), None)


def spend(jti: str, user: User | None) -> bool:
    """Blacklist a token by its id; True for the one who was first, which the unique row decides, not a look before."""
    expires_at = timezone.now() + api_settings.REFRESH_TOKEN_LIFETIME
    row, _ = OutstandingToken.objects.get_or_create(jti=jti, defaults={"user": user, "expires_at": expires_at})
    _, first = BlacklistedToken.objects.get_or_create(token=row)
    return first


def is_blacklisted(jti: str) -> bool:
    """Whether a token or family of that id was refused for good."""
    return BlacklistedToken.objects.filter(token__jti=jti).exists()


def family_row(family: str) -> str:
    """The name under which the end of a family is kept among the token ids, which are bare hexadecimal."""
    return f"family:{family}"


def session_family(session_key: str) -> str:
    """The family of all access tokens that one browser session gets: signing out of the page ends it."""
    return hashlib.sha256(session_key.encode()).hexdigest()[:32]


async def session_user(request: HttpRequest) -> User:
    """The page's user by the session cookie: only to read one's own stream, only from one's own page.

    Reads the session without the session middleware, so that a stream costs no thread. Raises Unauthenticated.
    """
    key = request.COOKIES.get(settings.SESSION_COOKIE_NAME)
    if not key or not from_own_page(request):
        raise Unauthenticated(NO_TOKEN)
    request.session = import_string(f"{settings.SESSION_ENGINE}.SessionStore")(session_key=key)
    user = await aget_user(request)
    if not isinstance(user, User) or not user.is_active:
        raise Unauthenticated(NO_TOKEN)
    return user


def from_own_page(request: HttpRequest) -> bool:
    """Whether the browser says that this origin asks. What says nothing is no browser of today, or no browser."""
    site = request.headers.get("Sec-Fetch-Site")
    origin = request.headers.get("Origin")
    return site in (None, "same-origin") and (origin is None or urlsplit(origin).netloc == request.get_host())


async def open_ticket(user: User) -> str:
    """A new ticket of 128 random bits: it starts one stream within 30 s. Only its digest is kept."""
    now = timezone.now()
    await Ticket.objects.filter(user=user, stream=None, expires_at__lt=now).adelete()
    raw = secrets.token_urlsafe(16)
    await Ticket.objects.acreate(digest=digest(raw), user=user, expires_at=now + timedelta(seconds=TICKET_SECONDS))
    return raw


async def ticket_for(raw: str) -> Ticket:
    """The ticket, with its user: unexpired, or bound to the stream it started. Raises Unauthenticated."""
    ticket = await Ticket.objects.select_related("user").filter(digest=digest(raw), user__is_active=True).afirst()
    if ticket is None or (ticket.stream_id is None and ticket.expires_at <= timezone.now()):
        raise Unauthenticated(BAD_TICKET)
    return ticket


def bind(ticket: Ticket, stream_id: uuid.UUID) -> None:
    """Tie a ticket to the stream it starts, in that stream's transaction; Unauthenticated for all but the first."""
    free = Ticket.objects.filter(pk=ticket.pk, stream=None, expires_at__gt=timezone.now())
    if not free.update(stream_id=stream_id):
        raise Unauthenticated(BAD_TICKET)


def digest(raw: str) -> str:
    """SHA-256 in hex: what is kept of a ticket."""
    return hashlib.sha256(raw.encode(errors="replace")).hexdigest()


def end_all(user_id: int) -> None:
    """Refuse every token and ticket given to that user so far."""
    User.objects.filter(pk=user_id).update(token_version=F("token_version") + 1)
    Ticket.objects.filter(user_id=user_id).delete()


@receiver(pre_save, sender=User)
def end_all_on_change(sender: type[User], instance: User, update_fields: frozenset[str] | None, **_: Any) -> None:
    """A new password, and being disabled, end every token given out before. A mere upgrade of the hash does not."""
    if instance._state.adding or (update_fields is not None and not {"password", "is_active"} & update_fields):
        return
    rehashed = update_fields == frozenset({"password"}) and instance._password is None  # type: ignore[attr-defined]
    before = User.objects.filter(pk=instance.pk).values("password", "is_active", "token_version").first()
    if before is None or rehashed:
        return
    if before["password"] != instance.password or (before["is_active"] and not instance.is_active):
        end_all(instance.pk)
        instance.token_version = before["token_version"] + 1


@receiver(user_logged_out)
def end_session_family(sender: Any, request: HttpRequest, **_: Any) -> None:
    """Signing out of the page ends the access tokens that the page was given."""
    if key := request.session.session_key:
        end_family(session_family(key))
