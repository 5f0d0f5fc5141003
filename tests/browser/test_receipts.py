"""The page's receipt: nearly every event has all its times, on both sides.

WONDERCAM_TEST_SOAK=1 asks for 1,000 answers in chats of 20.
"""

import asyncio
import sqlite3
import zlib
from array import array

import pytest
from playwright.async_api import Page

from chat.protocol import write_times
from tests.faults.arena import environment, until
from tests.faults.upstream import upstream
from tests.servers.wondercam import Serve
from tests.soak import SOAK

ANSWERS, IN_A_CHAT = (1000, 20) if SOAK else (3, 3)


def receipts(server) -> list[tuple[int, str, bytes, int, bytes | None]]:
    """(events stored, verdict, packed, offset in µs, write times) of each receipt."""
    database = sqlite3.connect(server.data_dir / "wondercam.sqlite3")
    try:
        return database.execute(
            "SELECT last_seq + 1, verdict, r.packed, offset_us, w.packed FROM chat_receipt r JOIN chat_stream ON id = "
            "r.stream_id LEFT JOIN chat_writetimes w ON w.stream_id = r.stream_id"
        ).fetchall()
    finally:
        database.close()


@pytest.mark.timeout(7200 if SOAK else 300)
async def test_a_turn_leaves_one_receipt_with_nearly_all_events_received_and_painted(serve: Serve, page: Page):
    async with upstream() as model:
        server = await asyncio.to_thread(serve, environment(model.url))
        for number in range(ANSWERS):
            if number % IN_A_CHAT == 0:
                await page.goto(server.url)
            await page.get_by_role("textbox").fill(f"seed={number} words=60 gap=15")
            await page.keyboard.press("Enter")
            await until(lambda count=number + 1: len(receipts(server)) == count, "the receipt is kept")
    times = events = 0
    for stored, verdict, packed, offset, written in receipts(server):
        ticks = array("i", zlib.decompress(packed))
        painted = [ticks[at + 2] for at in range(0, len(ticks), 3) if ticks[at + 2] >= 0]
        times, events = times + len(painted), events + stored
        assert all(ticks[at + 2] >= ticks[at + 1] for at in range(0, len(ticks), 3))
        assert written is not None
        writes = write_times.unpack(written)
        assert [write.seq for write in writes] == list(range(stored))
        assert all(write.stored is not None and write.stored <= write.written for write in writes)
        assert 0 <= offset < 30_000_000
        assert verdict in {"good", "reader", "network"}  # the machine may be busy; nothing stands between
    assert times >= 0.99 * events, f"{times} of {events} events were painted"
    print(f"{times} of {events} events have all their times")
