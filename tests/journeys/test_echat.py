"""A question's whole way: asked, stored, generated, followed, resumed, joined, stopped."""

from chat import events
from tests.equality import equal
from tests.faults.arena import Arena
from tests.faults.upstream import Script


async def test_an_answer_reads_the_same_everywhere(arena: Arena):
    server = await arena.serve()
    reader = arena.reader(server)

    await reader.ask("seed=1 words=30 gap=2")

    assert reader.end == events.COMPLETE
    assert reader.connections == 1
    assert await equal(server, reader.token, reader.stream_id, reader) == Script(1, 30).text
