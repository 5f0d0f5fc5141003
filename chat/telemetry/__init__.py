"""OpenTelemetry, where it is installed and told whom to send to: a span and some metrics for each turn.

    Telemetry      opened when the process serves; told of each turn once that has ended, by `TurnFacts`
    genai.py       what is told, by OpenTelemetry's semantic conventions for generative AI; imported on opening only

Nothing is done while an answer is generated: its span is made when it has ended, with the times that were measured.
What was asked and answered goes along only where a setting says so.
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
    """A turn that has ended: `seconds` since its question arrived, `first_token_us` since then, too; `response` is the
    last event's, `error` the one stored with the stream."""

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
    """Whether the packages of the extra `otel` are there."""
    try:
        return all(importlib.util.find_spec(name) for name in NEEDED)
    except ModuleNotFoundError:  # the parent of one of them
        return False


class Telemetry:
    """On where there is an `endpoint`, OTEL_EXPORTER_OTLP_ENDPOINT, and the packages; else nothing comes of anything.

    Where and how it is sent are the exporter's matter, which reads OpenTelemetry's own variables.
    """

    def __init__(self, endpoint: str, service: str, *, content: bool) -> None:
        self._endpoint = endpoint
        self._service = service
        self._content = content
        self._recorder: GenAiRecorder | None = None

    def open(self) -> None:
        """Begin to send, from this process."""
        if self._endpoint and installed():
            from chat.telemetry import genai

            self._recorder = genai.by_otlp(self._service, content=self._content)

    def ended(self, facts: TurnFacts) -> None:
        """Tell of a turn. What goes wrong there is logged, and nobody's answer hears of it."""
        if self._recorder is None:
            return
        try:
            self._recorder.record(facts)
        except Exception as error:
            log.warning("stream %s: no telemetry of it: %s", facts.stream_id, type(error).__name__)

    async def close(self) -> None:
        """Send what was not sent yet, for some seconds at most."""
        recorder, self._recorder = self._recorder, None
        if recorder is not None:
            await asyncio.to_thread(recorder.close)
