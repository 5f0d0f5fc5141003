"""OpenTelemetry: a span and metrics for each turn, if it is installed and an endpoint is configured.

    Telemetry      opened when the process serves; `ended` is called after each turn, with `TurnFacts`
    genai.py       the attributes, by OpenTelemetry's semantic conventions for generative AI; imported by `open` only

Nothing is done while an answer is generated: its span is created after its end, with the measured times. Texts of
questions and answers are sent only if a setting enables it.
"""

import asyncio
import importlib.util
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

from chat.protocol.prompt import Part, Prompt

if TYPE_CHECKING:
    from chat.telemetry.genai import GenAiRecorder

NEEDED = ("opentelemetry.sdk", "opentelemetry.exporter.otlp.proto.http")
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class TurnFacts:
    """A turn that has ended. `seconds` and `first_token_us` count from the arrival of its question; `response` is that
    of the last event, `error` the one stored with the stream."""

    stream_id: UUID
    prompt: Prompt
    status: str
    seconds: float
    first_token_us: int | None
    finish_reason: str | None
    usage: dict[str, Any]
    response: dict[str, Any]
    answer: list[Part]
    error: dict[str, Any] | None


def installed() -> bool:
    """Whether the packages of the extra `otel` are installed."""
    try:
        return all(importlib.util.find_spec(name) for name in NEEDED)
    except ModuleNotFoundError:  # the parent of one of them
        return False


class Telemetry:
    """Sends turns if there is an `endpoint` (OTEL_EXPORTER_OTLP_ENDPOINT) and the packages are installed; else it does
    nothing. The exporter reads OpenTelemetry's own variables."""

    def __init__(self, endpoint: str, service: str, *, content: bool) -> None:
        self._endpoint = endpoint
        self._service = service
        self._content = content
        self._recorder: GenAiRecorder | None = None

    def open(self) -> None:
        """Create the exporters of this process."""
        if self._endpoint and installed():
            from chat.telemetry import genai

            self._recorder = genai.by_otlp(self._service, content=self._content)

    def ended(self, facts: TurnFacts) -> None:
        """Record a turn. Errors are logged, not raised, so that they do not affect the turn."""
        if self._recorder is None:
            return
        try:
            self._recorder.record(facts)
        except Exception as error:
            log.warning("stream %s: no telemetry of it: %s", facts.stream_id, type(error).__name__)

    async def close(self) -> None:
        """Flush and close the exporters, in a thread, within some seconds."""
        recorder, self._recorder = self._recorder, None
        if recorder is not None:
            await asyncio.to_thread(recorder.close)
