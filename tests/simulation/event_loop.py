"""An event loop on simulated time, which waits for nothing: whoever owns it runs its iterations one by one.

Threads are simulated with it. What is given to one runs as a whole in some later step, with no event loop running, as
in a real thread; what it tells the loop arrives later still, in order.
"""

import asyncio
import contextvars
from asyncio import events as running
from collections import deque
from collections.abc import Callable, Coroutine, Generator
from contextlib import contextmanager
from typing import Any

FAR = float("inf")


class NoFiles:
    """A selector without files, which returns at once."""

    def select(self, timeout: float | None = None) -> list[Any]:
        """Nothing is ever ready."""
        return []

    def close(self) -> None:
        """Nothing is held."""


class SimulatedLoop(asyncio.BaseEventLoop):
    """One process's loop. `clock` is the world's time, `delay` how long a thread takes to begin, or to be heard.

    What it touches of asyncio's own class is listed here; it has been there since Python 3.4.
    """

    _ready: deque[asyncio.Handle]
    _scheduled: list[asyncio.TimerHandle]
    _run_once: Callable[[], None]
    _check_closed: Callable[[], None]

    def __init__(self, clock: Callable[[], float], delay: Callable[[], float]) -> None:
        super().__init__()
        self._selector = NoFiles()
        self._clock = clock
        self._delay = delay
        self._from_threads: deque[tuple[float, asyncio.Handle]] = deque()
        self._for_threads: deque[tuple[float, asyncio.Future[Any], Callable[[], Any]]] = deque()
        self._tasks: list[asyncio.Task[Any]] = []

    # What asyncio asks of a loop

    def time(self) -> float:
        """The world's time."""
        return self._clock()

    def _process_events(self, event_list: list[Any]) -> None:
        """There are none."""

    def _write_to_self(self) -> None:
        """It need not be woken."""

    def create_task(  # type: ignore[override]
        self, coro: Coroutine[Any, Any, Any], **options: Any
    ) -> asyncio.Task[Any]:
        """The same, remembered for `kill`."""
        task = super().create_task(coro, **options)
        self._tasks.append(task)
        if len(self._tasks) > 500:
            self._tasks = [each for each in self._tasks if not each.done()]
        return task

    def call_soon_threadsafe(  # type: ignore[override]
        self, callback: Callable[..., Any], *args: Any, context: contextvars.Context | None = None
    ) -> asyncio.Handle:
        """What a thread has to tell arrives after a while, and behind what threads told before."""
        self._check_closed()
        handle = asyncio.Handle(callback, args, self, context)
        before = self._from_threads[-1][0] if self._from_threads else 0.0
        self._from_threads.append((max(before, self._clock() + self._delay()), handle))
        return handle

    def run_in_executor(self, executor: Any, func: Callable[..., Any], *args: Any) -> asyncio.Future[Any]:  # type: ignore[override]
        """In the one thread that a process has for this, after a while and behind what was given before."""
        self._check_closed()
        future = self.create_future()
        before = self._for_threads[-1][0] if self._for_threads else 0.0
        self._for_threads.append((max(before, self._clock() + self._delay()), future, lambda: func(*args)))
        return future

    # What its owner does with it

    def due(self) -> float:
        """When its next iteration has something to do."""
        if self._ready:
            return 0.0
        heard = self._from_threads[0][0] if self._from_threads else FAR
        return min(heard, self._scheduled[0].when() if self._scheduled else FAR)

    def is_idle(self) -> bool:
        """Whether nothing at all is left to be called now, nor was told by a thread."""
        return not self._ready and not self._from_threads

    def run_once(self) -> None:
        """One iteration."""
        now = self._clock()
        while self._from_threads and self._from_threads[0][0] <= now:
            self._ready.append(self._from_threads.popleft()[1])
        with self.running():
            self._run_once()

    def thread_due(self) -> float:
        """When its thread has something to do."""
        return self._for_threads[0][0] if self._for_threads else FAR

    def run_thread(self) -> None:
        """The next thing that waits for the thread."""
        _, future, work = self._for_threads.popleft()
        if future.cancelled():
            return
        try:
            result = work()
        except Exception as error:
            self.call_soon_threadsafe(_settle, future, None, error)
        else:
            self.call_soon_threadsafe(_settle, future, result, None)

    @contextmanager
    def running(self) -> Generator[None, None, None]:
        """This is the loop that runs."""
        running._set_running_loop(self)
        try:
            yield
        finally:
            running._set_running_loop(None)

    def kill(self) -> None:
        """It runs no more, and nobody hears that its tasks have not ended."""
        for task in self._tasks:
            task._log_destroy_pending = False  # type: ignore[attr-defined]
        self._from_threads.clear()
        self._for_threads.clear()
        self.close()


def _settle(future: asyncio.Future[Any], result: Any, error: Exception | None) -> None:
    if future.cancelled():
        return
    if error is None:
        future.set_result(result)
    else:
        future.set_exception(error)
