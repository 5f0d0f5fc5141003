"""`Metrics`: the counters and histograms of `/metrics`, by model. They are updated once a turn, never once an event.

What is open, and what changes with every event, is read every few seconds as a `State` (`chat/process.py`).

With several workers each writes its numbers to the folder named by PROMETHEUS_MULTIPROC_DIR, which the supervisor sets,
and the worker that is scraped adds them all up. `prometheus_client` reads that variable when it is imported, so it is
imported at its first use, after the workers were forked.

Names follow https://prometheus.io/docs/practices/naming/: the unit last, seconds, `_total` for what only grows.
"""

import os
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from chat.protocol.counts import count_of
from chat.protocol.timing import Timing

OK_BUCKETS = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5)
TOKEN_BUCKETS = (0.05, 0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30, 60)
DURATION_BUCKETS = (0.5, 1, 2, 5, 10, 20, 40, 80, 160, 320)
DELIVERY_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5)

GAP_BUCKETS = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10)

MULTIPROCESS = "PROMETHEUS_MULTIPROC_DIR"


@dataclass(frozen=True, slots=True)
class State:
    """Figures of a process: what is open or waits now, and totals since its start."""

    running: int
    readers: int
    queued_commits: int
    waiting_for_slots: int
    resting: Collection[str]
    commits: int
    commit_seconds: float
    cuts: int
    slots_used: int = 0
    slots: int = 0
    unreadable: Mapping[str, int] = field(default_factory=dict)


class Numbers:
    """The metrics themselves, in a registry of their own."""

    def __init__(self) -> None:
        from prometheus_client import CollectorRegistry, Counter, Histogram

        self.registry = CollectorRegistry()
        made: Any = {"registry": self.registry, "namespace": "wondercam"}
        by_model: Any = {"labelnames": ("model",), **made}
        self.started = Counter("streams_started", "Turns that began.", **by_model)
        self.ended = Counter("streams_ended", "Turns that ended.", labelnames=("model", "status"), **made)
        self.taken_up = Counter("streams_taken_up", "Turns of dead workers that were continued here.", **by_model)
        self.ok = Histogram("stream_ok_seconds", "Request to stored OK.", buckets=OK_BUCKETS, **by_model)
        self.first_token = Histogram(
            "stream_first_token_seconds", "Request to the first token.", buckets=TOKEN_BUCKETS, **by_model
        )
        self.first_thought = Histogram(
            "stream_first_thought_seconds", "Request to the first thought.", buckets=TOKEN_BUCKETS, **by_model
        )
        self.duration = Histogram(
            "stream_duration_seconds", "Request to the end.", buckets=DURATION_BUCKETS, **by_model
        )
        self.tokens = Counter("tokens", "Tokens that providers counted.", labelnames=("model", "direction"), **made)
        self.resumed = Counter("streams_resumed", "Readers that resumed from a cursor.", **made)
        self.stops = Counter("stops_requested", "Readers that stopped an answer.", **made)
        self.receipts = Counter("receipts", "Receipts by their verdict.", labelnames=("verdict",), **made)
        self.delivery = Histogram(
            "delivery_seconds",
            "The 95th percentile of a turn's events at each hop: commit, write, downlink, paint.",
            labelnames=("hop",),
            buckets=DELIVERY_BUCKETS,
            **made,
        )
        self._of_ends(made, by_model)
        self._of_processes(made)

    def _of_ends(self, made: Any, by_model: Any) -> None:
        """How turns went."""
        from prometheus_client import Counter, Histogram

        self.gaps = Histogram(
            "stream_gap_seconds",
            "Gaps between two events of a turn, by percentile; 100 is the longest.",
            labelnames=("model", "percentile"),
            buckets=GAP_BUCKETS,
            **made,
        )
        self.stalls = Counter("stream_stalls", "Gaps of a second or more.", **by_model)
        self.errors = Counter(
            "stream_errors", "Turns by the error they ended with.", labelnames=("model", "code"), **made
        )
        self.events = Counter("events", "Events of turns that ended.", **made)

    def _of_processes(self, made: Any) -> None:
        """What is looked at now and then."""
        from prometheus_client import Counter, Gauge

        made_sum: Any = {"multiprocess_mode": "livesum", **made}
        self.running = Gauge("streams_running", "Turns that are generated now.", **made_sum)
        self.readers = Gauge("readers", "Responses that follow a stream.", **made_sum)
        self.queued = Gauge("commit_queue", "Events and jobs that wait for their commit.", **made_sum)
        self.waiting = Gauge("slot_queue", "Questions that wait for a slot of the embedded model.", **made_sum)
        self.slots_used = Gauge("slots_used", "Slots of the embedded model that are in use.", **made_sum)
        self.slots = Gauge("slots", "Slots of the embedded model.", **made_sum)
        self.resting = Gauge(
            "model_resting", "Processes in which the model's breaker is open.", labelnames=("model",), **made_sum
        )
        self.unreadable = Counter(
            "upstream_unreadable",
            "Attempts whose answer had an unknown format or was incomplete.",
            labelnames=("model",),
            **made,
        )
        self.commits = Counter("commits", "Transactions of the log.", **made)
        self.commit_seconds = Counter("commit_seconds", "Seconds that they took.", **made)
        self.cuts = Counter("readers_cut", "Readers that disconnected before the end of their stream.", **made)
        self.lost = Counter("leases_lapsed", "Streams of dead workers that were ended here as interrupted.", **made)


