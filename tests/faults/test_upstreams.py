"""Whatever the model's server does, the stream ends, typed, with what came before it (G3, G8).

The faults themselves are tried one by one on the providers; here each goes the whole way into the log.
"""

import asyncio
import json
from typing import Any

from chat.protocol import events
from tests.equality import equal, row_of
from tests.faults.arena import Arena
from tests.faults.reader import Reader
from tests.faults.upstream import Script
from tests.servers.postgres import Postgres
from tests.servers.wondercam import WonderCam

QUICK = {"WONDERCAM_LIMIT_IDLE_SECONDS": "3", "WONDERCAM_LIMIT_FIRST_TOKEN_SECONDS": "3"}

ENDS: dict[str, tuple[str, int | None]] = {
    "stop": (events.COMPLETE, None),
    "length": (events.COMPLETE, None),
    "filter": (events.COMPLETE, None),
    "twice": (events.COMPLETE, None),
    "truncate": (events.FAILED, 502),
    "done-only": (events.COMPLETE, None),
    "mid-json": (events.FAILED, 502),
    "mid-utf8": (events.FAILED, 502),
    "cut": (events.FAILED, 502),
    "error": (events.FAILED, 503),
    "error-bare": (events.FAILED, 503),
    "garbage": (events.FAILED, 502),
    "long-line": (events.FAILED, 502),
    "stall": (events.FAILED, 504),
    "comments": (events.FAILED, 504),
}
"""How the body goes on after three words, and what comes of it."""

REFUSALS = {"400": 400, "401": 403, "403": 403, "404": 404, "413": 413, "429": 429, "500": 500, "503": 503, "529": 503}
"""What the upstream answers at once, and the code of the error that becomes of it."""


async def test_every_fault_in_the_middle_ends_typed_with_the_partial_kept(arena: Arena):
    server = await arena.serve(QUICK)

    async def one(then: str) -> tuple[str, int | None]:
        reader = arena.reader(server)
        await reader.ask(f"seed=50 words=3 then={then}")
        assert await equal(server, reader.token, reader.stream_id, reader, replay=False) == Script(50, 3).text, then
        return reader.end, (row_of(server, reader.stream_id)["error"] or {}).get("code")

    found = await asyncio.gather(*(one(then) for then in ENDS))

    assert dict(zip(ENDS, found, strict=True)) == ENDS


async def test_every_refusal_before_the_first_token_is_a_typed_end(arena: Arena):
    server = await arena.serve(QUICK)
    for status, code in REFUSALS.items():
        reader = arena.reader(server)
        await reader.ask(f"then={status}")

        assert reader.end == events.FAILED
        assert row_of(server, reader.stream_id)["error"]["code"] == code
        assert await equal(server, reader.token, reader.stream_id, reader, replay=False) == ""


async def test_words_after_the_end_are_part_of_the_answer(arena: Arena):
    server = await arena.serve()
    reader = arena.reader(server)
    await reader.ask("seed=53 words=3 then=late")

    assert reader.end == events.COMPLETE
    assert await equal(server, reader.token, reader.stream_id, reader) == Script(53, 3).text + "late"


async def test_a_model_that_is_not_there_is_a_typed_end(arena: Arena):
    server = await arena.serve()
    arena.model._server.close()
    await asyncio.sleep(0)
    reader = arena.reader(server)
    await reader.ask("words=3")

    assert (reader.end, error_of(reader)["code"]) == (events.FAILED, 503)


def error_of(reader: Reader) -> Any:
    return json.loads(reader.shown[reader.last])["error"]


async def nul(server: WonderCam, reader: Reader) -> None:
    await reader.ask("seed=51 words=2 then=nul")

    assert reader.end == events.COMPLETE
    text = await equal(server, reader.token, reader.stream_id, reader)
    assert text == Script(51, 2).text + "a\ufffdb"


async def test_a_nul_in_an_answer_is_replaced_on_sqlite(arena: Arena):
    server = await arena.shared()
    await nul(server, arena.reader(server))


async def test_a_nul_in_an_answer_is_replaced_on_postgres(arena: Arena, postgres: Postgres):
    server = await arena.serve({"DATABASE_URL": postgres.new_database()})
    await nul(server, arena.reader(server))


async def test_ten_thousand_tokens_at_once_arrive_in_order(arena: Arena):
    server = await arena.shared()
    reader = arena.reader(server)
    await reader.ask("seed=52 words=10000")

    assert reader.end == events.COMPLETE
    assert await equal(server, reader.token, reader.stream_id, reader, replay=False) == Script(52, 10000).text
