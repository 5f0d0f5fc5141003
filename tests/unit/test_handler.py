"""The site's ASGI handler: what blocks in one request holds up no other while a thread is free."""

import asyncio
import threading
from typing import Any

from asgiref.sync import sync_to_async

from wondercam.handler import EXECUTORS, Handler


class Blocking(Handler):
    """Answers each request by a call that blocks until all `EXECUTORS` of them are in their threads."""

    def __init__(self) -> None:
        super().__init__()
        self.together = threading.Barrier(EXECUTORS)
        self.passed = 0

    async def answer(self, scope: Any, receive: Any, send: Any) -> None:
        await asyncio.sleep(0)  # as a view does that has something to await before it asks the database
        await sync_to_async(self.together.wait)(60)
        self.passed += 1


async def test_requests_that_arrive_together_block_in_threads_of_their_own():
    handler = Blocking()
    await asyncio.gather(*(handler({"path": "/v2/models"}, None, None) for _ in range(EXECUTORS)))
    assert handler.passed == EXECUTORS
    for executor in handler.executors:
        executor.shutdown()
