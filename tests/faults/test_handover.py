"""A server that is told to stop hands its unfinished answers over: a rolling restart interrupts none (G9)."""

import asyncio
from typing import Any

from chat.protocol import events
from tests.equality import check_log, equal
from tests.faults.arena import Arena, asking
from tests.faults.reader import Reader
from tests.faults.upstream import Script
from tests.servers.wondercam import WonderCam

ALL = {"WONDERCAM_CONTINUE": "all", "WONDERCAM_DRAIN_SECONDS": "0", "WONDERCAM_LEASE_SECONDS": "300"}
"""With leases that nobody lives to see lapse: what goes on does so since it was handed over."""


async def handed_over_by(server: WonderCam, stream_id: str) -> list[dict[str, Any]]:
    """What the stream says of its workers, event by event."""
    log = await asyncio.to_thread(check_log, server, stream_id)
    said = (events.decode(event.data).get("wondercam") or {} for event in log)
    return [ours[events.PICKED_UP] for ours in said if events.PICKED_UP in ours]


async def test_what_one_of_two_servers_cannot_finish_goes_on_at_the_other(arena: Arena, postgres_url: str):
    server = await arena.serve({**ALL, "DATABASE_URL": postgres_url})
    neighbour = await arena.beside(server)
    askers = [arena.reader(server) for _ in range(4)]
    questions = [f"seed={number} words=30 hold=9" for number in range(4)]
    asked = await asyncio.gather(*map(asking, askers, questions, [9] * 4))
    beside = Reader(neighbour.url, askers[0].token, askers[0].stream_id)
    reading = asyncio.create_task(beside.follow())
    for asker in askers:
        asker.url = neighbour.url  # where whoever is cut off is sent next
    assert await asyncio.to_thread(server.terminate) == 0
    arena.model.let()
    await asyncio.gather(reading, *asked)

    assert [asker.connections for asker in [*askers, beside]] == [2, 2, 2, 2, 1]
    for number, asker in enumerate(askers):
        text = await equal(neighbour, asker.token, asker.stream_id, asker, *([beside] if number == 0 else []))
        assert (asker.end, text) == (events.COMPLETE, Script(number, 30).text)
        assert [each["handed_over"] for each in await handed_over_by(neighbour, asker.stream_id)] == [True]


async def test_a_server_that_is_restarted_goes_on_with_its_own(arena: Arena):
    server = await arena.serve(ALL)
    asker = arena.reader(server)
    asked = await asking(asker, "seed=40 words=30 hold=9", seq=9)
    assert await asyncio.to_thread(server.terminate) == 0
    await asyncio.to_thread(server.restart)
    arena.model.let()
    await asked

    assert asker.end == events.COMPLETE
    assert await equal(server, asker.token, asker.stream_id, asker) == Script(40, 30).text
    assert [each["handed_over"] for each in await handed_over_by(server, asker.stream_id)] == [True]
