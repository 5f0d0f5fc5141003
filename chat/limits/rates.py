"""How often: rates, shared by all processes in Redis by the `limits` library, else counted in this one.

Each rate is a moving window, exact to the second: `retry_after` is when one more request will be accepted. Without
Redis, and while it does not answer, each process counts by itself: a limiter that is down must neither lock everybody
out nor let everybody in.
"""

import hashlib
import logging
import math
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from types import SimpleNamespace
from typing import Any, NamedTuple

from django.conf import settings
from limits import RateLimitItemPerSecond
from limits.aio.storage import RedisStorage
from limits.aio.strategies import MovingWindowRateLimiter as SharedWindows
from redis.asyncio import ConnectionPool
from redis.exceptions import RedisError

from chat.limits.addresses import blocks_of, customer_of
from chat.limits.windows import Windows
from chat.models import User
from chat.protocol.errors import ResourceExhausted

REDIS_TIMEOUT = 0.25
AWAY_SECONDS = 2  # how long Redis is left alone after it did not answer: not every request waits for it

log = logging.getLogger(__name__)
_redis = SimpleNamespace(away_until=0.0)


@dataclass(frozen=True, slots=True)
class Rate:
    """`WONDERCAM_LIMIT_<setting>` requests in `window` seconds for each `subject`, which is one of

    user       a person
    customer   an address: IPv4, or an IPv6 /56
    blocks     an address, and what is around it with larger quotas: IPv4 and its /24; IPv6 /64, /56 and /48
    account    a user name as it is looked up, from one customer; so nobody keeps others out of their account
    name       a user name as it is looked up, wherever from
    site       everybody
    """

    setting: str
    subject: str
    window: int
    sentence: str


RATES: dict[str, tuple[Rate, ...]] = {
    "login": (
        Rate("LOGIN_IP", "blocks", 60, "Too many tries to sign in from your address."),
        Rate("LOGIN_ACCOUNT", "account", 180, "Too many tries to sign in to this account."),
        Rate("LOGIN_NAME", "name", 180, "Too many tries to sign in to this account, from many addresses."),
    ),
    "chat": (
        Rate("CHAT_BURST", "user", 1, "These questions come too fast."),
        Rate("CHAT_USER", "user", 60, "You have asked as much as one minute allows."),
        Rate("CHAT_IP", "customer", 60, "Too many questions come from your address."),
    ),
    "guest": (
        Rate("GUEST_IP", "blocks", 60, "Too many guests come from your address."),
        Rate("GUEST_IP_DAY", "blocks", 86_400, "Too many guests came from your address today."),
        Rate("GUESTS", "site", 60, "Too many guests come at this moment."),
    ),
    "probe": (Rate("PROBE_IP", "blocks", 60, "Too many probes come from your address."),),
    "signup": (Rate("SIGNUP_IP", "blocks", 60, "Too many accounts are made from your address."),),
    "reset": (
        Rate("RESET_IP", "blocks", 3600, "Too many links for new passwords were asked for from your address."),
        Rate("RESET_NAME", "name", 3600, "Too many links for new passwords were asked for this address."),
    ),
    "key": (Rate("KEYS_HOUR", "user", 3600, "You have made as many API keys as one hour allows."),),
    "ticket": (Rate("TICKET_USER", "user", 60, "You have asked for as many tickets as one minute allows."),),
    "upload": (
        Rate("UPLOAD_USER", "user", 60, "You have sent as many photos or sounds as one minute allows."),
        Rate("UPLOAD_USER_DAY", "user", 86_400, "You have sent as many photos or sounds as one day allows."),
    ),
}


class Quota(NamedTuple):
    """How much one subject may of one rate; `key` names both."""

    rate: Rate
    key: str
    amount: int


class RateExceeded(ResourceExhausted):
    """429 with what the RateLimit fields of draft-ietf-httpapi-ratelimit-headers say about it."""

    def __init__(self, rate: Rate, quota: int, wait: int) -> None:
        super().__init__(f"{rate.sentence} Try again in {wait} s.", retry_after=wait)
        name = rate.setting.lower().replace("_", "-")
        self.headers = {
            "RateLimit-Policy": f'"{name}";q={quota};w={rate.window}',
            "RateLimit": f'"{name}";r=0;t={wait}',
        }


