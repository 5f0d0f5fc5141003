"""The end of an answer: its last content is passed on with the finishReason if both arrived together, else at once."""

import asyncio
from collections.abc import Awaitable, Callable
from time import monotonic

import pytest

from chat.protocol import errors, events
from chat.protocol.events import Chunk, Give
from chat.protocol.prompt import Model, Prompt
from chat.providers.policy import Attempt, AttemptLimits, Attempts
from tests.fakes import gemini

Ask = Callable[[Prompt, Give], Awaitable[None]]
PROMPT = Prompt(contents=[], model=Model("fake", "m"))
USAGE = {"totalTokenCount": 2}


def words(text: str, reason: str | None = None) -> Chunk:
    """A response with text, and perhaps a reason."""
    return events.chunk(gemini.chunk(text, reason, usageMetadata=USAGE))


async def run(ask: Ask, given: list[Chunk]) -> None:
    """One attempt."""
    await Attempt(Attempts(AttemptLimits(), monotonic() + 60), "m", given.append).run(ask, PROMPT)


def told(given: list[Chunk]) -> list[tuple[str, str | None]]:
    """Text and reason of each."""
    return [("".join(part["text"] for part in chunk.parts), chunk.reason) for chunk in given]


async def test_the_last_words_and_the_end_that_came_with_them_are_one() -> None:
    async def ask(prompt: Prompt, give: Give) -> None:
        give(words("Hel"))
        give(words("lo", "STOP"))

    given: list[Chunk] = []
    await run(ask, given)
    for _ in range(3):  # what was planned for later finds nothing left to give
        await asyncio.sleep(0)
    assert told(given) == [("Hel", None), ("lo", "STOP")]
    assert given[-1].usage == USAGE


async def test_words_with_a_reason_do_not_wait_for_an_end_that_does_not_come() -> None:
    async def ask(prompt: Prompt, give: Give) -> None:
        give(words("Hello", "STOP"))
        while told(given) != [("Hello", None)]:
            await asyncio.sleep(0)
        give(words(" again", "STOP"))

    given: list[Chunk] = []
    await asyncio.wait_for(run(ask, given), 20)
    assert told(given) == [("Hello", None), (" again", "STOP")]


async def test_words_with_a_reason_keep_their_place_before_what_follows() -> None:
    async def ask(prompt: Prompt, give: Give) -> None:
        for each in (words("a", "STOP"), words("b"), words("c", "STOP"), words("d", "STOP")):
            give(each)

    given: list[Chunk] = []
    await run(ask, given)
    assert told(given) == [("a", None), ("b", None), ("c", None), ("d", "STOP")]


@pytest.mark.parametrize("fault", [errors.Truncated("cut"), errors.BadUpstream("wrong"), OSError()])
async def test_words_with_a_reason_are_given_before_what_cuts_them_off(fault: Exception) -> None:
    async def ask(prompt: Prompt, give: Give) -> None:
        give(words("Hello", "STOP"))
        raise fault

    given: list[Chunk] = []
    with pytest.raises(type(fault)):
        await run(ask, given)
    assert told(given) == [("Hello", None)]
