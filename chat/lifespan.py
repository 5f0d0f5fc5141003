"""The process's own life: what begins before the first request and ends after the last.

An ASGI `lifespan` application (https://asgi.readthedocs.io/en/latest/specs/lifespan.html): at start-up the turns of
dead workers are found and the beats begin; at shutdown the running turns drain.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from asgiref.sync import sync_to_async
from django.conf import settings

from chat import limits, providers
from chat.log import deletion, eventlog, notifier, sqlite_commit
from chat.turns import leases, runner
from chat.views import health

log = logging.getLogger(__name__)

STOP_POLL = 0.5
"""Seconds between looks for wishes to stop that came from another worker: they arrive within 1 s without a hint."""

UNFINISHED = "wondercam.unfinished"
"""By this name the server asks, when it is to stop, how many answers it will wait for."""

Message = dict[str, Any]


async def application(
    scope: dict[str, Any],
    receive: Callable[[], Awaitable[Message]],
    send: Callable[[Message], Awaitable[None]],
) -> None:
    """Answer `lifespan.startup` and `lifespan.shutdown`."""
    beats: list[asyncio.Task[None]] = []
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            beats = await _start()
            scope.get("state", {})[UNFINISHED] = lambda: len(runner.running())
            await send({"type": "lifespan.startup.complete"})
        elif message["type"] == "lifespan.shutdown":
            await _shut_down(beats)
            return await send({"type": "lifespan.shutdown.complete"})


async def _start() -> list[asyncio.Task[None]]:
    health.has_its_database_file()  # from now on it must stay the same file
    runner.reopen()
    sqlite_commit.serve_reads(True)
    notifier.open_peers(runner.stop_here)
    await providers.discover()
    reaper = leases.Reaper()
    for stream_id, seq in await eventlog.write(reaper.reap_dead_neighbours):
        log.warning("stream %s was interrupted: its worker is gone", stream_id)
        notifier.announce(stream_id, seq)
    work = (_beat(reaper), _look_for_stops(), deletion.finish(eventlog.write))
    return [asyncio.create_task(each) for each in work]


async def _shut_down(beats: list[asyncio.Task[None]]) -> None:
    await runner.drain(settings.DRAIN_SECONDS)
    for beat in beats:
        beat.cancel()
    await asyncio.gather(*beats, return_exceptions=True)
    await notifier.close_peers()
    await providers.close()
    await limits.close()
    sqlite_commit.serve_reads(False)
    await asyncio.to_thread(eventlog.close)


async def _beat(reaper: leases.Reaper) -> None:
    """Renew our leases and look at everybody else's."""
    while True:
        await asyncio.sleep(leases.HEARTBEAT)
        try:
            if mine := runner.running():
                await eventlog.write(lambda ids=mine: leases.renew(ids))  # type: ignore[misc]
            for stream_id, seq in await eventlog.write(lambda: reaper.reap(runner.running())):
                log.warning("stream %s was interrupted: its worker is gone", stream_id)
                notifier.announce(stream_id, seq)
        except Exception as error:  # the database may be away: the next beat tries again
            log.warning("leases could not be renewed: %s", type(error).__name__)


async def _look_for_stops() -> None:
    """Stop the turns that a reader at another worker wants stopped, whether or not its hint arrives."""
    while True:
        await asyncio.sleep(STOP_POLL)
        if not (mine := runner.running()):
            continue
        try:
            for stream_id in await sync_to_async(leases.wanted_stops)(mine):
                runner.stop_here(stream_id)
        except Exception as error:  # the database may be away: the next look tries again
            log.warning("wishes to stop could not be read: %s", type(error).__name__)
