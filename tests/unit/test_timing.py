"""Times computed from events' `at`: exact, in µs, None for events that did not occur."""

from pathlib import Path

import pytest

from chat.protocol import events, recording, timing
from chat.protocol.events import Event
from chat.protocol.timing import Gap, Timing

RECORDINGS = Path(__file__).parent.parent / "recordings"


def log(*said):
    """Events from (at, response) pairs, after an OK at 700 µs."""
    rest = [Event(seq, at, events.encode(response)) for seq, (at, response) in enumerate(said, 1)]
    return [Event(0, 700, events.OK_DATA), *rest]


def finished(tokens):
    """A last response with a token count."""
    return events.finish("STOP", {"candidatesTokenCount": tokens})


def test_nothing_recorded_has_no_times():
    assert timing.of_events([]) == Timing()
    assert timing.measure([], None, None).as_json()["first_token_ms"] is None


def test_the_ok_is_no_token():
    measured = timing.of_events(log())
    assert (measured.ok_us, measured.first_token_us, measured.longest_gap) == (700, None, None)


def test_neither_notices_nor_thoughts_are_the_first_token():
    thought = {"candidates": [{"content": {"parts": [{"text": "hm", "thought": True}]}}]}
    waiting = events.notice(events.WAITING, "Two are before you.")
    measured = timing.of_events(log((5_000, waiting), (9_000, thought), (40_000, events.delta("Hi"))))
    assert measured.first_token_us == 40_000


def test_the_wait_for_the_first_token_is_no_gap():
    measured = timing.of_events(log((5_000_000, events.delta("a")), (5_030_000, events.delta("b"))))
    assert measured.longest_gap == Gap(1, 30_000)
    assert measured.stalls == []


def test_a_gap_of_a_second_is_a_stall_and_a_shorter_one_is_none():
    a = events.delta("a")
    measured = timing.of_events(log((10, a), (1_000_009, a), (2_000_009, a), (2_000_010, a)))
    assert measured.stalls == [Gap(2, 1_000_000)]
    assert measured.longest_gap == Gap(2, 1_000_000)


def test_tokens_are_those_the_provider_counted_and_the_first_is_left_out():
    measured = timing.of_events(log((200_000, events.delta("many tokens at once")), (1_200_000, finished(51))))
    assert measured.tokens_per_s == pytest.approx(50)


@pytest.mark.parametrize("tokens", [0, 1])
def test_one_token_has_no_rate(tokens):
    assert timing.of_events(log((10, events.delta("a")), (20, finished(tokens)))).tokens_per_s is None


def test_an_answer_that_came_at_once_has_no_rate():
    assert timing.of_events(log((10, events.delta("a b")), (10, finished(2)))).tokens_per_s is None


def test_a_stream_without_usage_has_no_rate():
    assert timing.of_events(log((10, events.delta("a")), (20, events.stopped()))).tokens_per_s is None


def test_a_recording_has_the_times_it_was_made_with():
    with (RECORDINGS / "long.jsonl").open(encoding="utf-8") as file:
        measured = timing.of_events(recording.load(file).events)
    assert measured.as_json() == {
        "ok_ms": 0.6,
        "first_thought_ms": None,
        "first_token_ms": 418.0,
        "duration_ms": 5938.4,
        "tokens_per_s": 50.4,
        "longest_gap_ms": 1613.0,
        "gap_ms": {"p50": 13.5, "p95": 25.9, "p99": 31.1},
        "stalls": [{"after_seq": 121, "ms": 1613.0}],
    }


@pytest.mark.parametrize(
    ("us", "words"),
    [
        (None, "–"), (0, "0.0 ms"), (812, "0.8 ms"), (9_999, "10.0 ms"), (212_400, "212 ms"), (999_499, "999 ms"),
        (999_500, "1.00 s"), (1_613_000, "1.61 s"), (59_994_000, "59.99 s"), (60_000_000, "1 min 0 s"),
        (125_000_000, "2 min 5 s"),
    ],
)  # fmt: skip
def test_durations_are_written_for_people(us, words):
    assert timing.words(us) == words
