"""`Claims`: the contents of a signed token, and its verification. No I/O."""

from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache

import jwt
from jwt.types import Options
from rest_framework_simplejwt.settings import api_settings
from rest_framework_simplejwt.tokens import AccessToken, Token

from chat.protocol.errors import Unauthenticated

MALFORMED = (jwt.PyJWTError, ValueError, TypeError, KeyError, AttributeError, ArithmeticError, RecursionError)
BAD_TOKEN = "The access token is invalid or has expired: get a new one."  # noqa: S105 (a sentence)

LEEWAY = float(
    api_settings.LEEWAY.total_seconds() if isinstance(api_settings.LEEWAY, timedelta) else api_settings.LEEWAY
)
"""Seconds by which clocks may differ."""

FOREVER = 1e11
"""An upper bound for `exp`, in the year 5138."""

OPTIONS: Options = {"verify_iat": False}
"""`iat` is not checked: after a clock was set back it lies in the future, and the token is valid all the same."""


class RefreshToken(Token):
    """A refresh token without simplejwt's queries: `tokens.rotate` checks whether it was used or its family ended."""

    token_type = "refresh"  # noqa: S105 (a kind)
    lifetime = api_settings.REFRESH_TOKEN_LIFETIME


@dataclass(frozen=True, slots=True)
class Claims:
    """The claims of a valid token. `family` is the sign-in that it descends from."""

    user_id: int
    version: int
    family: str
    jti: str


def claims_of(kind: type[Token], raw: str, refusal: str) -> Claims:
    """The claims of a valid token of this kind. Unauthenticated, with the sentence `refusal`, otherwise."""
    return claims_in(kind, raw, api_settings.SIGNING_KEY, refusal)[0]


def claims_in(kind: type[Token], raw: str, key: str, refusal: str) -> tuple[Claims, float]:
    """The same for a token signed with `key`, and its expiry in seconds since 1970."""
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
    """`claims_in` for an access token; cached, so that a token is verified once however often it is sent."""
    return claims_in(AccessToken, raw, key, BAD_TOKEN)
