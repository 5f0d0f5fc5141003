"""What a signed token says about its holder, and that it says so rightly: no I/O."""

from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache

import jwt
from jwt.types import Options
from rest_framework_simplejwt.settings import api_settings
from rest_framework_simplejwt.tokens import AccessToken, Token

from chat.protocol.errors import Unauthenticated

MALFORMED = (jwt.PyJWTError, ValueError, TypeError, KeyError, AttributeError, ArithmeticError, RecursionError)
BAD_TOKEN = "The access token is not valid, or not valid any more: get a new one."  # noqa: S105 (a sentence)

LEEWAY = float(
    api_settings.LEEWAY.total_seconds() if isinstance(api_settings.LEEWAY, timedelta) else api_settings.LEEWAY
)
"""Seconds by which a clock may differ."""

FOREVER = 1e11
"""No token of ours expires after the year 5138."""

OPTIONS: Options = {"verify_iat": False}
"""When a token was issued says nothing about whether it holds: with a clock that was set back it lies in the future."""


class RefreshToken(Token):
    """A refresh token without simplejwt's look-ups: whether it is spent or its family ended is `rotate`'s matter."""

    token_type = "refresh"  # noqa: S105 (a kind)
    lifetime = api_settings.REFRESH_TOKEN_LIFETIME


@dataclass(frozen=True, slots=True)
class Claims:
    """What a valid token says about its holder. `family` is the sign-in it descends from."""

    user_id: int
    version: int
    family: str
    jti: str


def claims_of(kind: type[Token], raw: str, refusal: str) -> Claims:
    """The claims of a token of that kind. Unauthenticated with `refusal` for anything that is not exactly one."""
    return claims_in(kind, raw, api_settings.SIGNING_KEY, refusal)[0]


def claims_in(kind: type[Token], raw: str, key: str, refusal: str) -> tuple[Claims, float]:
    """The same with the moment of the token's expiry, in seconds of the epoch."""
    known = {"algorithms": [api_settings.ALGORITHM], "audience": api_settings.AUDIENCE, "issuer": api_settings.ISSUER}
    try:
        payload = jwt.decode(raw, key, leeway=LEEWAY, options=OPTIONS, **known)
        expires, version, family, jti = float(payload["exp"]), payload["tv"], payload["fam"], payload["jti"]
        user_id = int(payload[api_settings.USER_ID_CLAIM])
        right_kind = payload[api_settings.TOKEN_TYPE_CLAIM] == kind.token_type and int(payload.get("iat", 0)) >= 0
    except MALFORMED:
        raise Unauthenticated(refusal) from None
    numbers = type(version) is int and 0 <= version < 2**31 and 0 < user_id < 2**63
    if not (right_kind and numbers and expires < FOREVER and type(family) is str and type(jti) is str):
        raise Unauthenticated(refusal)
    return Claims(user_id, version, family, jti), expires


@lru_cache(maxsize=1024)
def verified(raw: str, key: str) -> tuple[Claims, float]:
    """`claims_in` an access token signed with `key`: verified once, however often it is sent."""
    return claims_in(AccessToken, raw, key, BAD_TOKEN)
