"""The lines of turns in the server's log, and that every failure is logged."""

import asyncio
import logging
from functools import partial
from typing import Any
from uuid import UUID

import pytest

from chat import log_lines
from chat.log import Log
from chat.models import Stream
from chat.process import Process
from chat.protocol import events, log_context, timing
from chat.providers.catalogue import Catalogue
from chat.views import doors, event_stream
from tests.inside import Core

STREAM = UUID(int=7)


async def ended(core: Core, question: str) -> Stream:
    """Ask, and wait until the turn is over: its line is written after its end is."""
    stream = await core.ask(question)
    while core.turns.running():
        await asyncio.sleep(0)
    return stream


def test_the_end_of_a_stream_is_one_line_with_its_figures(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    usage = {"promptTokenCount": 12, "candidatesTokenCount": 200}
    measured = timing.measure([700, 120_000, 130_000, 1_330_000], 120_000, usage, first_thought_us=50_000)
    known: dict[str, Any] = {"timing": measured, "events": 210, "finish_reason": "STOP", "usage": usage}
    log_lines.stream_ended(STREAM, events.COMPLETE, model="openai/x", seconds=3.4, **known)

    [line] = caplog.records
    assert line.levelname == "INFO"
    assert line.stream_id == STREAM  # type: ignore[attr-defined]
    assert line.getMessage() == (
        "complete (STOP) by openai/x after 3.400 s, first token after 0.120 s, 210 events, "
        "stalls: 1, the longest 1.20 s, tokens 12 in, 200 out"
    )
    assert line.fields == {  # type: ignore[attr-defined]
        "status": "complete",
        "reason": "STOP",
        "model": "openai/x",
        "seconds": 3.4,
        "first_thought_seconds": 0.05,
        "first_token_seconds": 0.12,
        "longest_gap_seconds": 1.2,
        "stalls": 1,
        "events": 210,
        "tokens_in": 12,
        "tokens_out": 200,
    }


def test_a_failure_is_a_warning_that_names_its_kind_and_quotes_nobody(caplog: pytest.LogCaptureFixture) -> None:
    error = {"code": 503, "status": "UNAVAILABLE", "message": "what somebody said"}
    log_lines.stream_ended(STREAM, events.FAILED, model="openai/x", seconds=1, error=error)

    [line] = caplog.records
    assert line.levelname == "WARNING"
    assert line.getMessage() == "failed (503 UNAVAILABLE) by openai/x after 1.000 s"


async def test_every_turn_leaves_one_line_without_a_word_of_what_was_said(
    core: Core, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    stream = await ended(core, "words=3 gap=0 say=mysecret")

    [line] = [record for record in caplog.records if record.name == "chat.streams"]
    assert line.stream_id == stream.pk  # type: ignore[attr-defined]
    assert line.getMessage().startswith("complete (STOP) by openai/script after ")
    assert "mysecret" not in caplog.text


async def test_what_a_provider_logs_names_the_stream(core: Core, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []

    async def answer(prompt: Any, give: events.Give) -> None:
        seen.append(log_context.stream_id.get())
        give(events.chunk(events.delta("x")))
        give(events.chunk(events.finish("STOP")))

    monkeypatch.setattr(Catalogue, "answer", staticmethod(answer))
    stream = await ended(core, "Why?")
    assert seen == [str(stream.pk)]
    assert log_context.stream_id.get() == ""


async def test_a_provider_that_fails_as_it_should_not_is_logged_with_its_traceback(
    core: Core, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def answer(prompt: Any, give: events.Give) -> None:
        raise RuntimeError("a fault of ours")

    monkeypatch.setattr(Catalogue, "answer", staticmethod(answer))
    await ended(core, "Why?")
    assert "RuntimeError: a fault of ours" in caplog.text
    assert "failed (500 INTERNAL)" in caplog.text


BODIES = [partial(body, Log(), STREAM) for body in (event_stream.event_stream, event_stream.so_far)]
DOORS = [partial(body, Process(), Stream(pk=STREAM)) for body in (doors.gemini_stream, doors.gemini_array)]


@pytest.mark.parametrize("body", [*BODIES, *DOORS], ids=["event_stream", "so_far", "gemini_stream", "gemini_array"])
async def test_a_body_that_breaks_is_logged_with_its_traceback(
    body: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: Any, **__: Any) -> Any:
        raise RuntimeError("a fault of ours")

    monkeypatch.setattr(Log, "follow", broken)
    async for _ in body():
        pass
    assert "RuntimeError: a fault of ours" in caplog.text
    assert str(STREAM) in caplog.text
