"""Spans and metrics of turns, by OpenTelemetry's semantic conventions for generative AI.

https://opentelemetry.io/docs/specs/semconv/gen-ai/: the span `chat <model>` with `gen_ai.*` attributes, and the metrics
`gen_ai.client.operation.duration`, `.time_to_first_chunk` and `gen_ai.client.token.usage`. Times count from the arrival
of the question at this server.
"""

import json
import time
from collections.abc import Iterator
from typing import Any
from uuid import UUID

from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.metrics import MeterProvider as AnyMeterProvider
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.id_generator import IdGenerator
from opentelemetry.trace import SpanKind, StatusCode
from opentelemetry.trace import TracerProvider as AnyTracerProvider

from chat.protocol.counts import count_of
from chat.protocol.prompt import Part, is_photo, is_sound, type_of
from chat.protocol.trace_context import span_of, trace_of
from chat.telemetry import TurnFacts

NAME = "wondercam"
PROVIDERS = {"gemini": "gcp.gemini", "vertex": "gcp.vertex_ai"}
"""The conventions' names of providers; others keep WonderCam's name."""
GENERATION = {
    "temperature": "temperature",
    "topP": "top_p",
    "topK": "top_k",
    "maxOutputTokens": "max_tokens",
    "stopSequences": "stop_sequences",
    "seed": "seed",
    "presencePenalty": "presence_penalty",
    "frequencyPenalty": "frequency_penalty",
}
DURATIONS = [0.01 * 2**power for power in range(14)]
FIRST_CHUNKS = [0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0]
TOKENS = [4.0**power for power in range(14)]
"""The bucket boundaries that the conventions recommend, as are the two above."""
CLOSE_MS = 5_000


class IdsOfStreams(IdGenerator):
    """Returns the ids for the span of `stream_id`, which the upstream got as `traceparent`
    (`protocol/trace_context.py`)."""

    stream_id = UUID(int=1)

    def generate_trace_id(self) -> int:
        """Return the trace id of `stream_id`."""
        return trace_of(self.stream_id)

    def generate_span_id(self) -> int:
        """Return the span id of `stream_id`."""
        return span_of(self.stream_id)


class GenAiRecorder:
    """Records turns with these OpenTelemetry providers, and closes them. `ids` is the id generator of `traces`;
    `content` sends the texts, too."""

    def __init__(
        self, traces: AnyTracerProvider, meters: AnyMeterProvider, ids: IdsOfStreams, *, content: bool
    ) -> None:
        self._providers = (traces, meters)
        self._ids = ids
        self._content = content
        self._tracer = traces.get_tracer(NAME)
        meter = meters.get_meter(NAME)
        advice: dict[str, Any] = {"unit": "s", "explicit_bucket_boundaries_advisory": DURATIONS}
        self._duration = meter.create_histogram("gen_ai.client.operation.duration", **advice)
        advice = {"unit": "s", "explicit_bucket_boundaries_advisory": FIRST_CHUNKS}
        self._first_chunk = meter.create_histogram("gen_ai.client.operation.time_to_first_chunk", **advice)
        advice = {"unit": "{token}", "explicit_bucket_boundaries_advisory": TOKENS}
        self._tokens = meter.create_histogram("gen_ai.client.token.usage", **advice)

    def record(self, facts: TurnFacts) -> None:
        """Record the span, from the arrival of the question until now, and the metrics."""
        end = time.time_ns()
        start = end - int(facts.seconds * 1e9)
        common = common_of(facts)
        attributes = {**common, **dict(attributes_of(facts)), **(content_of(facts) if self._content else {})}
        model = facts.prompt.model.name
        self._ids.stream_id = facts.stream_id
        span = self._tracer.start_span(f"chat {model}", kind=SpanKind.CLIENT, attributes=attributes, start_time=start)
        if facts.first_token_us is not None:
            span.add_event("first_token", timestamp=start + facts.first_token_us * 1000)
        if facts.error is not None:
            span.set_status(StatusCode.ERROR)
        span.end(end)
        self._measure(facts, common)

    def _measure(self, facts: TurnFacts, common: dict[str, Any]) -> None:
        self._duration.record(facts.seconds, common)
        if facts.first_token_us is not None:
            self._first_chunk.record(facts.first_token_us / 1e6, common)
        for kind, count in tokens_of(facts):
            self._tokens.record(count, {**common, "gen_ai.token.type": kind})

    def close(self) -> None:
        """Flush the providers, for at most `CLOSE_MS` each, and end their threads."""
        for provider in self._providers:
            if isinstance(provider, TracerProvider | MeterProvider):
                provider.force_flush(CLOSE_MS)
                provider.shutdown()


