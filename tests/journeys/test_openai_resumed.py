"""An answer of OpenAI's API whose connection is cut goes on at `/v2/streams/<its id>`, after the `seq` of a chunk."""

from typing import Any
from uuid import UUID

import httpx
import openai
import pytest

from chat.protocol import events
from chat.protocol.sse import Decoder
from tests.equality import equal
from tests.faults.arena import Arena
from tests.faults.proxy import Proxy
from tests.servers.wondercam import WonderCam


def asked(question: str) -> Any:
    """A request for one completion."""
    return {"model": "script", "messages": [{"role": "user", "content": question}]}


async def read_until_cut(url: str, key: str, said: list[Any]) -> None:
    """Ask by OpenAI's SDK, and keep the chunks until the connection breaks."""
    async with openai.AsyncOpenAI(base_url=f"{url}/v1", api_key=key, max_retries=0, timeout=90) as client:
        async for chunk in await client.chat.completions.create(**asked("words=40 gap=5 hold=20"), stream=True):
            said.append(chunk)


async def resumed(server: WonderCam, key: str, answer: str, seq: int, model: Any = None) -> list[Any]:
    """The responses after `seq`, up to the end; the model goes on once the reader is there."""
    headers = {"Authorization": f"Bearer {key}", "Last-Event-ID": str(seq)}
    decoder, found = Decoder(), []
    async with httpx.AsyncClient(base_url=server.url, headers=headers, timeout=90) as client:
        async with client.stream("GET", f"/v2/streams/{answer}") as response:
            assert response.status_code == 200
            if model is not None:
                model.let()
            async for piece in response.aiter_bytes():
                found += decoder.feed(piece)
        assert (await client.post(f"/v2/streams/{answer}/stop")).status_code == 200  # takes the same id
    assert found[-1].data == "[DONE]"
    return [events.decode(event.data) for event in found[:-1]]


@pytest.mark.parametrize("size", [3_000, 3_001, 3_100, 3_200], ids=lambda size: f"cut after {size} bytes")
async def test_what_a_cut_took_comes_by_the_answers_id_and_no_word_twice(arena: Arena, size: int) -> None:
    server = await arena.shared()
    key = arena.tokens[server.url]
    said: list[Any] = []
    async with Proxy(int(server.url.rpartition(":")[2]), "cut", size) as proxy:
        with pytest.raises((httpx.HTTPError, openai.APIError)):
            await read_until_cut(f"http://127.0.0.1:{proxy.port}", key, said)
        last = said[-1]
        rest = await resumed(server, key, last.id, last.wondercam["seq"], arena.model)

    words = "".join(chunk.choices[0].delta.content or "" for chunk in said)
    words += "".join(map(events.text_of, rest))
    assert 0 < last.wondercam["seq"] < 41
    assert words == await equal(server, key, str(UUID(last.id.removeprefix("chatcmpl-"))), replay=False)


async def test_whole_answers_are_read_again_by_their_ids_and_no_other_id_is_taken(arena: Arena) -> None:
    server = await arena.shared()
    key = arena.tokens[server.url]
    async with openai.AsyncOpenAI(base_url=f"{server.url}/v1", api_key=key, max_retries=0, timeout=90) as client:
        whole = await client.responses.create(model="script", input="words=5 gap=0")
        completion = await client.chat.completions.create(**asked("words=5 gap=0"))
    for answer, text in ((whole.id, whole.output_text), (completion.id, completion.choices[0].message.content)):
        assert "".join(map(events.text_of, await resumed(server, key, answer, 0))) == text
    async with httpx.AsyncClient(base_url=server.url, headers={"Authorization": f"Bearer {key}"}) as client:
        statuses = [
            (await client.get(f"/v2/streams/{answer}")).status_code
            for answer in ("chatcmpl-" + "0" * 32, "resp_" + "0" * 32, "chatcmpl-1", "run_" + "0" * 32)
        ]
    assert statuses == [404] * 4
