"""`?poll=1`: what is stored now, and no more; for readers to whom something on the way holds a stream back."""

from typing import Any
from uuid import uuid4

import httpx
import pytest

from chat.log import Log
from chat.process import this_process
from chat.views import event_stream
from tests.inside import new_stream, on_a_connection_of_its_own
from tests.servers.wondercam import Serve

LONG = {"WONDERCAM_MODELS": "recording/long", "WONDERCAM_RECORDING_SPEED": "4"}
PARTS = [{"text": "Why is the sky blue?"}]


@pytest.fixture
def client(serve: Serve) -> Any:
    """A guest of a server that plays a long answer."""
    with serve(LONG).client() as client:
        yield client


def begin(client: httpx.Client, **fields: Any) -> httpx.Response:
    """Ask, and take what is there at once."""
    return client.post("/v2/echat?poll=1", json={"contents": PARTS, **fields}).raise_for_status()


def seqs(answer: httpx.Response) -> list[int]:
    """The seqs of the events in an answer."""
    return [int(line.rsplit(":", 1)[1]) for line in answer.text.splitlines() if line.startswith("id: ")]


def test_polls_put_together_are_the_stream_and_only_the_last_says_done(client: httpx.Client):
    polled = [begin(client)]
    stream, seen = polled[0].headers["X-Stream-Id"], seqs(polled[0])
    while "[DONE]" not in polled[-1].text:
        cursor = {"poll": "1", "after": str(seen[-1])}
        polled.append(client.get(f"/v2/streams/{stream}", params=cursor).raise_for_status())
        seen += seqs(polled[-1])

    assert len([answer for answer in polled if seqs(answer)]) > 1
    assert seen == list(range(len(seen)))
    assert polled[-1].text.endswith("data: [DONE]\n\n")
    whole = client.get(f"/v2/streams/{stream}").text
    assert "".join(answer.text.removeprefix("retry: 1000\n").removesuffix("data: [DONE]\n\n") for answer in polled) == (
        whole.removeprefix("retry: 1000\n").removesuffix("data: [DONE]\n\n")
    )
    assert client.get(f"/v2/streams/{stream}", params={"poll": "1", "after": str(seen[-1])}).status_code == 204


def test_asking_again_with_the_same_key_joins_and_tells_what_there_is(client: httpx.Client):
    first, second = begin(client, request_id="one"), begin(client, request_id="one")

    assert first.headers["X-Stream-Id"] == second.headers["X-Stream-Id"]
    assert seqs(first)[0] == seqs(second)[0] == 0


def test_a_foreign_stream_cannot_be_polled(client: httpx.Client, serve: Serve):
    stream = begin(client).headers["X-Stream-Id"]
    other = httpx.post(f"{client.base_url}/v2/auth/guest", timeout=90).json()["access"]
    answer = httpx.get(
        f"{client.base_url}/v2/streams/{stream}?poll=1", headers={"Authorization": f"Bearer {other}"}, timeout=90
    )

    assert answer.status_code == 404


async def polled(name: Any, after: int = -1) -> bytes:
    """The bytes of one poll."""
    return b"".join([piece async for piece in event_stream.so_far(this_process().log, name, after)])


async def test_a_stream_that_runs_is_told_without_an_end(log: Any):
    stream = await on_a_connection_of_its_own(new_stream)

    assert (await polled(stream.pk)).count(b"\nid: ") == 1
    assert await polled(stream.pk, 0) == b"retry: 1000\n"


async def test_nothing_escapes_when_the_log_cannot_be_read(monkeypatch: pytest.MonkeyPatch):
    async def broken(*_: object) -> None:
        raise OSError("disk")

    monkeypatch.setattr(Log, "read", broken)

    assert await polled(uuid4()) == b""
