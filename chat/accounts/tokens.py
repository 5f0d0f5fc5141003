"""Access and refresh tokens: who is asking, by a Bearer token.

    credential(request) -> str    an access token, or an API key (`keys.py`)
    token(raw) -> Claims          what a valid token says; signature, type, issuer, audience, expiry: no I/O
    holder(claims) -> User        one query: exists, active, token version unchanged, family not ended
    authenticate = all of it      the one authenticator of all API routes

    issue(user)      a pair: access (5 min) and refresh (7 d) of one new family
    rotate(refresh)  the next pair; a refresh token works once, a second use ends its whole family
    revoke(refresh)  sign out: the family's refresh and access tokens are refused from the next request on

A family is all the pairs that descend from one sign-in; `families.py` keeps that it has ended. A token is also refused
when its `tv` is not its user's `token_version`, which a new password raises.
"""

import re
import uuid
from collections.abc import Collection
from datetime import timedelta
from time import time
from typing import Any

from django.db import transaction
from django.http import HttpRequest
from rest_framework_simplejwt.settings import api_settings
from rest_framework_simplejwt.token_blacklist.models import BlacklistedToken, OutstandingToken
from rest_framework_simplejwt.tokens import AccessToken, Token

from chat.accounts import audit, families, keys
from chat.accounts.claims import BAD_TOKEN, LEEWAY, Claims, RefreshToken, claims_of, verified
from chat.log import Log
from chat.log.sql import DJANGO
from chat.models import User
from chat.protocol.errors import Unauthenticated

JWT = r"[\w-]{1,1024}\.[\w-]{1,4096}\.[\w-]{1,1024}"
BEARER = re.compile(rf"[Bb][Ee][Aa][Rr][Ee][Rr] +({JWT}|{keys.PATTERN})", re.ASCII)
KEY = re.compile(rf"({JWT}|{keys.PATTERN})", re.ASCII)

# Every request asks this, for what the API needs to know of a user: the rest is fetched where it is asked for.
# Written out, since to put the query set together takes four times as long as to run it.
HOLDER = f"""
SELECT holder.id, holder.is_guest, holder.network FROM {User._meta.db_table} holder
WHERE holder.id = %s AND holder.token_version = %s AND holder.is_active AND NOT EXISTS (
    SELECT 1 FROM {BlacklistedToken._meta.db_table} ended
    JOIN {OutstandingToken._meta.db_table} family ON family.id = ended.token_id WHERE family.jti = %s)
"""

ENDED = f"""
SELECT family.jti FROM {OutstandingToken._meta.db_table} family
JOIN {BlacklistedToken._meta.db_table} ended ON ended.token_id = family.id WHERE family.jti IN
"""

VERSIONS = f"SELECT id, token_version FROM {User._meta.db_table} WHERE is_active AND id IN"

NO_TOKEN = "Sign in first: send an access token in the header `Authorization: Bearer …`."  # noqa: S105 (a sentence)
BAD_REFRESH = "The refresh token is not valid, or not valid any more: sign in again."


def credential(request: HttpRequest, *, key_header: bool = False) -> str:
    """The request's access token or API key, as it looks like one.

    `key_header`: where there is no Authorization, Gemini's `x-goog-api-key` or `?key=` may carry it.

    A credential that is there but wrong never falls back to another one.
    """
    header, pattern = request.headers.get("Authorization"), BEARER
    if header is None and key_header:
        header, pattern = request.headers.get("x-goog-api-key") or request.GET.get("key"), KEY
    if header is None:
        raise Unauthenticated(NO_TOKEN)
    if not (found := pattern.fullmatch(header.strip())):
        raise Unauthenticated(BAD_TOKEN)
    return found[1]


def token(raw: str) -> Claims:
    """What an access token says."""
    claims, expires = verified(raw, api_settings.SIGNING_KEY)
    if time() >= expires + LEEWAY:
        raise Unauthenticated(BAD_TOKEN)
    return claims


async def holder(claims: Claims, log: Log) -> User:
    """The user whom the claims still speak for, by one query. A long stream asks again from time to time."""
    asked = (claims.user_id, claims.version, families.row_of(claims.family))
    found = await log.fetch(HOLDER, asked)
    if not found:
        raise Unauthenticated(BAD_TOKEN)
    number, is_guest, network = found[0]
    user = User.from_db("default", ("id", "is_guest", "network"), (number, bool(is_guest), network))
    user.claims = claims
    return user


def ended(claims: Collection[Claims]) -> set[Claims]:
    """Those that do not speak for anybody any more: `holder` for many, in two queries; 1 ms for a hundred."""
    marks = ",".join(["%s"] * len(claims))
    gone = {row[0] for row in DJANGO.query(f"{ENDED} ({marks})", [families.row_of(found.family) for found in claims])}
    versions = dict(DJANGO.query(f"{VERSIONS} ({marks})", [found.user_id for found in claims]))
    return {
        found
        for found in claims
        if versions.get(found.user_id) != found.version or families.row_of(found.family) in gone
    }


async def authenticate(request: HttpRequest, *, key_header: bool = False, needs: str = "") -> User:
    """The request's user by its token or API key, and by nothing else. Raises Unauthenticated with a sentence.

    `needs`: the scope without which an API key is refused; else by the method: to read, or to chat.
    """
    raw, log = credential(request, key_header=key_header), request.process.log  # type: ignore[attr-defined]
    if raw.startswith(keys.PREFIX):
        return await keys.holder(raw, needs or (keys.READ if request.method in ("GET", "HEAD") else keys.CHAT), log)
    return await holder(token(raw), log)


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


def rotate(refresh: str, address: str = "") -> dict[str, str]:
    """The next pair. Of several uses of one refresh token at most one gets a pair; a second use ends the family.

    That somebody has used a spent one, from whatever `address`, is written to the audit log.
    """
    claims = claims_of(RefreshToken, refresh, BAD_REFRESH)
    with transaction.atomic():
        user = User.objects.filter(pk=claims.user_id, token_version=claims.version, is_active=True).first()
        first_use = families.spend(claims.jti, user)
        if not first_use:
            families.end(claims.family)
            audit.record(audit.Action.REUSED, target=f"account {claims.user_id}", address=address)
        elif user and not families.has_ended(claims.family):
            return issue(user, claims.family)
    raise Unauthenticated(BAD_REFRESH)


def revoke(refresh: str) -> None:
    """Sign out: nothing of the token's family is accepted from now on. Unauthenticated when it is not ours."""
    claims = claims_of(RefreshToken, refresh, BAD_REFRESH)
    with transaction.atomic():
        families.end(claims.family)
