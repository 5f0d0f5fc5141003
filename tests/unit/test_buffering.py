"""The verdict on a path, for simulated arrivals: each kind of hop, and the rate of false positives."""

import json
import random
from collections.abc import Callable
from functools import cache

import pytest

from chat.protocol import buffering, events, hops, sse
from chat.protocol.buffering import Observation, Plan, Read, hold_of, pattern_of
from chat.protocol.events import Event

HEADERS = {
    "content-type": "text/event-stream",
    "cache-control": "no-cache, no-transform",
    "x-accel-buffering": "no",
}
SIZES = (0, 0, 700, 4_000)
SEEN = {"http": "1.1", "last-event-id": True, "authorization": True}


@cache
def sent(plan: Plan) -> list[tuple[float, bytes]]:
    """What the server sends, and when."""
    frames = []
    for seq in range(plan.events):
        probe = {"due_ms": seq * plan.gap, "sent_ms": seq * plan.gap + 0.3, "padding": "." * plan.size, "request": SEEN}
        data = events.encode({**events.delta(f"{seq} "), "wondercam": {"probe": probe}})
        frames.append((seq * plan.gap + 0.3, sse.encode("probe", Event(seq, 0, data))))
    return [*frames, (frames[-1][0], sse.DONE)]


def observed(plan: Plan, path: Callable[[list[tuple[float, bytes]]], list[Read]], **fields) -> Observation:
    """What comes of a plan through a path."""
    reads = path(sent(plan))
    return Observation(plan, "1.1", 200, {**HEADERS, **fields}, reads, ended_ms=reads[-1].ms)


def as_sent(frames):
    return [Read(ms + 5, data) for ms, data in frames]


def in_pieces(size):
    def path(frames):
        reads: list[Read] = []
        kept = b""
        for ms, data in frames:
            kept += data
            while len(kept) >= size:
                reads.append(Read(ms + 5, kept[:size]))
                kept = kept[size:]
        return [*reads, Read(frames[-1][0] + 6, kept)]

    return path


def every(interval):
    def path(frames):
        return [Read((ms // interval + 1) * interval, data) for ms, data in frames]

    return path


def paused(dice: random.Random):
    """A busy reader: jitter of 10 ms, and pauses of 150 ms on average, one a second."""

    def path(frames):
        reads: list[Read] = []
        free = 0.0
        for ms, data in frames:
            if dice.random() < 0.05:
                free = max(free, ms) + dice.expovariate(1 / 150)
            reads.append(Read(max(ms + dice.expovariate(1 / 10), free, reads[-1].ms if reads else 0), data))
        return reads

    return path


def found(path):
    return hold_of([pattern for size in SIZES if (pattern := pattern_of(observed(Plan(size=size), path)))])


def test_what_comes_as_it_is_sent_is_not_held():
    assert found(as_sent) is None
    assert pattern_of(observed(Plan(), as_sent)).held_ms < 1


@pytest.mark.parametrize("size", [512, 1024, 3027, 4096, 8192, 16384, 32768, 65536])
def test_a_buffer_is_measured(size):
    hold = found(in_pieces(size))
    assert (hold.kind, hold.bytes) == (buffering.BYTES, size)


@pytest.mark.parametrize("interval", [150, 250, 500])
def test_what_is_gathered_for_a_time_is_told_from_what_fills_a_buffer(interval):
    hold = found(every(interval))
    assert hold.kind == buffering.TIME
    assert hold.every_ms == pytest.approx(interval, rel=0.1)


def test_what_waits_200_ms_for_a_full_packet_is_named_with_its_option():
    (problem,) = verdict(every(250)).problems
    assert problem.kind == buffering.TIME
    assert "HAProxy" in problem.hop
    assert "option http-no-delay" in problem.mend
    assert "HAProxy" not in verdict(every(500)).problems[0].hop


def test_what_holds_everything_and_what_waits_for_the_first_bytes_are_told():
    assert found(lambda frames: [Read(frames[-1][0] + 20, data) for _, data in frames]).kind == buffering.WHOLE
    assert found(lambda frames: [Read(max(ms, 400) + 5, data) for ms, data in frames]).kind == buffering.START


def test_what_comes_before_it_was_sent_is_from_a_cache():
    assert found(lambda frames: [Read(7, data) for _, data in frames]).kind == buffering.CACHED


@pytest.mark.slow
def test_fewer_than_one_busy_reader_in_a_thousand_is_accused():
    """As `check` does it: all sizes, and again where a hold shows."""
    dice, accused = random.Random(1), 0
    for _ in range(300):
        path = paused(dice)
        accused += bool(found(path) and found(path))
    assert accused == 0


def test_too_few_events_tell_nothing():
    assert pattern_of(observed(Plan(events=40), lambda frames: as_sent(frames[:10]))) is None
    assert hold_of([]) is None


# Heads, ends and words


def verdict(path=as_sent, **headers):
    return hops.judge([observed(Plan(size=size), path, **headers) for size in SIZES])


def test_a_good_path_has_no_problem_and_its_report_is_json():
    said = verdict()
    assert said.is_good
    assert json.loads(json.dumps(said.as_json())) == {"good": True, "problems": [], "notes": []}


def test_a_hold_that_is_not_seen_again_is_a_pause():
    seen = [observed(Plan(), in_pieces(4096))]
    assert not hops.judge(seen, seen).is_good
    assert hops.judge(seen, [observed(Plan(), as_sent)]).is_good


@pytest.mark.parametrize(
    ("headers", "hop", "mend"),
    [
        ({"server": "nginx/1.22.1"}, "nginx", "proxy_buffering off"),
        ({"server": "cloudflare", "cf-ray": "1"}, "Cloudflare", "Bypass cache"),
        ({"server": "nginx", "via": "1.1 varnish"}, "Varnish", "do_stream"),
        ({"via": "1.1 proxy (squid/5.7)"}, "Squid", "icap"),
        ({"server": "Apache/2.4.62 (Debian)"}, "Apache", "flushpackets"),
        ({"x-powered-by": "Next.js"}, "a Next.js server", "CORS_ALLOWED_ORIGINS"),
        ({}, "a proxy with a buffer of 4 KiB (nginx's default)", "response buffering off"),
    ],
)
def test_a_hop_is_named_by_what_it_writes(headers, hop, mend):
    problem, *others = verdict(in_pieces(4096), **headers).problems
    assert (problem.kind, problem.hop, others) == ("bytes", hop, [])
    assert "pieces of about 4,096 bytes" in problem.seen
    assert mend in problem.mend


def test_3027_bytes_are_a_development_proxys():
    (problem,) = verdict(in_pieces(3027)).problems
    assert "Next.js" in problem.hop
    assert "pieces of about 3,027 bytes" in problem.seen


def test_headers_that_were_eaten_without_harm_are_noted():
    said = verdict(**{"x-accel-buffering": "", "cache-control": "private"})
    assert said.is_good
    assert any("Cache-Control arrived as 'private'" in note for note in said.notes)


def test_compression_is_a_problem_even_where_nothing_is_held():
    seen = observed(Plan(), as_sent)
    seen.headers["content-encoding"] = "br"
    assert {problem.kind for problem in hops.judge([seen]).problems} == {"compression", "changed"}
