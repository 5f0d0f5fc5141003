"""Helpers that ask a provider, and keep the chunks before a failure."""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from typing import Any

import pytest

from chat.protocol import errors, events
from chat.protocol.prompt import Prompt
from tests.catalogue import providers

ONCE = {
    "WONDERCAM_LIMIT_FIRST_TOKEN_SECONDS": "30",
    "WONDERCAM_LIMIT_IDLE_SECONDS": "30",
    "WONDERCAM_LIMIT_STREAM_SECONDS": "60",
    "WONDERCAM_LIMIT_CONNECT_SECONDS": "30",
    "WONDERCAM_UPSTREAM_ATTEMPTS": "1",
}
"""One attempt, and deadlines that no busy machine meets."""

HASTY = {"WONDERCAM_LIMIT_FIRST_TOKEN_SECONDS": "1", "WONDERCAM_LIMIT_IDLE_SECONDS": "1"}
"""Deadlines for an upstream that is silent for good."""


@pytest.fixture(autouse=True)
async def close() -> AsyncGenerator[None, None]:
    """No connection outlives its test."""
    yield
    await providers.close()


@dataclass
class Outcome:
    """What one question came to."""

    responses: list[dict[str, Any]] = field(default_factory=list)
    error: errors.ApiError | None = None

    @property
    def text(self) -> str:
        """The answer's text."""
        return "".join(events.text_of(response) for response in self.responses)

    @property
    def reason(self) -> str | None:
        """The last response's finishReason."""
        return events.finish_reason(self.responses[-1]) if self.responses else None

    @property
    def notices(self) -> list[tuple[str, str]]:
        """Kind and message of every notice."""
        ours = [response.get("wondercam", {}) for response in self.responses]
        found = [each["notice"] for each in ours if "notice" in each]
        return [(notice["kind"], notice["message"]) for notice in found]


async def responses(prompt: Prompt, answer: Any = None) -> AsyncGenerator[dict[str, Any], None]:
    """What a provider's `answer` gives, or that of the configured one, one by one; closing it cancels the answer."""
    given: asyncio.Queue[events.Chunk | None] = asyncio.Queue()

    async def run() -> None:
        try:
            await (answer or providers.answer)(prompt, given.put_nowait)
        finally:
            given.put_nowait(None)

    task = asyncio.create_task(run())
    try:
        while (chunk := await given.get()) is not None:
            yield events.decode(chunk.data)
        await task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def ask(model: str | None, question: str = "Hi", **fields: Any) -> Outcome:
    """Ask a configured model; errors are part of the outcome."""
    found = providers.find(model)[1]
    contents = fields.pop("contents", [{"role": "user", "parts": [{"text": question}]}])
    outcome = Outcome()
    try:
        async for response in responses(Prompt(found, contents, **fields)):
            outcome.responses.append(response)
    except errors.ApiError as error:
        outcome.error = error
    return outcome
