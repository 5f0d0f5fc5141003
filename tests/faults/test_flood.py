"""One upstream that sends as fast as it is read: the other streams go on meanwhile."""

import asyncio

import pytest

from tests.faults.arena import Arena
from tests.faults.test_slow_disk import gaps

QUIET = "words=60 gap=40"
FLOOD = "words=8000 gap=0.001"

SILENCE = 1.0
"""Seconds that the flood may add to the longest silence of another stream; reader and model share a core here."""


@pytest.mark.soak
async def test_a_model_that_floods_one_stream_does_not_silence_the_others(arena: Arena):
    server = await arena.serve()
    token = arena.tokens[server.url]

    async def longest(question: str) -> float:
        return max([gap async for gap in gaps(server, token, question)])

    usual = max(await asyncio.gather(*(longest(QUIET) for _ in range(3))))
    _, *others = await asyncio.gather(longest(FLOOD), *(longest(QUIET) for _ in range(3)))

    assert max(others) < usual + SILENCE
