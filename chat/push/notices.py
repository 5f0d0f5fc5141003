"""`Notices`: finds the browsers to be notified of ended answers, and sends the notifications.

Every process checks every `LOOK_SECONDS`. If it serves a user's feed to a visible page, it moves the cursors of the
user's subscriptions without sending. An end that is after a cursor for longer than GRACE, in which each process has
checked, is sent by the process that moves the cursor.
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
"""Messages sent concurrently; a push service that does not respond takes one of these for 10 s."""
MOST_WAITING = 1000
"""The most messages that wait to be sent; others are dropped."""
MOST_AT_A_LOOK = 3
"""The most chats of which a browser is notified at once, the newest ones."""


class Notices:
    """The notifications of one process. `service` is None if the site has no keys: then it does nothing."""

    def __init__(self, event_log: Log, service: PushService | None) -> None:
        self._log = event_log
        self._service = service
        self._places = asyncio.Semaphore(AT_ONCE)
        self._sending: set[asyncio.Task[None]] = set()

    @property
    def public_key(self) -> str:
        """The site's public key for browsers; "" if Web Push is off."""
        return "" if self._service is None else self._service.public_key

    async def keep_looking(self) -> None:
        """Check every `LOOK_SECONDS` while the process serves."""
        while self._service is not None:
            await asyncio.sleep(LOOK_SECONDS)
            try:
                await self.look()
            except Exception as error:  # the database may be away: the next check tries again
                log.warning("browsers to be notified could not be looked up: %s", type(error).__name__)

    async def look(self) -> None:
        """Move cursors, and send the notifications that are due."""
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
            log.warning("a browser could not be notified of an answer: %s", type(error).__name__)

    async def settled(self) -> None:
        """Wait for the messages that are being sent."""
        await asyncio.gather(*self._sending)

    async def close(self) -> None:
        """Cancel the messages that are being sent."""
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