class Metrics:
    """What is told of turns; the numbers are made with the first of them."""

    def __init__(self) -> None:
        self._state = State(0, 0, 0, 0, (), 0, 0.0, 0)
        self._labelled: dict[tuple[Any, ...], Any] = {}

    @cached_property
    def _numbers(self) -> Numbers:
        return Numbers()

    def open(self) -> None:
        """Make the numbers now, in the worker, so that the first turn need not wait for the import."""
        _ = self._numbers

    def started(self, model: str, ok_us: int) -> None:
        """A turn of `model` began, its OK stored after `ok_us` µs."""
        numbers = self._numbers
        self._of(numbers.started, model).inc()
        self._of(numbers.ok, model).observe(ok_us / 1e6)

    def taken_up(self, model: str) -> None:
        """A dead worker's turn of `model` goes on here."""
        self._of(self._numbers.taken_up, model).inc()

    def ended(
        self,
        model: str,
        status: str,
        seconds: float,
        *,
        timing: Timing | None = None,
        events: int = 0,
        usage: dict[str, Any] | None = None,
        error: dict[str, Any] | None = None,
    ) -> None:
        """A turn ended as `status`, `seconds` after its request, with so many events; `usage` is Gemini's
        `usageMetadata`, `error` the JSON of an ApiError."""
        numbers = self._numbers
        self._of(numbers.ended, model, status).inc()
        self._of(numbers.duration, model).observe(seconds)
        numbers.events.inc(events)
        if error is not None:
            self._of(numbers.errors, model, error["status"]).inc()
        if timing is not None:
            self._timed(model, timing)
        for direction, name in (("in", "promptTokenCount"), ("out", "candidatesTokenCount")):
            if count := count_of((usage or {}).get(name)):
                self._of(numbers.tokens, model, direction).inc(count)

    def _timed(self, model: str, timing: Timing) -> None:
        numbers = self._numbers
        for metric, us in (
            (numbers.first_thought, timing.first_thought_us),
            (numbers.first_token, timing.first_token_us),
        ):
            if us is not None:
                self._of(metric, model).observe(us / 1e6)
        if timing.longest_gap is None:
            return
        for percentile, us in ((50, timing.gap_us[50]), (95, timing.gap_us[95]), (100, timing.longest_gap.us)):
            self._of(numbers.gaps, model, percentile).observe(us / 1e6)
        if timing.stalls:
            self._of(numbers.stalls, model).inc(len(timing.stalls))

    def lapsed(self, streams: int) -> None:
        """Count streams of dead workers that this process ended."""
        if streams:
            self._numbers.lost.inc(streams)

    def update(self, state: State) -> None:
        """Set the gauges, and add what has grown since the previous call."""
        numbers, before = self._numbers, self._state
        numbers.running.set(state.running)
        numbers.readers.set(state.readers)
        numbers.queued.set(state.queued_commits)
        numbers.waiting.set(state.waiting_for_slots)
        numbers.slots_used.set(state.slots_used)
        numbers.slots.set(state.slots)
        for model in {*before.resting, *state.resting}:
            self._of(numbers.resting, model).set(model in state.resting)
        for model, count in state.unreadable.items():
            self._of(numbers.unreadable, model).inc(count - before.unreadable.get(model, 0))
        numbers.commits.inc(state.commits - before.commits)
        numbers.commit_seconds.inc(state.commit_seconds - before.commit_seconds)
        numbers.cuts.inc(state.cuts - before.cuts)
        self._state = state

    def resumed(self) -> None:
        """Count a reader that resumed."""
        self._numbers.resumed.inc()

    def stop_requested(self) -> None:
        """Count a stop request."""
        self._numbers.stops.inc()

    def received(self, verdict: str, slowest: Mapping[str, float | None]) -> None:
        """Count a receipt: its verdict, and the 95th percentile of each hop in ms, None if unknown."""
        numbers = self._numbers
        self._of(numbers.receipts, verdict).inc()
        for hop, ms in slowest.items():
            if ms is not None:
                self._of(numbers.delivery, hop).observe(max(ms, 0) / 1000)

    def exposition(self, accept: str) -> tuple[bytes, str]:
        """The metrics of all workers in the format that `accept` prefers, and its media type."""
        from prometheus_client.exposition import choose_encoder

        encode, media_type = choose_encoder(accept)
        return encode(self._registry()), media_type

    def standing(self) -> dict[str, dict[str, float]]:
        """The gauges and counters of all workers: name without prefix → label values → value."""
        found: dict[str, dict[str, float]] = {}
        for family in self._registry().collect():
            if family.type in ("gauge", "counter"):
                told = [sample for sample in family.samples if not sample.name.endswith("_created")]
                values = {" ".join(sample.labels.values()): sample.value for sample in told}
                found[family.name.removeprefix("wondercam_")] = values
        return found

    def _of(self, metric: Any, *labels: str | int) -> Any:
        """The metric with these labels; cached, because the library takes eight calls to find it, ten times a turn."""
        key = (metric, *labels)
        if (found := self._labelled.get(key)) is None:
            found = self._labelled[key] = metric.labels(*labels)
        return found

    def _registry(self) -> Any:
        from prometheus_client import CollectorRegistry
        from prometheus_client.multiprocess import MultiProcessCollector

        registry = self._numbers.registry
        if MULTIPROCESS in os.environ:
            registry = CollectorRegistry()
            MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        return registry
