"""N worker processes on one listening socket.

The parent runs no event loop: it waits for signals. A worker that dies is started again, the later the
more often it died young. Workers hold the reading end of a pipe that only the parent keeps open, so
that the parent's end, asked for or not, is their signal to drain. One worker needs no parent: it is the
process itself.
"""

import logging
import os
import signal
import sys
import time
from collections.abc import Callable
from socket import socket

logger = logging.getLogger(__name__)

YOUNG = 10
"""A worker that lived for fewer seconds died of something that will likely kill the next one too."""
LONGEST_WAIT = 30
"""Seconds between two attempts, at most."""
READY = signal.SIGUSR1
WATCHED = {signal.SIGTERM, signal.SIGINT, signal.SIGCHLD, READY}


Work = Callable[[Callable[[], None], int], int]
"""What a worker does, given what to call once it accepts and the pipe: returns its exit status."""


class Supervisor:
    """Keeps `count` processes running `work` on `listener`; calls `ready` once the first of them accepts."""

    def __init__(self, count: int, listener: socket, work: Work, ready: Callable[[], None]) -> None:
        self.count, self.listener, self.work, self.ready = count, listener, work, ready
        self.born: dict[int, float] = {}
        self.due: list[float] = []
        self.young_deaths = 0
        self.accepting = False
        self.status = 0

    def run(self) -> int:
        """Returns when every worker has ended; 0 when they were asked to."""
        self.parent_end, self.worker_end = os.pipe()[::-1]
        signal.pthread_sigmask(signal.SIG_BLOCK, WATCHED)
        self.due = [0.0] * self.count
        stopping = False
        while self.born or not stopping:
            if not stopping:
                self.start_those_due()
            got = signal.sigtimedwait(WATCHED, 0.2 if self.due and not stopping else 3600)
            number = got.si_signo if got else 0
            if number in (signal.SIGTERM, signal.SIGINT):
                stopping = self.stop(again=stopping)
            elif number == READY:
                self.announce()
            self.reap()
            if self.status and not stopping:
                stopping = self.stop(again=False)
        return self.status

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
        sys.stdout.flush()
        sys.stderr.flush()
        if pid := os.fork():
            self.born[pid] = time.monotonic()
            return
        status = 1
        try:
            os.close(self.parent_end)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, WATCHED)
            parent = os.getppid()
            status = self.work(lambda: os.kill(parent, READY), self.worker_end)
        except BaseException:
            logger.exception("A worker failed.")
        finally:
            leave(status)

    def stop(self, again: bool) -> bool:
        """Ask the workers to drain; when asked again, end them where they stand."""
        if again:
            for pid in self.born:
                os.kill(pid, signal.SIGKILL)
            self.status = 1
        else:
            os.close(self.parent_end)
            self.listener.close()  # else it would go on queueing connections that nobody accepts
        return True

    def reap(self) -> None:
        """Take note of every worker that has ended, and when to start the next in its place."""
        for pid in list(self.born):
            ended, wait_status = os.waitpid(pid, os.WNOHANG)
            if not ended:
                continue
            age = time.monotonic() - self.born.pop(pid)
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
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)
