"""Counts requests against rates: in Redis, which all processes share, or in this process.

Without Redis, and while it does not respond, each process counts its own requests: a failure of Redis must neither
refuse all requests nor accept all.
"""

import math
from functools import cache
from typing import TYPE_CHECKING, Any

from django.conf import settings

from chat.limits.rates import Quota, RateExceeded, quotas_of
from chat.limits.windows import Windows

if TYPE_CHECKING:
    from chat.limits.shared import SharedWindows


async def spend(name: str, *, user: Any = None, ip: str = "", account: str = "", cost: int = 1) -> None:
    """Count `cost` requests against all rates called `name`. `ip` is an `address`, `account` a user name.

    Raises RateExceeded with `retry_after` in seconds. A refused request is counted against no rate in this process; in
    Redis it may be counted against the user's other rates (see `SharedWindows`).
    """
    if settings.LIMITS_OFF:
        return
    quotas = list(quotas_of(name, str(user or ""), ip, account))
    if settings.REDIS_URL and await shared(settings.REDIS_URL).take(quotas, cost):
        return
    take_here(own(), quotas, cost)


def take_here(windows: Windows, quotas: list[Quota], cost: int) -> None:
    """Count in the windows of this process. Raises RateExceeded."""
    for rate, key, amount in quotas:
        if wait := windows.wait(key, amount, rate.window, cost):
            raise RateExceeded(rate, amount, max(1, math.ceil(wait)))
    for rate, key, _ in quotas:
        windows.take(key, rate.window, cost)


def is_first(subject: str, seconds: int) -> bool:
    """Return True for a subject at most once in so many seconds, in this process."""
    if own().wait(subject, 1, seconds):
        return False
    own().take(subject, seconds)
    return True


@cache
def own() -> Windows:
    """Return the windows of this process, in memory."""
    return Windows()


@cache
def shared(url: str) -> "SharedWindows":
    """Return the windows in Redis, one object per URL."""
    from chat.limits.shared import SharedWindows

    return SharedWindows(url)


def open() -> None:
    """Import the libraries for Redis, if it is configured, so that the first request does not wait for that."""
    if settings.REDIS_URL:
        shared(settings.REDIS_URL)


async def close() -> None:
    """Close the connections to Redis and drop the counts of this process, at shutdown and after each test."""
    if settings.REDIS_URL and shared.cache_info().currsize:
        await shared(settings.REDIS_URL).close()
    for kept in (own, shared):
        kept.cache_clear()
