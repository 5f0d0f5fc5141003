"""Threads that are shared out fairly: whoever brings much waits behind whoever brings little.

Work waits in a queue for each subject, a person or the guests of one network, and the queues are served in turn. So the
photos of somebody who sends fifty of them delay another one's single photo by those that are being decoded, at most.
"""

import asyncio
from collections import OrderedDict, deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar, TypeVarTuple

from chat.protocol.errors import ResourceExhausted

MOST_WAITING = 32
"""Pieces of work of one subject that may wait."""

Args = TypeVarTuple("Args")
Result = TypeVar("Result")


class FairExecutor:
    """A number of threads for one event loop."""

    def __init__(self, threads: int, name: str, most_waiting: int = MOST_WAITING) -> None:
        self._executor = ThreadPoolExecutor(threads, name)
        self._free = threads
        self._most_waiting = most_waiting
        self._waiting: OrderedDict[str, deque[asyncio.Future[None]]] = OrderedDict()

    async def run(self, subject: str, function: Callable[[*Args], Result], *arguments: *Args) -> Result:
        """`function(*arguments)` in a thread, when it is the subject's turn. ResourceExhausted where too much waits.

        A thread is taken until its work has ended, even if nobody waits for it any more.
        """
        await self._turn_of(subject)
        loop = asyncio.get_running_loop()
        work = self._executor.submit(function, *arguments)

        def ended(_: "Future[Result]") -> None:
            if not loop.is_closed():
                loop.call_soon_threadsafe(self._give_on)

        work.add_done_callback(ended)
        return await asyncio.wrap_future(work)

    async def _turn_of(self, subject: str) -> None:
        if self._free:
            self._free -= 1
            return
        queue = self._waiting.setdefault(subject, deque())
        if len(queue) >= self._most_waiting:
            raise ResourceExhausted(
                "Too many photos of yours wait to be read: send them one after another.", retry_after=2
            )
        turn = asyncio.get_running_loop().create_future()
        queue.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.cancelled() or not turn.done():
                self._forget(subject, turn)
            else:  # its turn came at the same moment
                self._give_on()
            raise

    def _forget(self, subject: str, turn: "asyncio.Future[None]") -> None:
        queue = self._waiting.get(subject)
        if queue is not None and turn in queue:
            queue.remove(turn)
            if not queue:
                del self._waiting[subject]

    def _give_on(self) -> None:
        """A thread is free: to the subject that has waited the longest since its last turn."""
        while self._waiting:
            subject, queue = self._waiting.popitem(last=False)
            turn = queue.popleft()
            if queue:
                self._waiting[subject] = queue
            if not turn.done():
                return turn.set_result(None)
        self._free += 1
