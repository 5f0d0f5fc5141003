"""What `/metrics` tells: counters and times of turns, by model. Counted by turn, never by event.

`Metrics` is one object a process. With several workers each writes its numbers to a folder that the supervisor names in
PROMETHEUS_MULTIPROC_DIR, and whichever worker is asked adds them all up; so `prometheus_client`, which looks at that
variable as it is imported, is imported with the first number and not before the workers are forked.

Names follow https://prometheus.io/docs/practices/naming/: the unit last, seconds, `_total` for what only grows.
"""

import os
from functools import cached_property
from typing import Any

OK_BUCKETS = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5)
TOKEN_BUCKETS = (0.05, 0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30, 60)
DURATION_BUCKETS = (0.5, 1, 2, 5, 10, 20, 40, 80, 160, 320)
DELIVERY_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5)

MULTIPROCESS = "PROMETHEUS_MULTIPROC_DIR"


class Numbers:
    """The metrics themselves, in a registry of their own."""

    def __init__(self) -> None:
        from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

        self.registry = CollectorRegistry()
        made: Any = {"registry": self.registry, "namespace": "wondercam"}
        by_model: Any = {"labelnames": ("model",), **made}
        self.started = Counter("streams_started", "Turns that began.", **by_model)
        self.ended = Counter("streams_ended", "Turns that ended.", labelnames=("model", "status"), **made)
        self.taken_up = Counter("streams_taken_up", "Turns of dead workers that went on here.", **by_model)
        self.running = Gauge("streams_running", "Turns that are generated now.", multiprocess_mode="livesum", **made)
        self.ok = Histogram("stream_ok_seconds", "Request to stored OK.", buckets=OK_BUCKETS, **by_model)
        self.first_token = Histogram(
            "stream_first_token_seconds", "Request to the first token.", buckets=TOKEN_BUCKETS, **by_model
        )
        self.duration = Histogram(
            "stream_duration_seconds", "Request to the end.", buckets=DURATION_BUCKETS, **by_model
        )
        self.tokens = Counter("tokens", "Tokens that providers counted.", labelnames=("model", "direction"), **made)
        self.resumed = Counter("streams_resumed", "Readers that went on from a cursor.", **made)
        self.stops = Counter("stops_requested", "Readers that stopped an answer.", **made)
        self.receipts = Counter("receipts", "Turns by how they reached their reader.", labelnames=("verdict",), **made)
        self.delivery = Histogram(
            "delivery_seconds",
            "The slowest twentieth of a turn's events: to the reader (received), and on to the pixel (painted).",
            labelnames=("hop",),
            buckets=DELIVERY_BUCKETS,
            **made,
        )


class Metrics:
    """What is told of turns; the numbers are made with the first of them."""

    @cached_property
    def _numbers(self) -> Numbers:
        return Numbers()

    def open(self) -> None:
        """Make the numbers now, in the worker, so that the first turn need not wait for the import."""
        _ = self._numbers

    def started(self, model: str, ok_us: int, running: int) -> None:
        """A turn of `model` began, its OK stored after `ok_us` µs; `running` are generated now."""
        numbers = self._numbers
        numbers.started.labels(model).inc()
        numbers.ok.labels(model).observe(ok_us / 1e6)
        numbers.running.set(running)

    def taken_up(self, model: str, running: int) -> None:
        """A dead worker's turn of `model` goes on here; `running` are generated now."""
        numbers = self._numbers
        numbers.taken_up.labels(model).inc()
        numbers.running.set(running)

    def left(self, running: int) -> None:
        """A turn is generated no more; `running` still are."""
        self._numbers.running.set(running)

    def ended(
        self,
        model: str,
        status: str,
        seconds: float,
        first_token_us: int | None = None,
        usage: dict[str, Any] | None = None,
    ) -> None:
        """A turn ended as `status`, `seconds` after its request; `usage` is Gemini's `usageMetadata`."""
        numbers = self._numbers
        numbers.ended.labels(model, status).inc()
        numbers.duration.labels(model).observe(seconds)
        if first_token_us is not None:
            numbers.first_token.labels(model).observe(first_token_us / 1e6)
        for direction, name in (("in", "promptTokenCount"), ("out", "candidatesTokenCount")):
            if isinstance(count := (usage or {}).get(name), int):
                numbers.tokens.labels(model, direction).inc(max(count, 0))

    def resumed(self) -> None:
        """A reader went on from a cursor."""
        self._numbers.resumed.inc()

    def stop_requested(self) -> None:
        """A reader stopped an answer."""
        self._numbers.stops.inc()

    def received(self, verdict: str, received_ms: float, painted_ms: float) -> None:
        """A turn's receipt came: its verdict, and its slowest twentieth to the reader and to the pixel."""
        numbers = self._numbers
        numbers.receipts.labels(verdict).inc()
        numbers.delivery.labels("received").observe(max(received_ms, 0) / 1000)
        numbers.delivery.labels("painted").observe(max(painted_ms, 0) / 1000)

    def exposition(self, accept: str) -> tuple[bytes, str]:
        """All numbers of all workers, and their media type, in the form that the asker prefers."""
        from prometheus_client import CollectorRegistry
        from prometheus_client.exposition import choose_encoder
        from prometheus_client.multiprocess import MultiProcessCollector

        registry = self._numbers.registry
        if MULTIPROCESS in os.environ:
            registry = CollectorRegistry()
            MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        encode, media_type = choose_encoder(accept)
        return encode(registry), media_type
