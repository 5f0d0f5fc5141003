"""A network that cuts, holds, trickles and buffers: the answer arrives, once and in order (G2, G3, G6)."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from time import monotonic

import httpx
import pytest
import pytest_asyncio

from chat.protocol import events
from tests.equality import check_log, equal, row_of
from tests.faults.arena import Arena, asking, until
from tests.faults.proxy import Proxy
from tests.faults.reader import CUT, Reader, request
from tests.faults.upstream import Script
from tests.servers.wondercam import WonderCam
from tests.soak import SOAK


@pytest_asyncio.fixture
async def server(arena: Arena) -> AsyncIterator[WonderCam]:
    yield await arena.shared()


async def bytes_of(reader: Reader) -> range:
    """The places in a whole reading of the stream at which it can be cut, from the end of its head."""
    async with request("GET", f"{reader.url}/v2/streams/{reader.stream_id}", bearer(reader)) as response:
        pieces = [len(piece) async for piece in response.pieces()]
        framing = sum(len(f"{size:x}") + 4 for size in pieces) + 5
        return range(response.head_size, response.head_size + sum(pieces) + framing)


def bearer(reader: Reader) -> dict[str, str]:
    return {"Authorization": f"Bearer {reader.token}"}


async def test_a_client_cut_off_at_every_single_byte_gets_it_all_once(arena: Arena, server: WonderCam):
    first = arena.reader(server)
    await first.ask("seed=11 words=2")
    sliced = asyncio.Semaphore(16)

    async def cut_at(number: int) -> Reader:
        reader = first.joined()
        async with sliced, Proxy(server.port, "cut", number) as proxy:
            reader.url = proxy.url
            with contextlib.suppress(*CUT):
                await reader.once()
            reader.url = server.url
            await reader.follow()
        return reader

    readers = await asyncio.gather(*(cut_at(number) for number in await bytes_of(first)))

    assert [reader.faults for reader in readers if reader.faults] == []
    assert all(reader.shown == first.shown for reader in readers)
    assert {reader.connections for reader in readers} == {1, 2}
    await equal(server, first.token, first.stream_id, first)


async def test_a_live_stream_cut_every_few_hundred_bytes_is_generated_once(arena: Arena, server: WonderCam):
    async with Proxy(server.port, "cut", 2500) as proxy:
        reader = arena.reader(server)
        reader.url = proxy.url
        await reader.ask("seed=12 words=60 gap=5")

    assert reader.connections > 5
    assert reader.end == events.COMPLETE
    assert len(arena.model.asked) == 1
    assert await equal(server, reader.token, reader.stream_id, reader) == Script(12, 60).text


async def test_a_proxy_that_cuts_after_silence_costs_only_reconnections(arena: Arena, server: WonderCam):
    async with Proxy(server.port, "silence", 100) as proxy:
        reader = arena.reader(server)
        reader.url = proxy.url
        await reader.ask("seed=13 words=4 gap=250")

    assert reader.connections > 2
    assert await equal(server, reader.token, reader.stream_id, reader, replay=False) == Script(13, 4).text


async def test_a_proxy_that_buffers_everything_delivers_the_same(arena: Arena, server: WonderCam):
    async with Proxy(server.port, "buffer") as proxy:
        reader = arena.reader(server)
        reader.url = proxy.url
        await reader.ask("seed=14 words=20 gap=5")

    assert reader.connections == 1
    assert await equal(server, reader.token, reader.stream_id, reader, replay=False) == Script(14, 20).text


@pytest.mark.parametrize("fault", ["hold", "half-open"])
async def test_a_reader_that_vanished_without_a_word_holds_nobody_up(arena: Arena, server: WonderCam, fault: str):
    async with Proxy(server.port, fault, 4000) as proxy:
        lost = arena.reader(server)
        lost.url = proxy.url
        stuck = await asking(lost, "seed=15 words=40 gap=10 size=2000", seq=0)
        other = Reader(server.url, lost.token, lost.stream_id)
        await other.follow()
        stuck.cancel()
        await asyncio.gather(stuck, return_exceptions=True)
    lost.url = server.url
    await lost.follow()

    assert other.end == events.COMPLETE
    assert lost.shown == other.shown
    await equal(server, lost.token, lost.stream_id, other, replay=False)


async def test_a_disconnect_never_stops_a_generation(arena: Arena, server: WonderCam):
    reader = arena.reader(server)
    task = await asking(reader, "seed=16 words=30 gap=10", seq=2)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    late = Reader(server.url, reader.token, reader.stream_id)
    await late.follow()

    assert late.end == events.COMPLETE
    assert await equal(server, reader.token, reader.stream_id, late, replay=False) == Script(16, 30).text


def memory(server: WonderCam) -> int:
    """The server's resident memory, in bytes."""
    status = Path(f"/proc/{server.pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) * 1024


async def test_readers_that_read_nothing_cost_little_and_slow_nobody(arena: Arena):
    server = await arena.serve({"WONDERCAM_LIMIT_OUTPUT_BYTES": str(32 * 2**20)})
    asker = arena.reader(server)
    await asker.ask("seed=17 words=400 size=20000")  # 8 MB
    await asyncio.gather(*(asker.joined().follow() for _ in range(20)))  # what reading itself takes is there now
    before = memory(server)
    sockets = [idle_reader(server, asker) for _ in range(20)]
    async with Proxy(server.port, "trickle", 1) as slow:
        trickling = [asyncio.create_task(Reader(slow.url, asker.token, asker.stream_id).follow()) for _ in range(20)]
        await asyncio.sleep(1)
        began = monotonic()
        reader = arena.reader(server)
        await reader.ask("seed=18 words=50 gap=5")
        took = monotonic() - began
        grown = memory(server) - before
        for task in trickling:
            task.cancel()
        await asyncio.gather(*trickling, return_exceptions=True)
    for each in sockets:
        each.close()

    assert grown < 10 * 2**20, f"{grown / 2**20:.0f} MiB for 40 readers who do not read"
    assert took < 20
    assert reader.text == Script(18, 50).text


def idle_reader(server: WonderCam, asker: Reader) -> socket.socket:
    """A client that asks for a stream and then reads nothing, with as little room for it as the system gives."""
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.connect(("127.0.0.1", server.port))
    head = (
        f"GET /v2/streams/{asker.stream_id} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {asker.token}\r\n\r\n"
    )
    client.sendall(head.encode())
    return client


@pytest.mark.slow
async def test_500_clients_that_reconnect_at_once_have_all_resumed_within_30_seconds(arena: Arena, server: WonderCam):
    neighbour = await arena.beside(server)
    asker = arena.reader(server)
    asked = await asking(asker, "seed=19 words=40 gap=150", seq=3)
    began = monotonic()
    readers = [Reader(url, asker.token, asker.stream_id, last=1) for url in (server.url, neighbour.url) * 250]
    await asyncio.gather(*(reader.follow() for reader in readers))
    took = monotonic() - began
    await asked

    assert took < (30 if SOAK else 200)
    assert [reader.faults for reader in readers if reader.faults] == []
    assert all(reader.shown == {seq: data for seq, data in asker.shown.items() if seq > 1} for reader in readers)


CURSORS = {
    "{id}:999999": 400,
    "{id}:-1": 400,
    "{id}:1e3": 400,
    "{id}:": 400,
    "{id}:99999999999999999999": 400,
    "x" * 5000: 400,
    "00000000-0000-0000-0000-000000000000:0": 400,
    "nonsense:0": 400,
    "../../etc/passwd:0": 400,
    "%D9%A1": 400,
    "{id}:{last}": 204,
    "{last}": 204,
    "{id}:0": 200,
    "0": 200,
    "": 200,
}
"""What a client may send as its cursor, and what it gets."""


async def test_a_cursor_that_is_none_is_refused_and_never_echoed(arena: Arena, server: WonderCam):
    reader = arena.reader(server)
    await reader.ask("words=2")
    async with httpx.AsyncClient(base_url=server.url, timeout=90) as client:
        for cursor, status in CURSORS.items():
            text = cursor.format(id=reader.stream_id, last=reader.last)
            path = f"/v2/streams/{reader.stream_id}"
            by_header = await client.get(path, headers={**bearer(reader), "Last-Event-ID": text})
            by_query = await client.get(path, headers=bearer(reader), params={"after": text})

            assert (by_header.status_code, by_query.status_code) == (status, status), cursor
            assert "passwd" not in by_header.text + by_query.text


async def test_foreign_streams_and_unknown_ones_are_the_same_404(arena: Arena, server: WonderCam):
    reader = arena.reader(server)
    await reader.ask("words=2")
    stranger = await asyncio.to_thread(server.guest)
    answers = []
    for stream_id in (reader.stream_id, "00000000-0000-0000-0000-000000000000"):
        async with request(
            "GET", f"{server.url}/v2/streams/{stream_id}", {"Authorization": f"Bearer {stranger}"}
        ) as it:
            answers.append((it.status, await it.body()))
        async with request(
            "POST", f"{server.url}/v2/streams/{stream_id}/stop", {"Authorization": f"Bearer {stranger}"}
        ) as it:
            answers.append((it.status, await it.body()))

    assert {status for status, _ in answers} == {404}
    assert len(set(answers)) == 1


async def test_a_sign_out_stops_the_answer_and_its_reader_within_30_seconds(arena: Arena, server: WonderCam):
    async with httpx.AsyncClient(base_url=server.url, timeout=90) as client:
        pair = (await client.post("/v2/auth/guest")).json()
        reader = Reader(server.url, pair["access"])
        task = await asking(reader, "seed=20 words=80 gap=250 then=stall", seq=2)
        assert (await client.post("/v2/auth/logout", json={"refresh": pair["refresh"]})).status_code == 204
        began = monotonic()
        await task
        assert monotonic() - began < (30 if SOAK else 200)
        await until(lambda: row_of(server, reader.stream_id)["status"] == events.STOPPED, "the answer's end", 60)

    assert reader.faults == []
    assert reader.refusal or reader.end == events.STOPPED
    assert Script(20, 80).text.startswith(events.answer_text(check_log(server, reader.stream_id)))


async def test_a_disabled_user_s_answer_is_stopped_and_its_reader_told(arena: Arena):
    server = await arena.serve()
    reader = arena.reader(server)
    task = await asking(reader, "seed=21 words=3 then=stall", seq=3)
    code = "from chat.models import User\nfor u in User.objects.all(): u.is_active = False; u.save()"
    await asyncio.to_thread(server.manage, "shell", "-v", "0", "-c", code)
    took = await until(lambda: reader.done, "the reader is told")
    await asyncio.gather(task, return_exceptions=True)

    assert took < (30 if SOAK else 200)
    assert reader.end == events.STOPPED
    assert len(arena.model.left) == 1
