"""OpenTelemetry: the data of turns, its endpoint, and that failures do not affect answers."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from typing import Any
from uuid import uuid4

import pytest
from django.core.checks import run_checks
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

from chat import telemetry
from chat.process import this_process
from chat.protocol.prompt import Model, Prompt
from chat.telemetry import Telemetry, TurnFacts
from chat.telemetry.genai import GenAiRecorder, IdsOfStreams
from tests.catalogue import providers
from tests.fakes.server import Reply, Request, Server
from tests.faults.arena import environment
from tests.inside import Core

SECRET = "what nobody else may read"


def facts(**changed: Any) -> TurnFacts:
    model = Model("gemini", "gemini-3-flash")
    contents = [
        {"role": "user", "parts": [{"text": SECRET}, {"inlineData": {"mimeType": "audio/wav", "data": "QQ=="}}]}
    ]
    given: dict[str, Any] = {
        "stream_id": uuid4(),
        "prompt": Prompt(model, contents, system=SECRET, generation={"temperature": 0.5, "maxOutputTokens": 9}),
        "status": "complete",
        "seconds": 2.0,
        "first_token_us": 500_000,
        "finish_reason": "STOP",
        "usage": {"promptTokenCount": 3, "candidatesTokenCount": 5, "thoughtsTokenCount": 2},
        "response": {"modelVersion": "gemini-3-flash-001", "responseId": "r1"},
        "answer": [{"text": "hm", "thought": True}, {"text": SECRET}],
        "error": None,
    }
    return TurnFacts(**{**given, **changed})


class Collector:
    """What the SDK would send, in memory."""

    def __init__(self, *, content: bool) -> None:
        self._spans, self._reader = InMemorySpanExporter(), InMemoryMetricReader()
        ids = IdsOfStreams()
        traces = TracerProvider(shutdown_on_exit=False, id_generator=ids)
        traces.add_span_processor(SimpleSpanProcessor(self._spans))
        meters = MeterProvider([self._reader], shutdown_on_exit=False)
        self.recorder = GenAiRecorder(traces, meters, ids, content=content)

    def span(self, **changed: Any) -> Any:
        """The span of a turn."""
        self.recorder.record(facts(**changed))
        return self._spans.get_finished_spans()[-1]

    def metrics(self) -> dict[str, list[Any]]:
        """The points of each metric by its name."""
        data = self._reader.get_metrics_data()
        assert data is not None
        scopes = [scope for resource in data.resource_metrics for scope in resource.scope_metrics]
        return {metric.name: list(metric.data.data_points) for scope in scopes for metric in scope.metrics}


@pytest.fixture
def collector() -> Iterator[Collector]:
    found = Collector(content=False)
    yield found
    found.recorder.close()


def test_a_turn_is_a_span_by_the_conventions_for_generative_ai(collector: Collector) -> None:
    span = collector.span()
    assert (span.name, span.kind.name) == ("chat gemini-3-flash", "CLIENT")
    assert {name: value for name, value in span.attributes.items() if name.startswith("gen_ai.")} == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "gcp.gemini",
        "gen_ai.output.type": "text",
        "gen_ai.request.model": "gemini-3-flash",
        "gen_ai.request.stream": True,
        "gen_ai.request.temperature": 0.5,
        "gen_ai.request.max_tokens": 9,
        "gen_ai.response.model": "gemini-3-flash-001",
        "gen_ai.response.id": "r1",
        "gen_ai.response.finish_reasons": ("STOP",),
        "gen_ai.response.time_to_first_chunk": 0.5,
        "gen_ai.usage.input_tokens": 3,
        "gen_ai.usage.output_tokens": 7,
    }
    assert span.end_time - span.start_time == 2 * 10**9
    (first,) = span.events
    assert (first.name, first.timestamp - span.start_time) == ("first_token", 5 * 10**8)
    assert span.status.status_code == StatusCode.UNSET


def test_a_turn_that_failed_says_with_which_status_and_no_more(collector: Collector) -> None:
    error = {"code": 503, "status": "UNAVAILABLE", "message": SECRET}
    span = collector.span(
        status="failed", error=error, finish_reason=None, first_token_us=None, usage={}, response={}, answer=[]
    )
    assert span.status.status_code == StatusCode.ERROR
    assert span.attributes["error.type"] == "UNAVAILABLE"
    assert span.attributes["wondercam.stream.status"] == "failed"
    assert SECRET not in span.to_json()
    assert not span.events


def test_what_was_asked_and_answered_is_told_only_where_that_is_set(collector: Collector) -> None:
    assert SECRET not in collector.span().to_json()
    open_one = Collector(content=True)
    told = open_one.span().attributes
    asked, said = (json.loads(told[f"gen_ai.{which}.messages"]) for which in ("input", "output"))
    blob = {"type": "blob", "modality": "audio", "mime_type": "audio/wav", "content": ""}
    assert asked == [{"role": "user", "parts": [{"type": "text", "content": SECRET}, blob]}]
    assert said == [
        {
            "role": "assistant",
            "parts": [{"type": "reasoning", "content": "hm"}, {"type": "text", "content": SECRET}],
            "finish_reason": "STOP",
        }
    ]
    assert json.loads(told["gen_ai.system_instructions"]) == [{"type": "text", "content": SECRET}]
    open_one.recorder.close()


def test_times_and_tokens_are_metrics_too(collector: Collector) -> None:
    collector.span()
    found = collector.metrics()
    assert set(found) == {
        "gen_ai.client.operation.duration",
        "gen_ai.client.operation.time_to_first_chunk",
        "gen_ai.client.token.usage",
    }
    assert found["gen_ai.client.operation.duration"][0].sum == 2.0
    assert found["gen_ai.client.operation.time_to_first_chunk"][0].sum == 0.5
    tokens = {point.attributes["gen_ai.token.type"]: point.sum for point in found["gen_ai.client.token.usage"]}
    assert tokens == {"input": 3, "output": 7}
    assert "wondercam.stream.id" not in found["gen_ai.client.operation.duration"][0].attributes


@pytest.fixture
async def receiver() -> AsyncIterator[Server]:
    """An OTLP receiver that takes everything."""

    async def play(request: Request, reply: Reply) -> None:
        await reply.whole(200, b"", "application/x-protobuf")

    async with Server(play) as server:
        yield server


async def test_a_real_turn_reaches_a_receiver_by_otlp(
    core: Core, receiver: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.url)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_COMPRESSION", "none")
    told = Telemetry(receiver.url, "my-camera", content=False)
    told.open()
    monkeypatch.setattr(core.turns, "_on_ended", told.ended)
    providers.configure({**environment(core.model.url), "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.url})
    stream = await core.ask("words=3 " + SECRET.replace("=", " "))
    await core.ended(stream)
    while core.turns.running():
        await asyncio.sleep(0)
    await told.close()
    bodies = {request.target: request.body for request in receiver.requests}
    assert set(bodies) == {"/v1/traces", "/v1/metrics"}
    assert SECRET.encode() not in b"".join(bodies.values())
    (resource,) = ExportTraceServiceRequest.FromString(bodies["/v1/traces"]).resource_spans
    names = {each.key: each.value.string_value for each in resource.resource.attributes}
    assert names["service.name"] == "my-camera"
    (span,) = resource.scope_spans[0].spans
    attributes = {each.key: each.value for each in span.attributes}
    assert core.model.asked[-1].headers["traceparent"] == f"00-{span.trace_id.hex()}-{span.span_id.hex()}-01"
    assert span.trace_id == stream.pk.bytes
    assert (span.name, attributes["gen_ai.provider.name"].string_value) == ("chat script", "openai")
    assert [event.name for event in span.events] == ["first_token"]
    metrics = ExportMetricsServiceRequest.FromString(bodies["/v1/metrics"]).resource_metrics[0].scope_metrics[0]
    assert "gen_ai.client.operation.duration" in {metric.name for metric in metrics.metrics}


async def test_without_an_endpoint_an_upstream_is_told_of_no_trace(core: Core) -> None:
    await core.ended(await core.ask("words=1"))
    assert "traceparent" not in core.model.asked[-1].headers


async def test_nobody_s_answer_hears_of_what_goes_wrong_there(caplog: pytest.LogCaptureFixture) -> None:
    told = Telemetry("http://127.0.0.1:9", "x", content=False)
    told.open()
    told.ended(facts(response={"modelVersion": object()}, usage=None))
    assert "no telemetry of it" in caplog.text
    await told.close()
    told.ended(facts())  # after the end nothing is told


def test_without_an_endpoint_nothing_is_imported_or_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(telemetry, "installed", lambda: pytest.fail("looked for packages"))
    told = Telemetry("", "x", content=True)
    told.open()
    told.ended(facts())
    assert this_process().telemetry._recorder is None


@pytest.mark.parametrize(
    ("endpoint", "there", "ids"), [("", False, []), ("http://a", True, []), ("http://a", False, ["wondercam.W007"])]
)
def test_an_endpoint_without_the_packages_is_warned_of(
    settings: Any, monkeypatch: pytest.MonkeyPatch, endpoint: str, there: bool, ids: list[str]
) -> None:
    settings.OTEL_ENDPOINT = endpoint
    monkeypatch.setattr(telemetry, "installed", lambda: there)
    found = [check for check in run_checks(tags=["wondercam"]) if check.id == "wondercam.W007"]
    assert [check.id for check in found] == ids
    assert all("wondercam[otel]" in str(check.hint) for check in found)


def test_packages_that_are_missing_are_known_to_be(monkeypatch: pytest.MonkeyPatch) -> None:
    assert telemetry.installed()
    monkeypatch.setattr(telemetry, "NEEDED", ("no_such_package.sdk",))
    assert not telemetry.installed()
