"""The page's receipt: nearly every event has all its times, on both sides."""

import asyncio
import sqlite3
import zlib
from array import array

from playwright.async_api import Page

from chat.protocol import write_times
from tests.faults.arena import environment, until
from tests.faults.upstream import upstream
from tests.servers.wondercam import Serve


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


async def test_a_turn_leaves_one_receipt_with_nearly_all_events_received_and_painted(serve: Serve, page: Page):
    async with upstream() as model:
        server = await asyncio.to_thread(serve, environment(model.url))
        await page.goto(server.url)
        for number in range(3):
            await page.get_by_role("textbox").fill(f"seed={number} words=60 gap=15")
            await page.keyboard.press("Enter")
            await until(lambda count=number + 1: len(receipts(server)) == count, "the receipt is kept")
    for stored, verdict, packed, offset, written in receipts(server):
        ticks = array("i", zlib.decompress(packed))
        painted = [ticks[at + 2] for at in range(0, len(ticks), 3) if ticks[at + 2] >= 0]
        assert len(painted) >= 0.99 * stored
        assert all(ticks[at + 2] >= ticks[at + 1] for at in range(0, len(ticks), 3))
        assert written is not None
        writes = write_times.unpack(written)
        assert [write.seq for write in writes] == list(range(stored))
        assert all(write.stored is not None and write.stored <= write.written for write in writes)
        assert 0 <= offset < 30_000_000
        assert verdict in {"good", "reader", "network"}  # the machine may be busy; nothing stands between
