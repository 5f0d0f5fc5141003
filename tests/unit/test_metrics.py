"""The metrics of turns and of the process."""

import asyncio
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from chat.metrics import Metrics, State
from chat.process import this_process
from chat.protocol import events, timing
from chat.protocol.events import Event
from chat.views import event_stream
from tests.inside import Core


def told(metrics: Metrics) -> dict[str, float]:
    """Every sample, by its name and the values of its labels."""
    families = text_string_to_metric_families(metrics.exposition("")[0].decode())
    return {
        " ".join([sample.name, *(value for _, value in sorted(sample.labels.items()))]): sample.value
        for family in families
        for sample in family.samples
    }


def measured(*moments: int) -> timing.Timing:
    """A stream whose answer began with event 1."""
    return timing.measure([0, *moments], moments[0], None, first_thought_us=moments[0] // 2)


def test_an_ended_turn_tells_its_gaps_stalls_and_first_thought() -> None:
    metrics = Metrics()
    metrics.ended("m", events.COMPLETE, 3.0, timing=measured(1_000_000, 1_010_000, 1_020_000, 3_000_000), events=5)
    found = told(metrics)

    assert found["wondercam_stream_gap_seconds_sum m 50"] == 0.01
    assert found["wondercam_stream_gap_seconds_sum m 100"] == 1.98
    assert found["wondercam_stream_stalls_total m"] == 1
    assert found["wondercam_stream_first_thought_seconds_sum m"] == 0.5
    assert found["wondercam_events_total"] == 5


def test_a_failed_turn_tells_its_error() -> None:
    metrics = Metrics()
    metrics.ended("m", events.FAILED, 3.0, error={"code": 503, "status": "UNAVAILABLE", "message": "private"})
    assert told(metrics)["wondercam_stream_errors_total UNAVAILABLE m"] == 1
    assert b"private" not in metrics.exposition("")[0]


def test_what_grows_is_told_as_it_grows_and_what_waits_as_it_is() -> None:
    metrics = Metrics()
    metrics.update(State(5, 3, 7, 2, ("a",), commits=10, commit_seconds=0.5, cuts=1, unreadable={"a": 2}))
    metrics.update(State(2, 1, 0, 0, ("b",), commits=14, commit_seconds=0.75, cuts=3, unreadable={"a": 3, "b": 1}))
    found = told(metrics)

    assert (found["wondercam_streams_running"], found["wondercam_readers"]) == (2, 1)
    assert (found["wondercam_commit_queue"], found["wondercam_slot_queue"]) == (0, 0)
    assert (found["wondercam_commits_total"], found["wondercam_commit_seconds_total"]) == (14, 0.75)
    assert found["wondercam_readers_cut_total"] == 3
    assert [found[f"wondercam_upstream_unreadable_total {model}"] for model in "ab"] == [3, 1]
    assert (found["wondercam_model_resting a"], found["wondercam_model_resting b"]) == (0, 1)


async def test_a_reader_counts_while_it_reads_and_as_cut_when_it_goes_before_the_end(core: Core) -> None:
    before = core.log.state()
    started = await core.ask("words=200 gap=5")
    pieces = event_stream.event_stream(core.log, started.pk)
    await anext(pieces)
    assert core.log.state().readers == before.readers + 1

    await pieces.aclose()
    while core.log.state().readers > before.readers:
        await asyncio.sleep(0)
    assert core.log.state().cuts == before.cuts + 1


async def test_a_reader_of_the_end_is_not_cut_and_commits_are_counted(core: Core) -> None:
    before = core.log.state()
    await core.ended(await core.ask("words=20 gap=1"))
    after = core.log.state()

    assert after.cuts == before.cuts
    assert after.commits > before.commits
    assert after.commit_seconds > before.commit_seconds
    assert after.queued == 0


async def test_the_process_updates_the_metrics_with_its_state(core: Core, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[State] = []
    process = this_process()
    monkeypatch.setattr(process.metrics, "update", seen.append)
    process.update_metrics()
    assert (seen[0].readers, list(seen[0].resting)) == (0, [])


def test_thoughts_are_apart_from_the_first_token() -> None:
    thought: Any = {"candidates": [{"content": {"parts": [{"text": "hm", "thought": True}]}}]}
    said = [Event(1, 9_000, events.encode(thought)), Event(2, 40_000, events.encode(events.delta("Hi")))]
    found = timing.of_events([Event(0, 700, events.OK_DATA), *said])
    assert (found.first_thought_us, found.first_token_us) == (9_000, 40_000)


def test_percentiles_of_gaps_are_gaps_that_there_were() -> None:
    moments, at = [], 1_000_000
    for gap in range(1, 101):
        moments.append(at)
        at += gap * 1_000
    found = timing.measure([0, *moments, at], 1_000_000, None)
    assert found.gap_us == {50: 50_000, 95: 95_000, 99: 99_000}
    assert found.as_json()["gap_ms"] == {"p50": 50.0, "p95": 95.0, "p99": 99.0}