async def spend(name: str, *, user: Any = None, ip: str = "", account: str = "", cost: int = 1) -> None:
    """Take `cost` requests off the rates called `name`, all or none. `ip` is an `address`, `account` a user name.

    Raises ResourceExhausted with the exact `retry_after` in seconds. What is refused is not counted anywhere.
    """
    if settings.LIMITS_OFF:
        return
    quotas = list(quotas_of(name, str(user or ""), ip, account))
    if settings.REDIS_URL and time.monotonic() >= _redis.away_until:
        try:
            return await take_shared(shared(settings.REDIS_URL), quotas, cost)
        except (OSError, RedisError) as gone:
            _redis.away_until = time.monotonic() + AWAY_SECONDS
            log.warning("Redis does not answer (%s): counting in this process", type(gone).__name__)
    take_here(own(), quotas, cost)


def quotas_of(name: str, user: str, ip: str, account: str) -> Iterator[Quota]:
    """The rates of that name with whom each counts; none for a subject that is not known."""
    for rate in RATES[name]:
        amount = of(rate.setting)
        for subject, factor in subjects_of(rate.subject, user, ip, account):
            yield Quota(rate, f"{rate.setting.lower()}:{subject}", amount * factor)


def subjects_of(kind: str, user: str, ip: str, account: str) -> tuple[tuple[str, int], ...]:
    """Whom a rate counts, and by what its quota is multiplied."""
    if kind == "user":
        return ((user, 1),) if user else ()
    if kind == "customer":
        return ((customer_of(ip), 1),) if ip else ()
    if kind == "blocks":
        return blocks_of(ip)
    if kind == "site":
        return (("all", 1),)
    name = name_digest(account) if account else ""
    return ((f"{name}@{customer_of(ip)}" if kind == "account" else name, 1),) if name else ()


def name_digest(account: str) -> str:
    """A user name as a form would look it up, and short: whoever tries may send names of any length."""
    looked_up = User.normalize_username(account.strip()).strip().casefold()
    return hashlib.blake2b(looked_up.encode(errors="replace"), digest_size=12).hexdigest()


def is_first(subject: str, seconds: int) -> bool:
    """Whether nobody has asked for this subject in this process for so many seconds."""
    if own().wait(subject, 1, seconds):
        return False
    own().take(subject, seconds)
    return True


def take_here(windows: Windows, quotas: list[Quota], cost: int) -> None:
    """Take off the windows of this process."""
    for rate, key, amount in quotas:
        if wait := windows.wait(key, amount, rate.window, cost):
            raise RateExceeded(rate, amount, max(1, math.ceil(wait)))
    for rate, key, _ in quotas:
        windows.take(key, rate.window, cost)


async def take_shared(windows: SharedWindows, quotas: list[Quota], cost: int) -> None:
    """Take off the windows in Redis. Only where there are several by address is anything asked before it is taken:
    each asking is a trip to Redis, and what is taken for nothing of a user's own quota harms nobody else."""
    items = [(quota, item_of(quota)) for quota in quotas]
    if any(quota.rate.subject == "blocks" for quota in quotas):
        for quota, item in items:
            if not await windows.test(item, quota.key, cost=cost):
                raise await exceeded(windows, quota, item, cost)
    for quota, item in items:
        if not await windows.hit(item, quota.key, cost=cost):
            raise await exceeded(windows, quota, item, cost)


def item_of(quota: Quota) -> RateLimitItemPerSecond:
    """The quota as the library has it."""
    return RateLimitItemPerSecond(quota.amount, quota.rate.window, namespace="wondercam")


async def exceeded(windows: SharedWindows, quota: Quota, item: RateLimitItemPerSecond, cost: int) -> RateExceeded:
    """The refusal, with the wait that Redis knows: when one more will be let through. For several it is all of the
    window, which is always enough."""
    if cost > 1:
        return RateExceeded(quota.rate, quota.amount, quota.rate.window)
    stats = await windows.get_window_stats(item, quota.key)
    return RateExceeded(quota.rate, quota.amount, seconds_until(stats.reset_time))


def of(name: str) -> int:
    """One limit: `WONDERCAM_LIMIT_<name>`, or its default."""
    return int(settings.LIMITS[name])


def seconds_until(moment: float) -> int:
    """Whole seconds from now, rounded up: waiting that long is always enough."""
    return max(1, math.ceil(moment - time.time()))


@cache
def own() -> Windows:
    """This process's windows. Memory only: nothing here waits."""
    return Windows()


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
