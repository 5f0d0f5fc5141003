"""`FairExecutor`: a thread pool that is shared fairly between users.

Work waits in one queue per subject (a user, or the guests of one network), and the queues are served round-robin. So a
user who sends fifty photos delays another user's single photo at most by those that are already being decoded.
"""

import asyncio
from collections import OrderedDict, deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar, TypeVarTuple

from chat.protocol.errors import ResourceExhausted

MOST_WAITING = 32
"""The most calls of one subject that may wait."""

Args = TypeVarTuple("Args")
Result = TypeVar("Result")


class FairExecutor:
    """A pool of `threads` threads, for use from one event loop."""

    def __init__(self, threads: int, name: str, most_waiting: int = MOST_WAITING) -> None:
        self._executor = ThreadPoolExecutor(threads, name)
        self._free = threads
        self._most_waiting = most_waiting
        self._waiting: OrderedDict[str, deque[asyncio.Future[None]]] = OrderedDict()

    async def run(self, subject: str, function: Callable[[*Args], Result], *arguments: *Args) -> Result:
        """Return `function(*arguments)`, called in a thread. Raises ResourceExhausted if too many calls wait.

        Cancelling this does not end a call that has begun: its thread stays in use until it returns.
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
            else:  # it got a thread at the same moment
                self._give_on()
            raise

    def _forget(self, subject: str, turn: "asyncio.Future[None]") -> None:
        queue = self._waiting.get(subject)
        if queue is not None and turn in queue:
            queue.remove(turn)
            if not queue:
                del self._waiting[subject]

    def _give_on(self) -> None:
        """Hand a free thread to the next subject in the round."""
        while self._waiting:
            subject, queue = self._waiting.popitem(last=False)
            turn = queue.popleft()
            if queue:
                self._waiting[subject] = queue
            if not turn.done():
                return turn.set_result(None)
        self._free += 1
