"""`RecognitionWorker`: the process that recognises photos. It is reused, and ended after `IDLE_SECONDS` without work.

It recognises one photo at a time, because on two cores a second one would make both late. A photo has `seconds`: then
the facts so far are the result, and the process is killed, as it is when the task is cancelled, so that no state of a
photo is left. Loading it takes about a second.
"""

import asyncio
import json
import logging
import struct
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from chat.protocol import errors
from chat.providers.vision.seen import Seen

log = logging.getLogger(__name__)

PROGRAM = "chat.recognition"
ROOT = Path(__file__).resolve().parents[3]
IDLE_SECONDS = 600.0
WAIT_SECONDS = 150.0
LOAD_SECONDS = 30.0
LINE_BYTES = 2**20
ENVIRONMENT = {"LANG": "C.UTF-8", "PYTHONUTF8": "1", "PYTHONPATH": str(ROOT)}


class RecognitionWorker:
    """The process, started on first use. It is for one event loop at a time."""

    def __init__(self, seconds: float, idle: float = IDLE_SECONDS, program: str = PROGRAM) -> None:
        self._seconds = seconds
        self._idle = idle
        self._program = program
        self._turn = asyncio.Lock()
        self._process: asyncio.subprocess.Process | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._sleep: asyncio.TimerHandle | None = None
        self._ending: set[asyncio.Task[tuple[bytes, bytes]]] = set()

    async def recognise(self, photo: bytes, added: Callable[[Seen], None] = lambda seen: None) -> Seen:
        """Return the facts that were recognised in time; `added` is called with the facts so far whenever some arrive.

        Raises InvalidArgument if the photo cannot be opened, Unavailable if it waited for `WAIT_SECONDS`, or if the
        process does not start, does not load within `LOAD_SECONDS`, or ends.
        """
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                await self._turn.acquire()
        except TimeoutError:
            raise errors.Unavailable(
                "Too many photos are waiting to be looked at: try again soon.", retry_after=5
            ) from None
        try:
            return await self._recognised(photo, added)
        finally:
            self._turn.release()

    async def _recognised(self, photo: bytes, added: Callable[[Seen], None]) -> Seen:
        seen = Seen()
        process = await self._running()
        try:
            async with asyncio.timeout(self._seconds):
                await self._ask(process, photo, seen, added)
        except TimeoutError:
            self.stop()
            return seen
        except BaseException:
            self.stop()
            raise
        self._rest()
        return seen

    async def _ask(
        self, process: asyncio.subprocess.Process, photo: bytes, seen: Seen, added: Callable[[Seen], None]
    ) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.write(struct.pack(">I", len(photo)) + photo)
            await process.stdin.drain()
        except (BrokenPipeError, ConnectionResetError):
            raise gone() from None
        while True:
            line = await process.stdout.readline()
            if not line:
                log.error("recognising a photo ended its process")
                raise gone()
            fact = json.loads(line)
            if "error" in fact:
                raise errors.InvalidArgument("The photo cannot be opened.")
            if "end" in fact:
                seen.complete = True
                return
            seen.add(fact)
            added(seen)

    async def _running(self) -> asyncio.subprocess.Process:
        if self._sleep is not None:
            self._sleep.cancel()
        loop = asyncio.get_running_loop()
        if self._process is None or self._process.returncode is not None or self._loop is not loop:
            self.stop()
            self._loop = loop
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                *("-P", "-m", self._program),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
                env=ENVIRONMENT,
                limit=LINE_BYTES,
            )
            await self._loaded(self._process)
        return self._process

    async def _loaded(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None
        try:
            async with asyncio.timeout(LOAD_SECONDS):
                line = await process.stdout.readline()
        except TimeoutError:
            self.stop()
            log.error("the process that looks at photos has not loaded within %g s", LOAD_SECONDS)
            raise gone() from None
        except BaseException:
            self.stop()
            raise
        if not line:
            self.stop()
            raise gone()

    def _rest(self) -> None:
        self._sleep = asyncio.get_running_loop().call_later(self._idle, self.stop)

    def stop(self) -> None:
        """Kill the process; the next photo starts a new one."""
        if self._sleep is not None:
            self._sleep.cancel()
        process, self._process = self._process, None
        if process is None or self._loop is None or self._loop.is_closed():
            return
        if process.returncode is None:
            with suppress(ProcessLookupError):
                process.kill()
        ending = self._loop.create_task(process.communicate())  # its pipes are closed when they are read to the end
        self._ending.add(ending)
        ending.add_done_callback(self._ending.discard)

    async def close(self) -> None:
        """Kill the process, and wait until all killed processes have ended."""
        self.stop()
        if self._loop is asyncio.get_running_loop():
            await asyncio.gather(*self._ending, return_exceptions=True)


def gone() -> errors.Unavailable:
    """Return the error for a process that does not start, or that a photo has ended."""
    return errors.Unavailable("The photo could not be looked at on this server.")
