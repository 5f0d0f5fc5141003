"""Receipts: format, verdict, and one per stream of the user."""

import json
import random

import pytest
from django.test import Client

from chat.accounts import tokens
from chat.models import Receipt, Stream, User
from chat.process import this_process
from chat.protocol import receipt, write_times
from chat.protocol.receipt import Arrival
from chat.protocol.write_times import Write
from tests.recorded import LONG, imported

GAP = 50_000
MOMENTS = [seq * GAP for seq in range(60)]


def arrivals(later=lambda seq, at: at, paint=8.0, uplink=6.0, downlink=4.0):
    """How events that were stored every 50 ms reach a reader, in ms on its clock."""
    found = [later(seq, at / 1000 + uplink + downlink) for seq, at in enumerate(MOMENTS)]
    return [Arrival(seq, ms, ms + paint) for seq, ms in enumerate(found)]


def verdict(found, busy_ms=0.0):
    return receipt.delivery(MOMENTS, found, busy_ms=busy_ms).verdict


# Arithmetic


def test_what_is_packed_comes_back_to_a_tenth_of_a_ms():
    dice = random.Random(3)
    told = [
        Arrival(seq, round(seq * 50 + dice.random(), 1), None if seq % 7 else seq * 50.0 + 16) for seq in range(500)
    ]
    packed = receipt.pack(told)
    assert receipt.unpack(packed) == told
    assert len(packed) < 500 * 8


def written(commit=0.4, write=0.3, known=lambda seq: True):
    """When the events of `MOMENTS` were stored and written."""
    return [Write(seq, at / 1000 + commit, at / 1000 + commit + write) for seq, at in enumerate(MOMENTS) if known(seq)]


@pytest.mark.parametrize(
    "writes",
    [
        [],
        written(),
        written(known=lambda seq: seq % 3),
        [Write(seq, None, at / 1000 + 2) for seq, at in enumerate(MOMENTS)],
    ],
    ids=["unknown", "all", "some", "stored elsewhere"],
)
def test_the_hops_add_up_to_when_it_was_painted(writes):
    found = receipt.delivery(MOMENTS, arrivals(), writes)
    for hop, arrival in zip(found.hops, arrivals(), strict=True):
        known = [hop.uplink, hop.arrived, hop.commit, hop.write, hop.downlink, hop.paint]
        assert sum(time for time in known if time is not None) == pytest.approx(arrival.painted, abs=2)
        assert hop.total == pytest.approx(arrival.painted)


def test_what_the_server_took_is_no_part_of_the_downlink():
    found = receipt.delivery(MOMENTS, arrivals(downlink=30), written(commit=5, write=3))
    assert {(f"{hop.commit:.3f}", f"{hop.write:.3f}") for hop in found.hops} == {("5.000", "3.000")}
    assert found.slowest("commit") == pytest.approx(5)
    assert found.hops[7].uplink + found.hops[7].downlink == pytest.approx(36 - 8)


def test_what_is_packed_of_the_server_comes_back_to_a_tenth_of_a_ms():
    told = [Write(0, 0.4, 0.9), Write(1, None, 51.2), Write(7, 350.0, 350.1)]
    assert write_times.unpack(write_times.pack(told)) == told


def test_what_came_again_after_a_cut_came_then():
    later = [Write(1, 51.0, 900.0), Write(2, 101.0, 900.0)]
    assert write_times.merged([Write(0, 0.4, 0.9), Write(1, 51.0, 51.2)], later) == [Write(0, 0.4, 0.9), *later]


def test_the_clocks_offset_is_within_its_error():
    for uplink, downlink in [(6, 4), (0.1, 30), (30, 0.1)]:
        found = receipt.delivery(MOMENTS, arrivals(uplink=uplink, downlink=downlink))
        assert abs(found.offset_ms - uplink) <= found.error_ms + 1e-9


def test_a_good_way_is_good():
    dice = random.Random(4)
    assert verdict(arrivals(lambda seq, ms: ms + dice.expovariate(1 / 5))) == receipt.GOOD


def test_events_that_come_together_were_held_by_a_proxy():
    assert verdict(arrivals(lambda seq, ms: (ms // 500 + 1) * 500)) == receipt.PROXY


@pytest.mark.parametrize("every", [2, 3, 8, 25])
def test_what_gathers_so_many_events_at_a_time_is_found_with_its_size_and_hold(every: int):
    found = receipt.delivery(MOMENTS, arrivals(lambda seq, ms: (seq // every + 1) * every * 50.0 + seq / 100))
    assert found.verdict == receipt.PROXY
    assert found.held.events == pytest.approx(every, abs=every / 4)
    assert found.held.ms == pytest.approx((every - 1) * 50, abs=5)


def test_events_that_come_together_in_a_busy_tab_were_held_by_it():
    assert verdict(arrivals(lambda seq, ms: (ms // 500 + 1) * 500), busy_ms=400) == receipt.READER


def test_a_network_that_stalls_now_and_then_is_no_proxy():
    assert verdict(arrivals(lambda seq, ms: ms + (400 if seq % 10 == 9 else 0))) == receipt.NETWORK


def test_a_page_that_paints_late_is_busy():
    assert verdict(arrivals(paint=140)) == receipt.READER


def test_a_database_that_is_slow_now_and_then_is_the_servers():
    late = [Write(seq, ms := at / 1000 + (400 if seq % 10 == 9 else 0), ms) for seq, at in enumerate(MOMENTS)]
    found = [Arrival(write.seq, write.written + 10, write.written + 18) for write in late]
    assert receipt.delivery(MOMENTS, found, late).verdict == receipt.SERVER


def test_lumps_of_the_models_own_server_are_nobodys():
    moments = [at // 500_000 * 500_000 for at in MOMENTS]
    found = [Arrival(seq, at / 1000 + 10, at / 1000 + 18) for seq, at in enumerate(moments)]
    assert receipt.delivery(moments, found).verdict == receipt.GOOD


def test_events_that_come_when_the_answer_is_over_were_held_by_a_proxy():
    assert verdict(arrivals(lambda seq, ms: 4_000 + seq / 10)) == receipt.PROXY


def test_one_pause_of_a_network_is_no_proxy_in_a_short_answer_either():
    found = arrivals(lambda seq, ms: max(ms, 700) if seq else ms)[:20]
    assert receipt.delivery(MOMENTS, found).verdict in {receipt.NETWORK, receipt.GOOD}


@pytest.mark.slow
@pytest.mark.parametrize("gap", [25, 50, 100])
@pytest.mark.parametrize("count", [10, 40, 100])
def test_at_most_one_good_path_in_a_hundred_is_accused(gap: int, count: int):
    dice, accused, paths = random.Random(gap * count), 0, 300
    moments = [seq * gap * 1000 for seq in range(count)]
    for _ in range(paths):
        found: list[Arrival] = []
        free = 0.0
        for seq in range(count):
            if dice.random() < gap / 1000:
                free = max(free, seq * gap) + dice.expovariate(1 / 150)
            before = found[-1].received if found else 0.0
            at = max(seq * gap + dice.expovariate(1 / 5), free, before)
            found.append(Arrival(seq, at, at + 8))
        accused += receipt.delivery(moments, found).verdict == receipt.PROXY
    assert accused <= 3


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


def test_a_receipt_is_counted_by_its_verdict_and_its_browser_s_name_is_cut(stream):
    before = this_process().metrics.standing()["receipts"].get("good", 0)
    send(stream, of(stream), user_agent="x" * 500)
    assert this_process().metrics.standing()["receipts"]["good"] == before + 1
    assert Receipt.objects.get().user_agent == "x" * 200


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
