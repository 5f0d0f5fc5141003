"""Moving windows in Redis, shared by all processes, with the `limits` library. It is imported only if Redis is
configured: the two libraries take a seventh of a process's start."""

import logging
import math
import time

from limits import RateLimitItemPerSecond
from limits.aio.storage import RedisStorage
from limits.aio.strategies import MovingWindowRateLimiter
from redis.asyncio import ConnectionPool
from redis.exceptions import RedisError

from chat.limits.rates import Quota, RateExceeded

REDIS_TIMEOUT = 0.25
"""Seconds for connecting and for each command, since the request waits for them."""
AWAY_SECONDS = 2
"""After a failure Redis is not asked for so long, so that not every request waits for its timeout."""

log = logging.getLogger(__name__)


class SharedWindows:
    """The windows in the Redis at this URL, and the time until which it is taken to be down."""

    def __init__(self, url: str) -> None:
        self._pool = ConnectionPool.from_url(url, socket_timeout=REDIS_TIMEOUT, socket_connect_timeout=REDIS_TIMEOUT)
        storage = RedisStorage(f"async+{url}", implementation="redispy", connection_pool=self._pool)  # type: ignore[arg-type]
        self._windows = MovingWindowRateLimiter(storage)
        self._away_until = 0.0

    async def take(self, quotas: list[Quota], cost: int) -> bool:
        """Count `cost` against all quotas and return True. Return False if Redis does not respond: the request may be
        counted or not. Raises RateExceeded."""
        if time.monotonic() < self._away_until:
            return False
        try:
            await self._take(quotas, cost)
        except (OSError, RedisError) as gone:
            self._away_until = time.monotonic() + AWAY_SECONDS
            log.warning("Redis does not answer (%s): counting in this process", type(gone).__name__)
            return False
        return True

    async def _take(self, quotas: list[Quota], cost: int) -> None:
        """Count the quotas one after another. Those by address are shared with other users, so then all are tested
        first. Others are not, to save a round trip each: a refused request may use up some of the user's own quota."""
        items = [(quota, item_of(quota)) for quota in quotas]
        if any(quota.rate.subject == "blocks" for quota in quotas):
            for quota, item in items:
                if not await self._windows.test(item, quota.key, cost=cost):
                    raise await self._exceeded(quota, item, cost)
        for quota, item in items:
            if not await self._windows.hit(item, quota.key, cost=cost):
                raise await self._exceeded(quota, item, cost)

    async def _exceeded(self, quota: Quota, item: RateLimitItemPerSecond, cost: int) -> RateExceeded:
        """Return the error, with the time until Redis will accept one more request; for a `cost` above 1 the whole
        window, which is always enough."""
        if cost > 1:
            return RateExceeded(quota.rate, quota.amount, quota.rate.window)
        stats = await self._windows.get_window_stats(item, quota.key)
        return RateExceeded(quota.rate, quota.amount, seconds_until(stats.reset_time))

    async def close(self) -> None:
        """Close the connections."""
        await self._pool.disconnect()


def item_of(quota: Quota) -> RateLimitItemPerSecond:
    """Return the quota as an object of `limits`."""
    return RateLimitItemPerSecond(quota.amount, quota.rate.window, namespace="wondercam")


def seconds_until(moment: float) -> int:
    """Return the seconds from now to a Unix time, rounded up, at least 1."""
    return max(1, math.ceil(moment - time.time()))
