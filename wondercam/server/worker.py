"""One process of the server: event loop, lifespan of the application, housekeeping, draining."""

# Twisted and Daphne carry few types: what is inherited from them is unchecked.
# mypy: disable-error-code="misc, no-untyped-call, override"

import asyncio
import gc
import logging
import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from contextvars import copy_context
from functools import partial
from typing import Any

import daphne.server
import uvloop
from twisted.internet.main import installReactor
from twisted.logger import STDLibLogObserver, globalLogBeginner

from wondercam.log_format import request_id
from wondercam.server import signals
from wondercam.server.access import RequestIds
from wondercam.server.bodies import Bodies, Limit, Rule
from wondercam.server.channel import Factory
from wondercam.server.lifespan import Lifespan, StartupFailed
from wondercam.server.options import Options
from wondercam.server.request import Disconnected, ServedRequest
from wondercam.server.supervisor import report
from wondercam.server.transport import Port, Reactor

logger = logging.getLogger(__name__)

NO_PARENT = -1
UNFINISHED = "wondercam.unfinished"
"""A key in the lifespan's state: `() -> int`, how many answers the application would finish when it drains."""
THREADS = 3
"""Threads for blocking calls that are bound to no request (`asyncio.to_thread`, name look-ups)."""
COLLECTOR = (2_000, 5, 200)
"""Thresholds of the garbage collector: passes take about 1 and 5 ms while 100 streams a second start. With 20,000 for
the young generation a pass took 8 to 15 ms, and there was a full one every few seconds."""


def install_reactor() -> tuple[Any, asyncio.AbstractEventLoop]:
    """Install Twisted's reactor on uvloop, in place of the unused one that importing Daphne installs."""
    loop = uvloop.new_event_loop()
    loop.set_default_executor(ThreadPoolExecutor(THREADS, thread_name_prefix="blocking"))
    asyncio.set_event_loop(loop)
    sys.modules.pop("twisted.internet.reactor", None)
    reactor = Reactor(loop)
    installReactor(reactor)
    reactor.suggestThreadPoolSize(1)
    return reactor, loop