def common_of(facts: TurnFacts) -> dict[str, Any]:
    """Return the attributes of both the span and the metrics."""
    model = facts.prompt.model
    found = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": PROVIDERS.get(model.provider, model.provider),
        "gen_ai.request.model": model.name,
    }
    if version := facts.response.get("modelVersion"):
        found["gen_ai.response.model"] = version
    if facts.error is not None:
        found["error.type"] = str(facts.error.get("status", "_OTHER"))
    return found


def attributes_of(facts: TurnFacts) -> Iterator[tuple[str, Any]]:
    """Yield the attributes of the span only."""
    yield "gen_ai.request.stream", True
    yield "gen_ai.output.type", "text"
    yield "wondercam.stream.id", str(facts.stream_id)
    yield "wondercam.stream.status", facts.status
    for ours, theirs in GENERATION.items():
        if (value := facts.prompt.generation.get(ours)) is not None:
            yield f"gen_ai.request.{theirs}", value
    if facts.finish_reason:
        yield "gen_ai.response.finish_reasons", [facts.finish_reason]
    if number := facts.response.get("responseId"):
        yield "gen_ai.response.id", number
    if facts.first_token_us is not None:
        yield "gen_ai.response.time_to_first_chunk", facts.first_token_us / 1e6
    for kind, count in tokens_of(facts):
        yield f"gen_ai.usage.{kind}_tokens", count


def tokens_of(facts: TurnFacts) -> Iterator[tuple[str, int]]:
    """Yield the counts of `input` and `output` tokens, if they are known; thoughts are output."""
    names = ("promptTokenCount", "candidatesTokenCount", "thoughtsTokenCount")
    asked, said, thought = (count_of(facts.usage.get(name)) for name in names)
    if asked is not None:
        yield "input", asked
    if said is not None:
        yield "output", said + (thought or 0)


def content_of(facts: TurnFacts) -> dict[str, str]:
    """Return question and answer as attributes, in the conventions' JSON. Photos and sounds are listed without data."""
    asked = [{"role": roles(each), "parts": list(parts_of(each["parts"]))} for each in facts.prompt.contents]
    said = [
        {"role": "assistant", "parts": list(parts_of(facts.answer)), "finish_reason": facts.finish_reason or "error"}
    ]
    found = {"gen_ai.input.messages": written(asked), "gen_ai.output.messages": written(said)}
    if facts.prompt.system:
        found["gen_ai.system_instructions"] = written([{"type": "text", "content": facts.prompt.system}])
    return found


def roles(content: dict[str, Any]) -> str:
    """Return a content's role in the conventions' terms."""
    return "assistant" if content.get("role") == "model" else "user"


def parts_of(parts: list[Part]) -> Iterator[dict[str, Any]]:
    """Yield parts in the conventions' format."""
    for part in parts:
        if "text" in part:
            yield {"type": "reasoning" if part.get("thought") else "text", "content": part["text"]}
        elif is_photo(part) or is_sound(part):
            kind = "audio" if is_sound(part) else "image"
            yield {"type": "blob", "modality": kind, "mime_type": type_of(part), "content": ""}
        else:
            yield {"type": next(iter(part), "part")}


def written(value: Any) -> str:
    """Return a value as JSON."""
    return json.dumps(value, ensure_ascii=False)


def by_otlp(service: str, *, content: bool) -> GenAiRecorder:
    """Return a recorder that exports by OTLP over HTTP, in threads, as OpenTelemetry's variables configure it."""
    resource = Resource.create({"service.name": service})
    ids = IdsOfStreams()
    traces = TracerProvider(resource=resource, shutdown_on_exit=False, id_generator=ids)
    traces.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    reader = PeriodicExportingMetricReader(OTLPMetricExporter())
    return GenAiRecorder(traces, MeterProvider([reader], resource, shutdown_on_exit=False), ids, content=content)
