"""The probe: events at a known pace, each with its send time."""

import json

import pytest
from django.test import AsyncClient

from chat.protocol.sse import Decoder


async def events_of(address: str) -> list[str]:
    response = await AsyncClient().get(address)
    assert response.status_code == 200
    assert response.headers["Content-Type"] == "text/event-stream"
    body = b"".join([piece async for piece in response])  # type: ignore[attr-defined]
    return [event.data for event in Decoder().feed(body)]


async def test_as_many_events_come_as_were_asked_for_and_then_the_end():
    *events, end = await events_of("/v2/probe?events=5&gap=10")

    assert end == "[DONE]"
    assert [json.loads(data)["wondercam"]["probe"]["due_ms"] for data in events] == [0, 10, 20, 30, 40]


async def test_no_event_is_sent_before_it_is_due():
    *events, _ = await events_of("/v2/probe?events=8&gap=15")

    probes = [json.loads(data)["wondercam"]["probe"] for data in events]
    assert all(probe["sent_ms"] >= probe["due_ms"] - 1 for probe in probes)


@pytest.mark.parametrize("query", ["events=0", "events=201", "gap=x", "gap=99999", "events=200&gap=2000", "events=-1"])
async def test_what_cannot_be_probed_is_refused_with_a_sentence(query):
    response = await AsyncClient().get(f"/v2/probe?{query}")

    assert response.status_code == 400
    assert response.json()["error"]["message"].endswith(".")


async def test_the_first_event_alone_says_which_headers_arrived():
    response = await AsyncClient().get("/v2/probe?events=2&gap=1", headers={"Last-Event-ID": "x:1"})
    body = b"".join([piece async for piece in response])  # type: ignore[attr-defined]
    first, second, _ = [event.data for event in Decoder().feed(body)]

    seen = json.loads(first)["wondercam"]["probe"]["request"]
    assert {name: seen[name] for name in ("last-event-id", "authorization")} == {
        "last-event-id": True,
        "authorization": False,
    }
    assert "request" not in json.loads(second)["wondercam"]["probe"]
