"""`rerun_stream`: a recorded request, asked of the real server again."""

import asyncio
import json

import pytest

from tests.faults.arena import Arena, arena, upstream_port
from tests.faults.upstream import Script
from tests.recorded import HELLO
from tests.servers.process import free_port
from tests.servers.wondercam import WonderCam

__all__ = ["arena", "upstream_port"]


async def test_the_same_model_says_the_same_and_its_times_are_beside_the_recorded_ones(arena: Arena):
    server = await arena.shared()
    reader = arena.reader(server)
    await reader.ask("seed=8 words=20 gap=5")
    command = ["rerun_stream", reader.stream_id, "--url", server.url, "--json"]
    said = json.loads(await asyncio.to_thread(server.manage, *command))
    assert (said["equal"], said["error"]) == (True, "")
    assert said["now"]["text"] == said["recorded"]["text"] == Script(8, 20).text
    assert said["now"]["first_token_ms"] >= said["now"]["ok_ms"] > 0
    assert said["stream"] != reader.stream_id
    assert said["page"] == f"/admin/chat/stream/{reader.stream_id}/beside/{said['stream']}/"
    assert "seed=8" in json.dumps(arena.model.asked[1].json())


async def test_a_difference_is_shown_where_the_answers_part(arena: Arena):
    server = await arena.shared()
    said = await asyncio.to_thread(
        server.manage, "rerun_stream", str(HELLO), "--url", server.url, "--model", "openai/script"
    )
    assert "The answers differ after 0 characters:" in said
    assert "time to first token           212 ms" in said


def test_a_server_that_is_not_there_or_has_no_such_model_gets_a_sentence(shared_server: WonderCam):
    with pytest.raises(RuntimeError, match=r"ended with 1:(.|\n)*could not be asked"):
        shared_server.manage("rerun_stream", str(HELLO), "--url", f"http://127.0.0.1:{free_port()}")
    with pytest.raises(RuntimeError, match=r"ended with 1:(.|\n)*answered 4\d\d: "):
        shared_server.manage("rerun_stream", str(HELLO), "--url", shared_server.url, "--model", "no/such")
