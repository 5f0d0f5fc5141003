"""Bodies as upstreams send them: each is played as bytes by a real server, and read as far as anybody could read it.

`upstream_bodies.json` holds them: the body as texts, `{"base64"}`, `{"silence"}` in seconds and `"cut"`; what a reader
must have in the end (`text`, `thought`, `tokens`); and the end, as a finishReason or `error:<code>`, one of several.
"""

import asyncio
import base64
import gzip
import json
import random
import zlib
from collections.abc import Callable
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import brotli
import pytest

from chat.protocol import errors, events
from chat.providers.gemini import GeminiReader
from chat.providers.http.sse_response import IncomingAnswer, Reader
from chat.providers.http.unpacking import Unpacker
from chat.providers.openai_format import CompletionReader
from tests.catalogue import providers
from tests.fakes.server import Reply, Request, Server
from tests.unit.providers.conftest import ONCE, Outcome, ask

pytestmark = pytest.mark.servers

BODIES: list[dict[str, Any]] = json.loads(Path(__file__).with_name("upstream_bodies.json").read_text())
SAID = 'data: {"choices": [{"index": 0, "delta": {"content": "Rain."}, "finish_reason": "stop"}]}\n\ndata: [DONE]\n\n'


async def play(body: dict[str, Any], reply: Reply) -> None:
    """Send one body."""
    await reply.head(body.get("status", 200), body.get("content_type", "text/event-stream"), **body.get("headers", {}))
    for piece in body["body"]:
        if piece == "cut":
            return reply.cut()
        if isinstance(piece, dict) and "silence" in piece:
            await reply.silence(piece["silence"])
        else:
            await reply.send(base64.b64decode(piece["base64"]) if isinstance(piece, dict) else piece.encode())
    await reply.end()


def configure(server: Server, provider: str, **settings: str) -> None:
    """One model of that provider, behind the server."""
    given = {"OPENAI_BASE_URL": server.url} if provider == "openai" else {"GEMINI_BASE_URL": server.url}
    providers.configure({**ONCE, "WONDERCAM_MODELS": f"{provider}/m", "GEMINI_API_KEY": "key", **given, **settings})


def end_of(outcome: Outcome) -> str:
    return f"error:{outcome.error.code}" if outcome.error else str(outcome.reason)


@pytest.mark.parametrize("body", BODIES, ids=[body["name"] for body in BODIES])
async def test_a_body_is_read_to_its_end_or_refused_with_a_typed_error(body: dict[str, Any]) -> None:
    async with Server(lambda _, reply: play(body, reply)) as server:
        configure(server, body["name"].partition(":")[0])
        outcome = await ask(None)

    parts = [part for response in outcome.responses for part in events.parts_of(response)]
    assert outcome.text == body["text"]
    assert "".join(part["text"] for part in parts if part.get("thought")) == body.get("thought", "")
    assert [end for end in body["end"] if end_of(outcome).startswith(end)], end_of(outcome)
    assert all("error" not in response for response in outcome.responses)
    if "tokens" in body:
        assert outcome.responses[-1]["usageMetadata"]["totalTokenCount"] == body["tokens"]


async def test_a_server_that_refuses_stream_options_is_asked_once_more_and_never_again() -> None:
    async def strict(request: Request, reply: Reply) -> None:
        if "stream_options" in request.json():
            detail = [{"type": "extra_forbidden", "loc": ["body", "stream_options"], "msg": "Extra inputs"}]
            await reply.whole(422, {"object": "error", "message": {"detail": detail}})
        else:
            await reply.whole(200, SAID.encode(), "text/event-stream")

    async with Server(strict) as server:
        configure(server, "openai")
        first, second = await ask(None), await ask(None)

    assert (first.text, second.text) == ("Rain.", "Rain.")
    assert ["stream_options" in request.json() for request in server.requests] == [True, False, False]


async def test_a_server_that_has_another_name_for_the_answers_length_gets_that_name() -> None:
    async def renamed(request: Request, reply: Reply) -> None:
        if "max_tokens" in request.json():
            said = "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens'."
            await reply.whole(400, {"error": {"message": said, "code": "unsupported_parameter"}})
        else:
            await reply.whole(200, SAID.encode(), "text/event-stream")

    async with Server(renamed) as server:
        configure(server, "openai")
        outcome = await ask(None, generation={"maxOutputTokens": 7})

    assert outcome.text == "Rain."
    assert server.requests[-1].json()["max_completion_tokens"] == 7


