"""How much one person or address may ask for: rates by the `limits` library, concurrency by counting rows.

    await spend("chat", user=…, ip=…)     one request off every rate of that name, or ResourceExhausted
    check_streams(user_id)                inside the transaction that starts a stream, or ResourceExhausted

Each rate is a moving window, exact to the second: `retry_after` is when one more request will be accepted. With
REDIS_URL the windows are shared by all processes (one Lua call each); without, and while Redis does not answer, each
process counts by itself: a limiter that is down must neither lock everybody out nor let everybody in.
"""

import ipaddress
import logging
import math
import time
from dataclasses import dataclass
from functools import cache, lru_cache
from types import SimpleNamespace
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from limits import RateLimitItemPerSecond
from limits.aio.storage import RedisStorage
from limits.aio.strategies import MovingWindowRateLimiter as SharedWindows
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter as OwnWindows
from redis.asyncio import ConnectionPool
from redis.exceptions import RedisError

from chat.log.sql import DIALECT, DJANGO, Database
from chat.models import Stream, User
from chat.protocol import events
from chat.protocol.errors import ResourceExhausted, Unavailable

REDIS_TIMEOUT = 0.25
AWAY_SECONDS = 2  # how long Redis is left alone after it did not answer: not every request waits for it

log = logging.getLogger(__name__)
_redis = SimpleNamespace(away_until=0.0)


@dataclass(frozen=True, slots=True)
class Rate:
    """`WONDERCAM_LIMIT_<setting>` requests in `window` seconds for each `subject` ("user", "account" or "ip")."""

    setting: str
    subject: str
    window: int
    sentence: str


RATES: dict[str, tuple[Rate, ...]] = {
    "login": (
        Rate("LOGIN_ACCOUNT", "account", 180, "Too many tries to sign in to this account."),
        Rate("LOGIN_IP", "ip", 60, "Too many tries to sign in from your address."),
    ),
    "chat": (
        Rate("CHAT_BURST", "user", 1, "These questions come too fast."),
        Rate("CHAT_USER", "user", 60, "You have asked as much as one minute allows."),
        Rate("CHAT_IP", "ip", 60, "Too many questions come from your address."),
    ),
    "guest": (
        Rate("GUEST_IP", "ip", 60, "Too many guests come from your address."),
        Rate("GUEST_IP_DAY", "ip", 86_400, "Too many guests came from your address today."),
    ),
    "probe": (Rate("PROBE_IP", "ip", 60, "Too many probes come from your address."),),
    "signup": (Rate("SIGNUP_IP", "ip", 60, "Too many accounts are made from your address."),),
    "upload": (
        Rate("UPLOAD_USER", "user", 60, "You have sent as many photos as one minute allows."),
        Rate("UPLOAD_USER_DAY", "user", 86_400, "You have sent as many photos as one day allows."),
    ),
}


class RateExceeded(ResourceExhausted):
    """429 with what the RateLimit fields of draft-ietf-httpapi-ratelimit-headers say about it."""

    def __init__(self, rate: Rate, quota: int, wait: int) -> None:
        super().__init__(f"{rate.sentence} Try again in {wait} s.", retry_after=wait)
        name = rate.setting.lower().replace("_", "-")
        self.headers = {
            "RateLimit-Policy": f'"{name}";q={quota};w={rate.window}',
            "RateLimit": f'"{name}";r=0;t={wait}',
        }


async def spend(name: str, *, user: Any = None, ip: str = "", account: str = "") -> None:
    """Take one request off the rates called `name`. Raises ResourceExhausted with the exact `retry_after` in seconds.

    A request over one rate is still counted by the rates before it in the list: the shortest window comes first.
    """
    if settings.LIMITS_OFF:
        return
    subjects = {"user": str(user or ""), "ip": ip, "account": account.casefold()[:256]}
    for rate in RATES[name]:
        if subject := subjects[rate.subject]:
            await take(rate, f"{rate.setting.lower()}:{subject}")


