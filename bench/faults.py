"""Two things that happen to every public server: readers that never read, and readers that all come back at once."""

import asyncio
import time

from bench.load import Reader, Tally, arrive, connect, over, request
from bench.loads import Load, Result, asking, percentile, summarize
from bench.servers import Server

SILENT = Load("silent", 10, 100, 1000, 0.02, size=20_000)
BESIDE = Load("beside", 50, 100, 180, 0.1)
DROPPED = Load("resume", 500, 100, 14, 1.0)


async def silent_readers(server: Server) -> Result:
    """20 MB offered to each of ten readers: first they read, then they never do. 50 others stream beside them."""
    result = Result(server.key, SILENT.name)
    result.others_p99_before, reading = await beside(server, reads=True)
    result.others_p99, silent = await beside(server, reads=False)
    result.held = float(max(silent - reading, 0))
    result.threads = server.usage().threads
    return result


async def beside(server: Server, reads: bool) -> tuple[float, int]:
    """Ten great streams and fifty small ones: the small ones' added p99 (ms) and the server's greatest memory."""
    server.sign_in()
    great, small = Tally(), Tally()
    message = request("POST", "/v2/echat", server.token, SILENT.question)
    ten = await arrive(server.port, SILENT.per_second, [lambda: Reader(great, message, reads=reads)] * SILENT.streams)
    fifty = asyncio.ensure_future(arrive(server.port, BESIDE.per_second, asking(server, BESIDE, small)))
    peak, until = 0, time.monotonic() + SILENT.life + 1
    while time.monotonic() < until:
        await asyncio.sleep(0.1)
        peak = max(peak, server.usage().rss)
    await over(await fifty, 10)
    await over(ten, 5 if reads else 0)
    if great.failures or small.failures or (reads and sum(reader.received for reader in ten) == 0):
        raise RuntimeError(f"{server.key}, readers that never read: {(great.failures + small.failures)[:3]}")
    await asyncio.sleep(1)
    return percentile([(read - sent) / 1e6 for sent, read in zip(small.sent, small.read, strict=True)], 0.99), peak


async def dropped_readers(server: Server) -> Result:
    """500 readers lose their connection at once, miss two events each, and come back at once."""
    server.sign_in()
    tally, again = Tally(), Tally()
    readers = await arrive(server.port, DROPPED.per_second, asking(server, DROPPED, tally))
    await asyncio.sleep(1)
    for reader in readers:
        reader.close()
    await asyncio.sleep(2)
    back = time.monotonic_ns()
    resumed = [Reader(again, resuming(server, reader), reader.next_index) for reader in readers]
    await asyncio.gather(*(connect(server.port, reader) for reader in resumed))
    await over(resumed, DROPPED.life + 10)
    result = summarize(Result(server.key, DROPPED.name), resumed, again, 0)
    missed = [read for sent, read in zip(again.sent, again.read, strict=True) if sent <= back]
    result.caught_up = (max(missed, default=back) - back) / 1e9 if missed else None
    result.lost = sum(DROPPED.events - old.received - new.received for old, new in zip(readers, resumed, strict=True))
    result.failures += len(tally.failures)
    result.sample += tally.failures[:3]
    return result


def resuming(server: Server, reader: Reader) -> bytes:
    """The request of a reader that comes back."""
    cursor = f"Last-Event-ID: {reader.stream_id}:{reader.seq}\r\n"
    return request("GET", f"/v2/streams/{reader.stream_id}", server.token, headers=cursor)
