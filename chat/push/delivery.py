"""Sends one message to a browser's push service (RFC 8030), within bounds: what answers there may be anything."""

import enum
import logging
from collections.abc import Callable

import aiohttp
import msgspec

from chat.protocol.errors import InvalidArgument
from chat.push import endpoint
from chat.push.encryption import Recipient
from chat.push.keys import SiteKey

log = logging.getLogger(__name__)

SECONDS = 10.0
"""For a whole request. Nothing of an answer's body is read."""
KEPT_SECONDS = 12 * 3600
"""For which the push service keeps a message for a browser that is away: as long as a sign-in of the page lasts."""
GONE = {404, 410}


class Outcome(enum.Enum):
    """What became of a message. `GONE`: the browser does not want any more (RFC 8030, 7.3)."""

    SENT = "sent"
    GONE = "gone"
    FAILED = "failed"


class Notice(msgspec.Struct, frozen=True):
    """What the service worker is told (templates/chat/service_worker.js)."""

    conversation: str
    title: str
    status: str


def public_connector() -> aiohttp.BaseConnector:
    """Connections to public addresses only, none of them kept."""
    return aiohttp.TCPConnector(resolver=endpoint.PublicResolver(), force_close=True, use_dns_cache=False)


class PushService:
    """All push services, as this site reaches them: `connector` makes the connections, each request may take
    `seconds`."""

    def __init__(
        self,
        key: SiteKey,
        connector: Callable[[], aiohttp.BaseConnector] = public_connector,
        seconds: float = SECONDS,
    ) -> None:
        self._key = key
        self._seconds = seconds
        self._connector = connector
        self._session: aiohttp.ClientSession | None = None

    @property
    def public_key(self) -> str:
        """By which a browser knows this site."""
        return self._key.public

    async def send(self, address: str, p256dh: str, auth: str, notice: Notice) -> Outcome:
        """One message; a newer one of the same conversation takes its place while it waits there."""
        try:
            endpoint.check(address)
            body = Recipient(p256dh, auth).encrypt(msgspec.json.encode(notice))
        except (InvalidArgument, ValueError):
            return Outcome.GONE
        headers = {
            "Authorization": self._key.header(address),
            "Content-Encoding": "aes128gcm",
            "Content-Type": "application/octet-stream",
            "TTL": str(KEPT_SECONDS),
            "Topic": notice.conversation.replace("-", ""),
            "Urgency": "normal",
        }
        try:
            async with self._opened().post(address, data=body, headers=headers, allow_redirects=False) as answer:
                status = answer.status
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
            log.info("a push service was not reached: %s", type(error).__name__)
            return Outcome.FAILED
        if status not in GONE and not 200 <= status < 300:
            log.info("a push service answered %d", status)
        return Outcome.GONE if status in GONE else Outcome.SENT if 200 <= status < 300 else Outcome.FAILED

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=self._connector(),
                timeout=aiohttp.ClientTimeout(total=self._seconds),
                cookie_jar=aiohttp.DummyCookieJar(),
                trust_env=False,
            )
        return self._session

    async def close(self) -> None:
        """Let go of the connections; the next message opens them again."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()
