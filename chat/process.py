"""`Process`: the objects of one process, such as its providers, log, turns and metrics. Opened when the process serves.

Views get it from `views.api`, as `request.process`. Commands and the admin read the tables and do not need it, except
for the operators' page, which shows its metrics.
"""

import asyncio
from contextlib import suppress

from django.apps import apps
from django.conf import settings

from chat import limits, message_index, retention
from chat.log import Log, deletion, feeds, postgres_partitions
from chat.metrics import Metrics, State
from chat.protocol.errors import Unavailable
from chat.providers.catalogue import Catalogue
from chat.providers.settings import Settings
from chat.push.delivery import PushService
from chat.push.keys import SiteKey
from chat.push.notices import Notices
from chat.telemetry import Telemetry
from chat.turns.departures import Departures
from chat.turns.runner import Turns

METRICS_SECONDS = 5.0
"""Seconds between updates of the metrics of queues and breakers; Prometheus scrapes every 15 s or less often."""


class Process:
    """Closed in the reverse order of opening; may then be opened again, on another event loop."""

    def __init__(self) -> None:
        self._catalogue: Catalogue | None = None
        with suppress(ValueError):  # chat.checks says what is wrong
            self.configure(settings.PROVIDERS)
        self.log = Log(settings.COMMIT_SECONDS)
        self.metrics = Metrics()
        self.telemetry = Telemetry(settings.OTEL_ENDPOINT, settings.OTEL_SERVICE, content=settings.OTEL_CONTENT)
        seconds, told = settings.LEASE_SECONDS, self.telemetry.ended
        self.turns = Turns(self.log, lambda: self.catalogue, self.metrics, seconds, told)
        self.departures = Departures(self.log, self.turns)
        self.notices = Notices(self.log, PushService(SiteKey(*settings.PUSH)) if settings.PUSH[0] else None)

    def configure(self, variables: Settings) -> None:
        """Make the catalogue of providers. Raises ValueError, whose sentence names the variable."""
        self._catalogue = Catalogue(variables)

    @property
    def catalogue(self) -> Catalogue:
        """The providers and their models; Unavailable if their configuration is wrong."""
        if self._catalogue is None:
            raise Unavailable("No model is configured on this server.")
        return self._catalogue

    def update_metrics(self) -> None:
        """Update the metrics that are measured, not counted."""
        log, catalogue = self.log.state(), self._catalogue
        resting = catalogue.resting() if catalogue else []
        waiting, used, slots = catalogue.slots() if catalogue else (0, 0, 0)
        running, grown = len(self.turns.running()), (log.commits, log.commit_seconds, log.cuts)
        unreadable = dict(catalogue.unreadable) if catalogue else {}
        self.metrics.update(State(running, log.readers, log.queued, waiting, resting, *grown, used, slots, unreadable))

    async def _keep_metrics_current(self) -> None:
        while True:
            await asyncio.sleep(METRICS_SECONDS)
            self.update_metrics()

    async def open(self) -> None:
        """Start serving: connect to other processes, discover models, take over turns, finish deletions."""
        self.metrics.open()
        self.telemetry.open()
        limits.open()
        await self.log.open(bool(settings.REDIS_URL), self.turns.stop_here)
        if self._catalogue is not None:
            await self._catalogue.discover()
        await self.turns.open()
        self._tasks = [
            asyncio.create_task(deletion.finish(self.log.write)),
            asyncio.create_task(self._keep_metrics_current()),
            asyncio.create_task(feeds.keep_short(self.log.write)),
            asyncio.create_task(self.notices.keep_looking()),
            asyncio.create_task(postgres_partitions.keep_ahead(settings.KEEP_DAYS["recordings"])),
            asyncio.create_task(retention.keep_pruning(settings.KEEP_DAYS, self.log.write)),
            asyncio.create_task(message_index.keep_current()),
        ]

    async def close(self) -> None:
        """Drain the turns, then close everything."""
        self.departures.close()
        self.log.feeds.leave()
        await self.turns.close(settings.DRAIN_SECONDS)
        self.log.leave()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.notices.close()
        if self._catalogue is not None:
            await self._catalogue.close()
        await limits.close()
        await self.telemetry.close()
        await self.log.close()


def this_process() -> Process:
    """The process that Django's app registry holds (`chat.apps`)."""
    process: Process = apps.get_app_config("chat").process  # type: ignore[attr-defined]
    return process
