"""Rates that all processes share, in Redis, by the `limits` library. Only a server with Redis imports this module: both
libraries take a seventh of the time in which a process starts."""

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
"""Seconds: a request waits for Redis, and all of them for the loop."""
AWAY_SECONDS = 2
"""How long Redis is left alone after it did not answer: not every request waits for it."""

log = logging.getLogger(__name__)


class SharedWindows:
    """The windows in the Redis of this URL, and until when it is taken to be away."""

    def __init__(self, url: str) -> None:
        self._pool = ConnectionPool.from_url(url, socket_timeout=REDIS_TIMEOUT, socket_connect_timeout=REDIS_TIMEOUT)
        storage = RedisStorage(f"async+{url}", implementation="redispy", connection_pool=self._pool)  # type: ignore[arg-type]
        self._windows = MovingWindowRateLimiter(storage)
        self._away_until = 0.0

    async def take(self, quotas: list[Quota], cost: int) -> bool:
        """Take `cost` off all of these; False, and nothing is known to be taken, while Redis does not answer. Raises
        RateExceeded."""
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
        """Only where there are several by address is anything asked before it is taken: each asking is a trip to Redis,
        and what is taken for nothing of a user's own quota harms nobody else."""
        items = [(quota, item_of(quota)) for quota in quotas]
        if any(quota.rate.subject == "blocks" for quota in quotas):
            for quota, item in items:
                if not await self._windows.test(item, quota.key, cost=cost):
                    raise await self._exceeded(quota, item, cost)
        for quota, item in items:
            if not await self._windows.hit(item, quota.key, cost=cost):
                raise await self._exceeded(quota, item, cost)

    async def _exceeded(self, quota: Quota, item: RateLimitItemPerSecond, cost: int) -> RateExceeded:
        """The refusal, with the wait that Redis knows: when one more will be let through. For several it is all of the
        window, which is always enough."""
        if cost > 1:
            return RateExceeded(quota.rate, quota.amount, quota.rate.window)
        stats = await self._windows.get_window_stats(item, quota.key)
        return RateExceeded(quota.rate, quota.amount, seconds_until(stats.reset_time))

    async def close(self) -> None:
        """Leave Redis."""
        await self._pool.disconnect()


def item_of(quota: Quota) -> RateLimitItemPerSecond:
    """The quota as the library has it."""
    return RateLimitItemPerSecond(quota.amount, quota.rate.window, namespace="wondercam")


def seconds_until(moment: float) -> int:
    """Whole seconds from now, rounded up: waiting that long is always enough."""
    return max(1, math.ceil(moment - time.time()))
