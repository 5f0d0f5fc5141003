"""Looks which browsers are to be told of which answers, and has them told.

Every process looks. Whose feed it reads itself, for a page that is looked at, has the subscriptions' places moved on by
it. After GRACE seconds, in which each process has looked, what still lies before a place is sent by whoever moves it.
"""

import asyncio
import logging
from collections.abc import Iterable, Iterator
from datetime import timedelta
from functools import partial
from itertools import groupby, takewhile

from django.utils import timezone

from chat.log import Log
from chat.log.sql import in_thread
from chat.push import subscriptions
from chat.push.delivery import Outcome, PushService
from chat.push.subscriptions import Move, Unread

log = logging.getLogger(__name__)

LOOK_SECONDS = 2.0
GRACE = timedelta(seconds=6)
AT_ONCE = 8
"""Messages on their way at once; a push service that does not answer holds one of these places for 10 s."""
MOST_WAITING = 1000
"""What comes while so many wait is not told."""
MOST_AT_A_LOOK = 3
"""Chats of which one browser is told at once; of more the newest."""


class Notices:
    """Those of one process; `service` is None where the site has no keys, and then nothing is looked for."""

    def __init__(self, event_log: Log, service: PushService | None) -> None:
        self._log = event_log
        self._service = service
        self._places = asyncio.Semaphore(AT_ONCE)
        self._sending: set[asyncio.Task[None]] = set()

    @property
    def public_key(self) -> str:
        """By which a browser knows this site; empty where Web Push is off."""
        return "" if self._service is None else self._service.public_key

    async def keep_looking(self) -> None:
        """For as long as the process serves."""
        while self._service is not None:
            await asyncio.sleep(LOOK_SECONDS)
            try:
                await self.look()
            except Exception as error:  # the database may be away: the next look tries again
                log.warning("it could not be looked which browsers to tell: %s", type(error).__name__)

    async def look(self) -> None:
        """Move the places of whoever has looked, and send what is due."""
        moves: list[Move] = []
        due: list[Unread] = []
        for _, found in groupby(await in_thread(subscriptions.unread), key=lambda line: line.digest):
            lines = list(found)
            is_read = self._log.feeds.is_read(lines[0].user_id)
            settled = lines if is_read else list(takewhile(self._is_settled, lines))
            if settled:
                moves.append(Move(settled[0].digest, settled[0].told, settled[-1].place))
                due += [] if is_read else newest(line for line in settled if line.is_to_be_told())
        moved = await self._log.write(partial(subscriptions.move, moves)) if moves else set()
        for line in due:
            if line.digest in moved and len(self._sending) < MOST_WAITING:
                task = asyncio.create_task(self._tell(line))
                self._sending.add(task)
                task.add_done_callback(self._sending.discard)

    @staticmethod
    def _is_settled(line: Unread) -> bool:
        return not line.is_to_be_told() or line.at <= timezone.now() - GRACE

    async def _tell(self, line: Unread) -> None:
        assert self._service is not None
        try:
            browser = await in_thread(partial(subscriptions.browser_of, line.digest))
            notice = await in_thread(partial(subscriptions.notice_of, line))
            if browser is None:
                return await self._log.write(partial(subscriptions.forget, line.digest))
            if notice is None:
                return
            async with self._places:
                outcome = await self._service.send(*browser, notice)
            await self._log.write(partial(AFTERWARDS[outcome], line.digest))
        except Exception as error:
            log.warning("a browser could not be told of an answer: %s", type(error).__name__)

    async def settled(self) -> None:
        """Until all that is on its way has been told, or could not be."""
        await asyncio.gather(*self._sending)

    async def close(self) -> None:
        """Break off what is on its way."""
        for task in self._sending:
            task.cancel()
        await asyncio.gather(*self._sending, return_exceptions=True)
        if self._service is not None:
            await self._service.close()


AFTERWARDS = {
    Outcome.SENT: subscriptions.clear_failures,
    Outcome.GONE: subscriptions.forget,
    Outcome.FAILED: subscriptions.count_failure,
}


def newest(lines: Iterable[Unread]) -> Iterator[Unread]:
    """The newest line of each chat, of the newest few chats."""
    by_chat = {line.conversation: line for line in lines}
    yield from sorted(by_chat.values(), key=lambda line: line.place)[-MOST_AT_A_LOOK:]
