"""Take requests off their rates: in Redis where all processes share it, else in this process.

Without Redis, and while it does not answer, each process counts by itself: a limiter that is down must neither lock
everybody out nor let everybody in.
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
    """Take `cost` requests off the rates called `name`, all or none. `ip` is an `address`, `account` a user name.

    Raises ResourceExhausted with the exact `retry_after` in seconds. What is refused is not counted anywhere.
    """
    if settings.LIMITS_OFF:
        return
    quotas = list(quotas_of(name, str(user or ""), ip, account))
    if settings.REDIS_URL and await shared(settings.REDIS_URL).take(quotas, cost):
        return
    take_here(own(), quotas, cost)


def take_here(windows: Windows, quotas: list[Quota], cost: int) -> None:
    """Take off the windows of this process."""
    for rate, key, amount in quotas:
        if wait := windows.wait(key, amount, rate.window, cost):
            raise RateExceeded(rate, amount, max(1, math.ceil(wait)))
    for rate, key, _ in quotas:
        windows.take(key, rate.window, cost)


def is_first(subject: str, seconds: int) -> bool:
    """Whether nobody has asked for this subject in this process for so many seconds."""
    if own().wait(subject, 1, seconds):
        return False
    own().take(subject, seconds)
    return True


@cache
def own() -> Windows:
    """This process's windows. Memory only: nothing here waits."""
    return Windows()


@cache
def shared(url: str) -> "SharedWindows":
    """The windows in Redis."""
    from chat.limits.shared import SharedWindows

    return SharedWindows(url)


def open() -> None:
    """Import what Redis needs before the first request, which would wait for it."""
    if settings.REDIS_URL:
        shared(settings.REDIS_URL)


async def close() -> None:
    """Forget what this process has counted, and leave Redis: the server's last act, and each test's."""
    if settings.REDIS_URL and shared.cache_info().currsize:
        await shared(settings.REDIS_URL).close()
    for kept in (own, shared):
        kept.cache_clear()