def tune_garbage_collector() -> None:
    """Exclude everything imported so far from garbage collection, and collect the young generation often.

    Short passes keep the event loop responsive; full ones are rare because streams leave no reference cycles.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*COLLECTOR)


class Worker(daphne.server.Server):
    """Daphne's server, run by this module's own loop. End of file on the descriptor `parent` means: drain."""

    def __init__(
        self,
        application: Any,
        listener: socket.socket,
        options: Options,
        ready: Callable[[], None],
        parent: int = NO_PARENT,
        body_limit: Rule | None = None,
    ) -> None:
        super().__init__(application, endpoints=["inherited"], server_name="", application_close_timeout=0)
        self.listener, self.options, self.ready, self.parent = listener, options, ready, parent
        self.body_limit = body_limit or (lambda scope: Limit(options.body_bytes))
        self.bodies = Bodies(options.bodies_bytes)
        self.connections: set[ServedRequest] = set()
        self.request_ids = RequestIds()
        self.draining = False
        self.signals = 0

    def run(self) -> int:
        """Serve until asked to stop; the process's exit status."""
        self.reactor, loop = install_reactor()
        observer: Any = STDLibLogObserver("twisted")
        globalLogBeginner.beginLoggingTo([observer], redirectStandardIO=False, discardBuffer=True)
        self.reactor.startRunning(installSignalHandlers=False)
        return loop.run_until_complete(self.live())

    async def live(self) -> int:
        """Start, serve, drain."""
        self.loop, self.context = asyncio.get_running_loop(), copy_context()
        self.stopping = asyncio.Event()
        self.lifespan = Lifespan(self.application)
        self.listen_for_signals()
        try:
            await self.lifespan.startup()
        except StartupFailed as why:
            print(f"WonderCam cannot start: {why}", file=sys.stderr, flush=True)
            return 1
        tune_garbage_collector()
        housekeeping = asyncio.create_task(self.housekeeping())
        port = self.open()
        self.ready()
        await self.stopping.wait()
        await self.drain(port)
        housekeeping.cancel()
        return 0

    def listen_for_signals(self) -> None:
        """Drain when asked to; see `wondercam.server.signals`."""
        self.loop.add_signal_handler(signal.SIGTERM, self.signalled)
        if signals.hangs_up():
            self.loop.add_signal_handler(signal.SIGHUP, self.stopping.set)
        if self.parent == NO_PARENT:
            self.loop.add_signal_handler(signal.SIGINT, self.interrupted)
        else:
            self.loop.add_signal_handler(signal.SIGINT, lambda: None)  # a terminal's ^C reaches the parent too
            self.loop.add_reader(self.parent, self.parent_stopped)

    def signalled(self) -> None:
        """Drain at the first signal, end the process at the second."""
        self.signals += 1
        if self.signals > 1:
            os._exit(1)
        self.stopping.set()

    def interrupted(self) -> None:
        """Ctrl-C in a server with one process."""
        self.signalled()
        signals.say_what_runs(self.unfinished())

    def parent_stopped(self) -> None:
        """The parent asks to drain, or was killed: report the unfinished answers, then drain."""
        self.loop.remove_reader(self.parent)
        with suppress(OSError):
            report(self.parent, self.unfinished())
        self.stopping.set()

    def unfinished(self) -> int:
        """How many answers the application still generates, by its own count, else the number of open responses."""
        count = self.lifespan.state.get(UNFINISHED)
        return count() if count else sum(request.left_at is None for request in self.connections)

    def open(self) -> Port:
        """Accept connections."""
        self.http_factory = Factory(self)
        port = Port.on(self.listener, self.http_factory, self.reactor)
        port.most = port.most if self.parent == NO_PARENT else 1  # one each: a burst spreads over the workers
        port.startListening()
        return port

    async def drain(self, port: Port) -> None:
        """Accept no more connections, let the application finish while its responses continue, then close.

        Idle keep-alive connections are closed at once, so that a proxy uses another machine.
        """
        self.draining = True
        port.doRead()  # connections that are queued already are served
        port.loseConnection()
        self.listener.close()
        self.http_factory.close_kept()
        await self.lifespan.shutdown(self.options.drain + self.options.afterwards)
        for channel in list(self.http_factory.channels):
            if not channel.requests:
                channel.loseConnection()
        with suppress(TimeoutError):
            await asyncio.wait_for(self.http_factory.empty.wait(), self.options.afterwards)
        await self.cancel_applications()

    async def cancel_applications(self) -> None:
        """End what still runs, and give its `finally` blocks a second."""
        for request in list(self.connections):
            if request.task is not None:
                request.task.cancel()
            elif request.parked is not None:
                request.lost()
        if tasks := [request.task for request in self.connections if request.task is not None]:
            await asyncio.wait(tasks, timeout=1)

    # What requests call on their server

    def opened(self, request: ServedRequest) -> None:
        """A request has begun to arrive."""
        self.connections.add(request)

    def run_application(self, request: ServedRequest, application: Coroutine[Any, Any, None]) -> None:
        """Run the application for a request, or go on with it, in a task with a context of its own."""
        context = self.context.copy()
        context.run(request_id.set, request.request_id)
        request.task = self.loop.create_task(application, context=context)
        request.task.add_done_callback(partial(self.application_done, request))

    def application_done(self, request: ServedRequest, task: "asyncio.Task[None]") -> None:
        """Log an exception of the application, end a response that it left open, and forget the request."""
        wrong = None if task.cancelled() else task.exception()
        gone = request.left_at is not None
        if wrong is None and request.parked is not None:
            return request.rest()
        request.parked = None
        if wrong is not None and not (gone and isinstance(wrong, Disconnected)):
            logger.error(
                "An exception escaped the application.", exc_info=wrong, extra={"request_id": request.request_id}
            )
        if gone:
            self.connections.discard(request)
        else:
            request.fail()

    def left(self, request: ServedRequest) -> None:
        """The response has ended, or the client has disconnected."""
        if request.left_at is None:
            request.left_at = time.monotonic()
        if request.parked is None and (request.task is None or request.task.done()):
            self.connections.discard(request)

    async def housekeeping(self) -> None:
        """Check every deadline once a tick. An error with one connection does not end it."""
        while True:
            await asyncio.sleep(self.options.tick)
            now = time.monotonic()
            for channel in list(self.http_factory.channels):
                self.attempt(channel.check, now)
            for request in list(self.connections):
                self.attempt(self.check, request, now)

    def check(self, request: ServedRequest, now: float) -> None:
        """Cancel an application that still runs long after its client disconnected."""
        if request.task and request.left_at is not None and now > request.left_at + self.options.close_time:
            logger.warning("An application went on after its client went; it is cancelled.")
            request.task.cancel()

    def attempt(self, what: Callable[..., None], *args: Any) -> None:
        try:
            what(*args)
        except Exception:
            logger.exception("Housekeeping failed for one connection.")
