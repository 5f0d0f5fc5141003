"""What a signed token says about its holder, and that it says so rightly: no I/O."""

from dataclasses import dataclass
from functools import lru_cache

from rest_framework_simplejwt.exceptions import TokenError
from rest_framework_simplejwt.settings import api_settings
from rest_framework_simplejwt.tokens import AccessToken, Token

from chat.protocol.errors import Unauthenticated

MALFORMED = (TokenError, ValueError, TypeError, KeyError, AttributeError, ArithmeticError, OSError, RecursionError)
BAD_TOKEN = "The access token is not valid, or not valid any more: get a new one."


class RefreshToken(Token):
    """A refresh token without simplejwt's look-ups: whether it is spent or its family ended is `rotate`'s matter."""

    token_type = "refresh"
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
    return claims_in(kind, raw, refusal)[0]


def claims_in(kind: type[Token], raw: str, refusal: str) -> tuple[Claims, float]:
    """The same with the moment of the token's expiry, in seconds of the epoch."""
    try:
        payload = kind(raw).payload  # type: ignore[arg-type]
        expires, version, family, jti = float(payload["exp"]), payload["tv"], payload["fam"], payload["jti"]
        user_id = int(payload[api_settings.USER_ID_CLAIM])
    except MALFORMED:
        raise Unauthenticated(refusal) from None
    numbers = type(version) is int and 0 <= version < 2**31 and 0 < user_id < 2**63
    if not (numbers and type(family) is str and type(jti) is str) or payload.get("iss") != api_settings.ISSUER:
        raise Unauthenticated(refusal)
    return Claims(user_id, version, family, jti), expires


@lru_cache(maxsize=1024)
def verified(raw: str, key: str) -> tuple[Claims, float]:
    """`claims_in` an access token signed with `key`: verified once, however often it is sent."""
    return claims_in(AccessToken, raw, BAD_TOKEN)
