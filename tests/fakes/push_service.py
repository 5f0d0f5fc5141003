"""A browser that subscribes to Web Push, and a push service on this machine."""

import json
import ssl
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp.abc import AbstractResolver
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from chat.push.delivery import Notice, PushService
from chat.push.encryption import derived
from chat.push.keys import CURVE, SiteKey, encoded, raw
from tests.fakes.server import Reply, Request, Server
from tests.unit.providers.test_providers import self_signed

GOOD = encoded(bytes([1] * 32))
KEY = SiteKey(GOOD, "mailto:ops@example.com")
PLACE = "https://push.example.com/send/one"
NOTICE = Notice("0198c3b0-0000-7000-8000-000000000000", "A cat on a roof", "complete")


class Browser:
    """The receiving end: its subscription, and how it decrypts messages (RFC 8291, 3)."""

    def __init__(self, place: str = PLACE) -> None:
        self.key = ec.generate_private_key(CURVE)
        self.auth = b"sixteen bytes it"
        self.subscription = {
            "endpoint": place,
            "keys": {"p256dh": encoded(raw(self.key.public_key())), "auth": encoded(self.auth)},
        }

    def read(self, body: bytes) -> dict[str, Any]:
        salt, length = body[:16], body[20]
        sender = body[21 : 21 + length]
        shared = self.key.exchange(ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(CURVE, sender))
        info = b"WebPush: info\0" + raw(self.key.public_key()) + sender
        secret = derived(shared, self.auth, info, 32)
        nonce = derived(secret, salt, b"Content-Encoding: nonce\0", 12)
        key = derived(secret, salt, b"Content-Encoding: aes128gcm\0", 16)
        text = AESGCM(key).decrypt(nonce, body[21 + length :], None).rstrip(b"\0")
        assert text.endswith(b"\x02")
        return dict(json.loads(text[:-1]))


class Names(AbstractResolver):
    """Resolves every name to these addresses, on this port."""

    def __init__(self, host: str, port: int, *more: str) -> None:
        self._hosts, self._port = (host, *more), port

    async def resolve(self, host: str, port: int = 0, family: Any = 0) -> Any:
        return [
            {"hostname": host, "host": each, "port": self._port, "family": 2, "proto": 6, "flags": 0}
            for each in self._hosts
        ]

    async def close(self) -> None: ...


def keys_of(browser: Browser) -> dict[str, str]:
    return dict(browser.subscription["keys"])  # type: ignore[arg-type]


class FakePushService:
    """A push service on this machine, reached under any name. `status` is that of its responses; 0 never responds."""

    def __init__(self, folder: Path, status: int = 201) -> None:
        self.status = status
        self.headers: dict[str, str] = {}
        self.server = Server(self._play, self_signed(folder))

    async def _play(self, request: Request, reply: Reply) -> None:
        if self.status == 0:
            await reply.stall()
        await reply.whole(self.status, b"", **self.headers)

    def connector(self) -> aiohttp.BaseConnector:
        trusting = ssl.create_default_context()
        trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
        port = int(self.server.url.rpartition(":")[2])
        return aiohttp.TCPConnector(resolver=Names("127.0.0.1", port), ssl=trusting, force_close=True)

    def service(self, seconds: float = 60) -> PushService:
        return PushService(KEY, self.connector, seconds)
