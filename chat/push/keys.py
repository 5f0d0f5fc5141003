"""The site's key pair, by which push services know who sends (VAPID, RFC 8292)."""

import base64
import binascii
from time import time
from urllib.parse import urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

CURVE = ec.SECP256R1()
KEY_BYTES = 32
LIFETIME = 12 * 3600
"""Seconds for which the header holds: at most 24 hours (RFC 8292, 2)."""


class SiteKey:
    """`private` is its number in base64url, `contact` a mailto: or https: address of the operator.

    ValueError where `private` is no key.
    """

    def __init__(self, private: str, contact: str) -> None:
        number = decoded(private)
        if len(number) != KEY_BYTES:
            raise ValueError("a private key is 32 bytes in base64url")
        self._private = ec.derive_private_key(int.from_bytes(number, "big"), CURVE)
        self._contact = contact
        self.public = encoded(raw(self._private.public_key()))

    @classmethod
    def new(cls) -> str:
        """A private key that nobody has."""
        number = ec.generate_private_key(CURVE).private_numbers().private_value
        return encoded(number.to_bytes(KEY_BYTES, "big"))

    def header(self, endpoint: str) -> str:
        """`Authorization` for this push service: good for its origin only."""
        address = urlsplit(endpoint)
        claims = {"aud": f"{address.scheme}://{address.netloc}", "exp": int(time()) + LIFETIME, "sub": self._contact}
        return f"vapid t={jwt.encode(claims, self._private, algorithm='ES256')}, k={self.public}"


def raw(key: ec.EllipticCurvePublicKey) -> bytes:
    """A public key as 65 bytes: an uncompressed point."""
    return key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def encoded(data: bytes) -> str:
    """base64url without padding."""
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def decoded(text: str) -> bytes:
    """Its bytes; ValueError where it is no base64url."""
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except binascii.Error as wrong:
        raise ValueError(str(wrong)) from None
