"""N worker processes on one listening socket.

The parent runs no event loop: it waits for signals. A worker that dies is started again, the later the
more often it died young. Workers share one end of a socket pair whose other end only the parent keeps open:
its end of file tells them to drain, also when the parent was killed, and by it they report how many answers
they still finish. One worker needs no parent: it is the process itself.
"""

import logging
import os
import select
import signal
import socket
import time
from collections.abc import Callable

from wondercam.server import signals
from wondercam.server.metrics_folder import MetricsFolder

logger = logging.getLogger(__name__)

YOUNG = 10
"""Seconds. The cause of the death of a worker that lived for less will probably kill the next one too."""
LONGEST_WAIT = 30
"""The longest time in seconds before a worker is started again."""
READY = signal.SIGUSR1
WATCHED = {signal.SIGTERM, signal.SIGINT, signal.SIGCHLD, READY}
REPORT_SECONDS = 1.0
"""How long to wait for the workers' reports of unfinished answers."""
COUNT_BYTES = 4

Work = Callable[[Callable[[], None], int], int]
"""Runs a worker, given a function to call once it accepts connections, and the descriptor of the parent's socket pair;
returns its exit status."""


def report(parent: int, count: int) -> None:
    """Report to the parent how many answers this worker still finishes. OSError if the parent has ended."""
    os.write(parent, count.to_bytes(COUNT_BYTES))


class Supervisor:
    """Keeps `count` processes running `work` on `listener`; calls `ready` once the first of them accepts."""

    def __init__(self, count: int, listener: socket.socket, work: Work, ready: Callable[[], None]) -> None:
        self.count, self.listener, self.work, self.ready = count, listener, work, ready
        self.born: dict[int, float] = {}
        self.due: list[float] = []
        self.young_deaths = 0
        self.accepting = self.stopping = self.asked_to_drain = False
        self.status = 0

    def run(self) -> int:
        """Returns when every worker has ended; 0 when they were asked to."""
        self.parent_end, self.worker_end = socket.socketpair()
        self.watched = WATCHED | ({signal.SIGHUP} if signals.hangs_up() else set())
        signal.pthread_sigmask(signal.SIG_BLOCK, self.watched)
        self.due = [0.0] * self.count
        self.metrics = MetricsFolder()
        while self.born or not self.stopping:
            if not self.stopping:
                self.start_those_due()
            got = signal.sigtimedwait(self.watched, 0.2 if self.due and not self.stopping else 3600)
            self.signalled(got.si_signo if got else 0)
            self.reap()
            if self.status:
                self.stop()
        self.metrics.remove()
        return self.status

    def signalled(self, number: int) -> None:
        """Do what the signal asks for; 0 for none."""
        if number == READY:
            self.announce()
        elif number == signal.SIGHUP:
            self.stop()
        elif number in signals.DRAIN:
            if self.asked_to_drain:
                self.end_now()
                return
            self.asked_to_drain = True
            self.stop()
            if number == signal.SIGINT:
                signals.say_what_runs(self.count_unfinished())

    def announce(self) -> None:
        if not self.accepting:
            self.accepting = True
            self.ready()

    def start_those_due(self) -> None:
        now = time.monotonic()
        for due in [due for due in self.due if due <= now]:
            self.due.remove(due)
            self.start()

    def start(self) -> None:
        signals.flush()
        if pid := os.fork():
            self.born[pid] = time.monotonic()
            return
        status = 1
        try:
            self.parent_end.close()
            signal.pthread_sigmask(signal.SIG_UNBLOCK, self.watched)
            parent = os.getppid()
            status = self.work(lambda: os.kill(parent, READY), self.worker_end.fileno())
        except BaseException:
            logger.exception("A worker failed.")
        finally:
            leave(status)

    def stop(self) -> None:
        """Ask the workers to drain, once."""
        if not self.stopping:
            self.stopping = True
            self.parent_end.shutdown(socket.SHUT_WR)
            self.listener.close()  # else it would go on queueing connections that nobody accepts

    def end_now(self) -> None:
        """End the workers where they stand."""
        for pid in self.born:
            os.kill(pid, signal.SIGKILL)
        self.status = 1

    def count_unfinished(self) -> int:
        """How many answers the workers finish, by their own reports."""
        found, awaited, until = 0, len(self.born), time.monotonic() + REPORT_SECONDS
        while awaited and select.select([self.parent_end], [], [], max(until - time.monotonic(), 0))[0]:
            data = self.parent_end.recv(COUNT_BYTES, socket.MSG_WAITALL)
            found, awaited = found + int.from_bytes(data), awaited - 1
        return found

    def reap(self) -> None:
        """Take note of every worker that has ended, and when to start the next in its place."""
        for pid in list(self.born):
            ended, wait_status = os.waitpid(pid, os.WNOHANG)
            if not ended:
                continue
            age = time.monotonic() - self.born.pop(pid)
            self.metrics.forget(pid)
            code = os.waitstatus_to_exitcode(wait_status)
            if code == 1 and not self.accepting:
                self.status = 1  # it has said why, and the next could not start either
            elif code:
                logger.error("Worker %d ended with status %d.", pid, code)
            self.young_deaths = self.young_deaths + 1 if age < YOUNG else 0
            wait = min(0.5 * 2 ** (self.young_deaths - 1), LONGEST_WAIT) if self.young_deaths else 0
            self.due.append(time.monotonic() + wait)


def leave(status: int) -> None:
    """End this process now: nothing that is worth waiting for is left, and a stuck thread must not hold it."""
    logging.shutdown()
    signals.flush()
    os._exit(status)
