"""Draining: a process that goes down waits for its turns, then hands the rest over to other processes, or ends it."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping
from time import monotonic
from typing import Any
from uuid import UUID

from chat.protocol import events
from chat.turns.leases import each
from chat.turns.turn import HANDED_OVER, Turn


async def drain(
    turns: Mapping[UUID, Turn],
    starting: Collection["asyncio.Task[Any]"],
    grace: float,
    may_go_on_elsewhere: Callable[[Turn], Awaitable[bool]],
) -> None:
    """Wait `grace` seconds for the turns that run or are being started; then hand over those that may go on elsewhere,
    and end the rest as interrupted. `turns` loses each turn as it ends."""
    until, released = monotonic() + grace, set[UUID]()

    async def release(turn: Turn) -> None:
        released.add(turn.stream_id)
        turn.cut_short(HANDED_OVER if await may_go_on_elsewhere(turn) else events.INTERRUPTED)

    while tasks := [*starting, *(turn.task for turn in turns.values() if turn.task is not None)]:
        left = until - monotonic()
        if left <= 0:
            await each(release, [turn for pk, turn in turns.items() if pk not in released])
        await asyncio.wait(tasks, timeout=max(left, 0) or None, return_when=asyncio.FIRST_COMPLETED)