@pytest.mark.parametrize("reason", ["stop", None])
async def test_a_server_that_stays_silent_after_its_reason_has_ended(reason: str | None) -> None:
    said = {"choices": [{"index": 0, "delta": {"content": "Rain."}, "finish_reason": reason}]}

    async def stay(request: Request, reply: Reply) -> None:
        await reply.head()
        await reply.send(f"data: {json.dumps(said)}\n\n".encode())
        await reply.stall()

    async with Server(stay) as server:
        configure(server, "openai", WONDERCAM_LIMIT_IDLE_SECONDS="0.3")
        outcome = await ask(None)

    assert outcome.text == "Rain."
    assert end_of(outcome) == ("STOP" if reason else "error:504")


@pytest.mark.parametrize("packing", ["gzip", "deflate", "br"])
async def test_a_compressed_body_that_grows_without_measure_is_refused(packing: str) -> None:
    pack: Any = {"gzip": gzip.compress, "deflate": zlib.compress, "br": partial(brotli.compress, quality=1)}[packing]
    bomb = pack(b"\n" * 50_000_000)

    async def burst(request: Request, reply: Reply) -> None:
        await reply.whole(200, bomb, "text/event-stream", Content_Encoding=packing)

    async with Server(burst) as server:
        configure(server, "openai")
        outcome = await ask(None)

    assert isinstance(outcome.error, errors.BadUpstream)


@pytest.mark.parametrize("packing", ["gzip", "gzip, untold", "deflate", "raw deflate", "br", "none", ""])
def test_a_packed_body_may_come_a_byte_at_a_time(packing: str) -> None:
    body = SAID.encode() * 50
    ways: Any = {"gzip": gzip.compress, "deflate": zlib.compress, "br": brotli.compress}
    plain = packing.split(",")[0]
    packed = zlib.compress(body)[2:-4] if packing == "raw deflate" else ways.get(plain, bytes)(body)
    unpacker = Unpacker("" if "untold" in packing else packing.removeprefix("raw "))
    assert b"".join(piece for byte in packed for piece in unpacker.feed(bytes([byte]))) == body


class Pieces:
    """A body whose pieces are given by hand, in place of a PushBody."""

    def __init__(self) -> None:
        self.ended = asyncio.get_running_loop().create_future()

    def over(self) -> "asyncio.Future[None]":
        """Its end."""
        return self.ended

    def on_data(self, call: Callable[[bytes], None]) -> None:
        """Who takes it."""
        self.take = call

    def close(self) -> None:
        """Nothing is to be closed."""


async def said(data: bytes, cuts: list[int], provider: str, encoding: str) -> tuple[str, str | None, int | None]:
    """The text, the reason and the error's code of a body that comes in these pieces."""
    chunks: list[events.Chunk] = []
    reader: Reader = CompletionReader("m", "X") if provider == "openai" else GeminiReader("X")
    body: Any = Pieces()
    answer = IncomingAnswer(body, "X", 1 << 20, reader, chunks.append, Unpacker(encoding))
    task = asyncio.create_task(answer.read())
    await asyncio.sleep(0)
    for start, end in pairwise([0, *sorted(cuts), len(data)]):
        body.take(data[start:end])
    if not body.ended.done():
        body.ended.set_result(None)
    (failed,) = await asyncio.gather(task, return_exceptions=True)
    assert failed is None or isinstance(failed, errors.ApiError)
    parts = [part for chunk in chunks for part in chunk.parts]
    text = "".join(part.get("text", "") for part in parts if not part.get("thought"))
    reason = next((chunk.reason for chunk in reversed(chunks) if chunk.reason), None)
    return text, reason, None if failed is None else failed.code


WHOLE = [body for body in BODIES if all(isinstance(piece, str) or "base64" in piece for piece in body["body"])]
WHOLE = [body for body in WHOLE if "cut" not in body["body"] and body.get("status", 200) == 200]


@pytest.mark.parametrize("body", WHOLE, ids=[body["name"] for body in WHOLE])
async def test_wherever_a_body_is_parted_it_says_the_same(body: dict[str, Any]) -> None:
    data = b"".join(
        base64.b64decode(piece["base64"]) if isinstance(piece, dict) else piece.encode() for piece in body["body"]
    )
    provider, encoding = body["name"].partition(":")[0], body.get("headers", {}).get("Content-Encoding", "")
    whole = await said(data, [], provider, encoding)
    dice = random.Random(body["name"])
    for many in (1, 1, 1, 2, 2, 5, 20, len(data)):
        cuts = [dice.randrange(len(data) + 1) for _ in range(many)]
        assert await said(data, cuts, provider, encoding) == whole, cuts