async def take(rate: Rate, key: str) -> None:
    """One request off one rate: in Redis, or in this process when there is none or it does not answer."""
    quota = of(rate.setting)
    item = RateLimitItemPerSecond(quota, rate.window, namespace="wondercam")
    if settings.REDIS_URL and time.monotonic() >= _redis.away_until:
        try:
            windows = shared(settings.REDIS_URL)
            if not await windows.hit(item, key):
                raise RateExceeded(rate, quota, seconds_until((await windows.get_window_stats(item, key)).reset_time))
            return
        except (OSError, RedisError) as gone:
            _redis.away_until = time.monotonic() + AWAY_SECONDS
            log.warning("Redis does not answer (%s): counting in this process", type(gone).__name__)
    if not own().hit(item, key):
        raise RateExceeded(rate, quota, seconds_until(own().get_window_stats(item, key).reset_time))


def of(name: str) -> int:
    """One limit: `WONDERCAM_LIMIT_<name>`, or its default."""
    return int(settings.LIMITS[name])


def seconds_until(moment: float) -> int:
    """Whole seconds from now, rounded up: waiting that long is always enough."""
    return max(1, math.ceil(moment - time.time()))


@cache
def own() -> OwnWindows:
    """This process's windows. Memory only: nothing here waits."""
    return OwnWindows(MemoryStorage())


@cache
def shared(url: str) -> SharedWindows:
    """The windows in Redis."""
    return SharedWindows(RedisStorage(f"async+{url}", implementation="redispy", connection_pool=pool(url)))  # type: ignore[arg-type]


@cache
def pool(url: str) -> ConnectionPool:
    """Connections that give up soon: a request waits for Redis, and all of them for the loop."""
    return ConnectionPool.from_url(url, socket_timeout=REDIS_TIMEOUT, socket_connect_timeout=REDIS_TIMEOUT)


async def close() -> None:
    """Forget what this process has counted, and leave Redis: the server's last act, and each test's."""
    if settings.REDIS_URL:
        await pool(settings.REDIS_URL).disconnect()
    for kept in (own, shared, pool):
        kept.cache_clear()
    _redis.away_until = 0.0


def address(request: HttpRequest) -> str:
    """Whom an address limit counts: the IPv4 address, or the /64 that one IPv6 customer has. "" on a unix socket.

    It is the connection's address. X-Forwarded-For is not looked at: the server puts the client's address here when
    it is told to stand behind a proxy, and otherwise a client could choose its own.
    """
    return subject_of(request.META.get("REMOTE_ADDR") or "")


@lru_cache(maxsize=4096)
def subject_of(text: str) -> str:
    """`address`, of the connection's address; kept, since to read one takes a dozen calls."""
    try:
        found = ipaddress.ip_address(text)
    except ValueError:
        return ""
    if isinstance(found, ipaddress.IPv6Address):
        return str(found.ipv4_mapped or ipaddress.ip_network((found, 64), strict=False))
    return str(found)


RUNNING_STREAMS = f"""
SELECT COALESCE(SUM(CASE WHEN user_id = %s THEN 1 ELSE 0 END), 0), COUNT(*) FROM {Stream._meta.db_table}
WHERE status = %s
"""


def check_streams(user_id: int, database: Database = DJANGO) -> None:
    """Refuse one more running stream of this user, or of the whole site: called where the stream's row is written.

    Inside that row's transaction count and insert are one step: on SQLite it holds the one write lock, elsewhere it
    takes the user's row. A row that another worker holds just now is not waited for: many users' turns begin in one
    transaction, and two workers that wait for each other's users would wait for ever.
    """
    if settings.LIMITS_OFF:
        return
    if DIALECT.features.has_select_for_update_skip_locked:  # not `connection`: on the loop that leaves a circle a task
        row = User.objects.select_for_update(skip_locked=True, no_key=True).filter(pk=user_id)
        if not list(row.values_list("pk")):
            raise ResourceExhausted("Another answer of yours begins at this moment: try again.", retry_after=1)
    own, all_of_them = database.query(RUNNING_STREAMS, (user_id, events.RUNNING))[0]
    if own >= of("STREAMS_USER"):
        raise ResourceExhausted("Another answer is still being written: wait for it, or stop it.", retry_after=2)
    if all_of_them >= of("STREAMS"):
        raise Unavailable("Too many answers are being written just now: try again soon.", retry_after=2)
