"""A reader's receipt: packed, judged, kept once for each stream, and only for one's own."""

import json
import random

import pytest
from django.test import Client

from chat.accounts import tokens
from chat.models import Receipt, Stream, User
from chat.protocol import receipt
from chat.protocol.receipt import Arrival
from tests.recorded import LONG, imported

GAP = 50_000
MOMENTS = [seq * GAP for seq in range(60)]


def arrivals(later=lambda seq, at: at, paint=8.0, uplink=6.0, downlink=4.0):
    """How events that were stored every 50 ms reach a reader, in ms on its clock."""
    found = [later(seq, at / 1000 + uplink + downlink) for seq, at in enumerate(MOMENTS)]
    return [Arrival(seq, ms, ms + paint) for seq, ms in enumerate(found)]


def verdict(found, busy_ms=0.0):
    return receipt.delivery(MOMENTS, found, busy_ms).verdict


# Arithmetic


def test_what_is_packed_comes_back_to_a_tenth_of_a_ms():
    dice = random.Random(3)
    told = [
        Arrival(seq, round(seq * 50 + dice.random(), 1), None if seq % 7 else seq * 50.0 + 16) for seq in range(500)
    ]
    packed = receipt.pack(told)
    assert receipt.unpack(packed) == told
    assert len(packed) < 500 * 8


def test_the_hops_add_up_to_when_it_was_painted():
    found = receipt.delivery(MOMENTS, arrivals())
    for hop, arrival in zip(found.hops, arrivals(), strict=True):
        assert hop.uplink + hop.server + hop.downlink + hop.paint == pytest.approx(arrival.painted)


def test_the_clocks_offset_is_within_its_error():
    for uplink, downlink in [(6, 4), (0.1, 30), (30, 0.1)]:
        found = receipt.delivery(MOMENTS, arrivals(uplink=uplink, downlink=downlink))
        assert abs(found.offset_ms - uplink) <= found.error_ms + 1e-9


def test_a_good_way_is_good():
    dice = random.Random(4)
    assert verdict(arrivals(lambda seq, ms: ms + dice.expovariate(1 / 5))) == receipt.GOOD


def test_events_that_come_together_were_held_by_a_proxy():
    assert verdict(arrivals(lambda seq, ms: (ms // 500 + 1) * 500)) == receipt.PROXY


def test_events_that_come_together_in_a_busy_tab_were_held_by_it():
    assert verdict(arrivals(lambda seq, ms: (ms // 500 + 1) * 500), busy_ms=400) == receipt.READER


def test_a_network_that_stalls_now_and_then_is_no_proxy():
    assert verdict(arrivals(lambda seq, ms: ms + (400 if seq % 10 == 9 else 0))) == receipt.NETWORK


def test_a_page_that_paints_late_is_busy():
    assert verdict(arrivals(paint=140)) == receipt.READER


def test_nothing_is_said_of_a_few_events():
    few = [Arrival(seq, 900.0, None) for seq in range(5)]
    assert receipt.delivery(MOMENTS, few).verdict == receipt.GOOD
    assert receipt.delivery(MOMENTS, []) is None


# The route


@pytest.fixture
def stream(db: None) -> Stream:
    User.objects.create(username="ana")
    return imported(LONG, "--user", "ana")


def send(stream: Stream, events, name="ana", **fields):
    user, _ = User.objects.get_or_create(username=name)
    headers = {"Authorization": f"Bearer {tokens.access_for(user)}"}
    body = json.dumps({"events": events, **fields})
    return Client().post(f"/v2/streams/{stream.pk}/receipt", body, content_type="application/json", headers=headers)


pytestmark = pytest.mark.django_db(transaction=True)


def of(stream: Stream, count=281, **changes):
    moments = list(stream.events.order_by("seq").values_list("at", flat=True))[:count]
    return [[seq, at / 1000 + 10, at / 1000 + 18] for seq, at in enumerate(moments)]


def test_a_receipt_is_kept_and_sent_again_changes_nothing(stream):
    first = send(stream, of(stream), user_agent="A browser", more="is passed over")
    assert (first.status_code, first.json()) == (200, {"id": str(stream.pk), "events": 281, "verdict": "good"})
    assert send(stream, of(stream)).json() == first.json()
    kept = Receipt.objects.get()
    assert (kept.count, kept.user_agent, kept.offset_us, kept.error_us) == (281, "A browser", 5_000, 5_000)
    assert kept.arrivals[1].painted - kept.arrivals[1].received == pytest.approx(8)


def test_a_fuller_one_takes_the_place_of_a_lesser_one_and_not_the_other_way_round(stream):
    send(stream, of(stream, 3))
    send(stream, of(stream, 200))
    assert send(stream, of(stream, 100)).json()["events"] == 200


def test_a_foreign_stream_is_unknown(stream):
    assert send(stream, of(stream), name="eve").status_code == 404
    assert not Receipt.objects.exists()


@pytest.mark.parametrize(
    "events",
    [
        [],
        [[0, 1]],
        [[0, 1, 2, 3]],
        [[-1, 1, 2]],
        [[0, -1, 2]],
        [[0, 5, 2]],
        [[1, 5, 6], [0, 7, 8]],
        [[0, 5, 6], [0, 7, 8]],
        [[0, 5, 6], [1, 4, 8]],
        [[0, 1e99, None]],
        [["0", 1, 2]],
        [[281, 1, 2]],
        [[seq, seq, seq] for seq in range(5_001)],
        "all",
    ],
    ids=lambda events: str(events)[:20],
)
def test_what_is_no_receipt_is_refused(stream, events):
    answer = send(stream, events)
    assert (answer.status_code, answer.json()["error"]["status"]) == (400, "INVALID_ARGUMENT")
    assert not Receipt.objects.exists()


def test_a_receipt_goes_with_its_stream(stream):
    send(stream, of(stream))
    stream.delete()
    assert not Receipt.objects.exists()
