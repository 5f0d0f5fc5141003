"""Access and refresh tokens, and the authentication of API requests by them.

    credential(request) -> str    an access token, or an API key (`keys.py`)
    token(raw) -> Claims          verifies signature, type, issuer, audience and expiry; no I/O
    holder(claims) -> User        one query: user exists, is active, has this token version, family has not ended
    authenticate(request)         all of it; used by all API routes

    issue(user)      a pair: access (5 min) and refresh (7 d) of a new family
    rotate(refresh)  the next pair; a refresh token works once, a second use ends its whole family
    revoke(refresh)  signs out: the family's refresh and access tokens are refused from the next request on

A family is all pairs that descend from one sign-in (`families.py`). A token is also refused if its `tv` is not its
user's `token_version`, which a new password raises.
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
from chat.models import User, known
from chat.protocol.errors import Unauthenticated

JWT = r"[\w-]{1,1024}\.[\w-]{1,4096}\.[\w-]{1,1024}"
BEARER = re.compile(rf"[Bb][Ee][Aa][Rr][Ee][Rr] +({JWT}|{keys.PATTERN})", re.ASCII)
KEY = re.compile(rf"({JWT}|{keys.PATTERN})", re.ASCII)

# Runs for every request, and selects only the fields that the API needs; Django fetches others at their first use.
# It is plain SQL because building the query set takes four times as long as running the query.
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
BAD_REFRESH = "The refresh token is invalid or has expired: sign in again."


def credential(request: HttpRequest, *, key_header: bool = False) -> str:
    """The request's access token or API key, checked for its form. Unauthenticated if it has none.

    With `key_header`, a request without Authorization may have it in Gemini's `x-goog-api-key` or `?key=`. A malformed
    credential is an error; no other one is tried.
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
    """The claims of an access token. Unauthenticated if it is not valid."""
    claims, expires = verified(raw, api_settings.SIGNING_KEY)
    if time() >= expires + LEEWAY:
        raise Unauthenticated(BAD_TOKEN)
    return claims


async def holder(claims: Claims, log: Log) -> User:
    """The user of valid claims, by one query; Unauthenticated if they were revoked. Streams repeat it periodically."""
    asked = (claims.user_id, claims.version, families.row_of(claims.family))
    found = await log.fetch(HOLDER, asked)
    if not found:
        raise Unauthenticated(BAD_TOKEN)
    number, is_guest, network = found[0]
    user = known(User, id=number, is_guest=bool(is_guest), network=network)
    user.claims = claims
    return user


def ended(claims: Collection[Claims]) -> set[Claims]:
    """The revoked ones of these claims: `holder` for many, with two queries; 1 ms for a hundred."""
    marks = ",".join(["%s"] * len(claims))
    gone = {row[0] for row in DJANGO.query(f"{ENDED} ({marks})", [families.row_of(found.family) for found in claims])}
    versions = dict(DJANGO.query(f"{VERSIONS} ({marks})", [found.user_id for found in claims]))
    return {
        found
        for found in claims
        if versions.get(found.user_id) != found.version or families.row_of(found.family) in gone
    }


async def authenticate(request: HttpRequest, *, key_header: bool = False, needs: str = "") -> User:
    """The user of the request's token or API key; no cookie is accepted. Raises Unauthenticated.

    `needs` is the scope that an API key must have; by default to read for GET and HEAD, to chat for other methods.
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
    """An access token without a refresh token, for the page and for `manage.py`. No I/O."""
    access = signed(AccessToken(), user, family or uuid.uuid4().hex)
    access.set_exp(lifetime=timedelta(minutes=minutes))
    return str(access)


def signed(blank: Token, user: User, family: str) -> Any:
    """The token, with the claims that all tokens of this site have."""
    blank[api_settings.USER_ID_CLAIM] = str(user.pk)
    blank["tv"] = user.token_version
    blank["fam"] = family
    return blank


def rotate(refresh: str, address: str = "") -> dict[str, str]:
    """The next pair. A refresh token gets a pair only once, also if it is used concurrently; a second use ends the
    family and is recorded in the audit log with its `address`.
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
    """Sign out: refuse all tokens of the token's family from now on. Unauthenticated if it is not valid."""
    claims = claims_of(RefreshToken, refresh, BAD_REFRESH)
    with transaction.atomic():
        families.end(claims.family)
