"""A message that only one browser can read (RFC 8291): AES-128-GCM, by a key that both derive from a key agreement."""

import os

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from chat.push.keys import CURVE, decoded, raw

AUTH_BYTES = 16
RECORD_BYTES = 4096
"""What one record may have; a message is one record (RFC 8291, 4)."""
STEP = 256
"""Padded to a multiple of it, so that the push service does not learn the length of a title."""
END = b"\x02"


class Recipient:
    """A browser's public key and the secret that it shares, both in base64url. ValueError where they are none."""

    def __init__(self, p256dh: str, auth: str) -> None:
        self._auth = decoded(auth)
        if len(self._auth) != AUTH_BYTES:
            raise ValueError("the shared secret has 16 bytes")
        self._key = ec.EllipticCurvePublicKey.from_encoded_point(CURVE, decoded(p256dh))

    def encrypt(self, text: bytes, sender: ec.EllipticCurvePrivateKey | None = None, salt: bytes = b"") -> bytes:
        """The body of a message: header and one record (RFC 8188). Its key pair and salt are used for it alone."""
        padding = bytes(-(len(text) + len(END)) % STEP)
        return self._sealed(text + END + padding, sender or ec.generate_private_key(CURVE), salt or os.urandom(16))

    def _sealed(self, record: bytes, sender: ec.EllipticCurvePrivateKey, salt: bytes) -> bytes:
        own = raw(sender.public_key())
        shared = sender.exchange(ec.ECDH(), self._key)
        info = b"WebPush: info\0" + raw(self._key) + own
        secret = derived(shared, self._auth, info, 32)
        key = derived(secret, salt, b"Content-Encoding: aes128gcm\0", 16)
        nonce = derived(secret, salt, b"Content-Encoding: nonce\0", 12)
        header = salt + RECORD_BYTES.to_bytes(4, "big") + bytes([len(own)]) + own
        return header + AESGCM(key).encrypt(nonce, record, None)


def derived(secret: bytes, salt: bytes, info: bytes, length: int) -> bytes:
    """HKDF with SHA-256 (RFC 5869)."""
    return HKDF(SHA256(), length, salt, info).derive(secret)
