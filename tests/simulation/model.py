"""The model: what it answers to a question is known beforehand, so that a hole in an answer can be seen.

A question is `number words size`. Its answer is that many words, each naming the question and its own place, every
tenth of them `size` characters long. It goes on with an answer where it is given the beginning.
"""

import asyncio
from collections.abc import Callable
from random import Random
from typing import Any

from chat.protocol import errors, events, log_context
from chat.protocol.prompt import Model, Prompt, text_of


def answer_to(question: str) -> str:
    """All that is to be said to a question."""
    return "".join(words_of(question))


def words_of(question: str) -> list[str]:
    """The same, word by word."""
    number, count, size = question.split()
    long = "x" * int(size)
    return [f"{number}.{place}{long if place % 10 == 5 else ''} " for place in range(int(count))]


class Script:
    """A provider for one process. `hurry` tells that faults are over; `violated` is called with what must not be."""

    name = "gemini"

    def __init__(
        self,
        random: Random,
        can_continue: bool,
        faulty: float,
        hurry: Callable[[], bool],
        violated: Callable[[str], None],
    ) -> None:
        self._random = random
        self.can_continue = can_continue
        self._faulty = faulty
        self._hurry = hurry
        self._violated = violated
        self._answering: set[str] = set()

    def models(self) -> tuple[Model, ...]:
        """One."""
        return (Model("gemini", "script"),)

    async def close(self) -> None:
        """Nothing is held."""

    async def answer(self, prompt: Prompt, give: events.Give) -> None:
        """Say the rest of the answer, or break off."""
        stream = log_context.stream_id.get()
        if stream in self._answering:
            self._violated(f"stream {stream} is generated twice at once in one process")
        self._answering.add(stream)
        try:
            await self._say(prompt, give)
        finally:
            self._answering.discard(stream)

    async def _say(self, prompt: Prompt, give: events.Give) -> None:
        question, said = text_of(prompt.contents[-1]), ""
        if prompt.is_continuation:
            question, said = text_of(prompt.contents[-2]), question
            if not self.can_continue:
                raise errors.InvalidArgument("The last message must be the user's.")
        whole = words_of(question)
        text = "".join(whole)
        if not text.startswith(said):
            self._violated(f"the answer to {question!r} is to go on from what was never said: {said[-80:]!r}")
        rest, length = [], 0
        for word in whole:
            length += len(word)
            if length > len(said):
                rest.append(word)
        slow = self._random.random() < 0.4
        breaks_at = self._random.randrange(len(whole)) if self._random.random() < self._faulty else -1
        early = self._random.random() < 0.3
        await self._wait()
        for place, word in enumerate(rest):
            if place == breaks_at:
                await self._break()
            response = events.delta(word)
            if place == len(rest) - 1 and early:
                response["candidates"][0]["finishReason"] = "STOP"
            if (full := give(events.chunk(response))) is not None:
                await asyncio.shield(full)
            if slow and not self._hurry():
                await asyncio.sleep(self._random.uniform(0.05, 1.5))
            elif self._random.random() < 0.6:
                await self._wait()
        usage = {"candidatesTokenCount": len(whole)}
        give(
            events.chunk({"candidates": [], "usageMetadata": usage} if early and rest else events.finish("STOP", usage))
        )

    async def _wait(self) -> None:
        await asyncio.sleep(self._random.choice((0.0, 0.001, 0.01, 0.05, 0.2)))

    async def _break(self) -> None:
        if self._hurry():
            return
        how = self._random.randrange(4)
        if how == 0:
            await asyncio.sleep(self._random.uniform(1, 90))
        elif how == 1:
            raise errors.Unavailable("The model is not there just now.")
        elif how == 2:
            raise errors.Truncated("The answer ended in the middle.")
        else:
            raise errors.PermissionDenied("The key was refused.")


def settings_of(script: Script) -> tuple[dict[str, str], tuple[Any, ...]]:
    """What a catalogue with this provider alone is made from."""
    return {"WONDERCAM_MODELS": "gemini/script", "WONDERCAM_CONTINUE": "all", "WONDERCAM_OCR": "off"}, (
        lambda _: script,
    )
