"""Token usage of an answer, counted in the transaction that ends its stream: for the day's budget, and per model."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from chat.protocol.counts import count_of
from chat.protocol.prompt import guess

COUNT_TOKENS = """
UPDATE chat_dailyuse SET tokens = tokens + %s WHERE (user_id, day) = (
    SELECT user_id, day FROM chat_dailyuse WHERE user_id = (SELECT user_id FROM chat_stream WHERE id = %s)
    ORDER BY day DESC LIMIT 1)
"""
"""Counts for the last day on which the user asked: the day of the question, or today if there was one since."""

COUNT_SPENDING = """
INSERT INTO chat_modeluse (user_id, day, model, answers, estimated, tokens_in, tokens_out)
SELECT user_id, %s, provider || '/' || model, %s, %s, %s, %s FROM chat_stream WHERE id = %s
ON CONFLICT (user_id, day, model) DO UPDATE SET answers = chat_modeluse.answers + excluded.answers,
    estimated = chat_modeluse.estimated + excluded.estimated,
    tokens_in = chat_modeluse.tokens_in + excluded.tokens_in,
    tokens_out = chat_modeluse.tokens_out + excluded.tokens_out
"""


class Spent(NamedTuple):
    """The tokens of one answer; `estimated` if the provider reported none."""

    tokens_in: int
    tokens_out: int
    estimated: bool


def count_tokens(
    execute: Callable[[str, Sequence[Any]], int], key: Any, usage: dict[str, Any] | None, parts: list[dict[str, Any]]
) -> None:
    """Add the tokens of the stream with this `key_of` to its user's day; no effect if limits are off."""
    execute(COUNT_TOKENS, (tokens_of(usage, parts), key))


def count_spending(
    execute: Callable[[str, Sequence[Any]], int],
    key: Any,
    day: str,
    usage: dict[str, Any] | None,
    parts: list[dict[str, Any]],
    answers: int = 1,
) -> None:
    """Add the tokens of that stream's answer to those of its model, on `day` (ISO, UTC), the day on which it ended.

    `answers` is 0 for a request such as that of a title, which uses tokens but is not an answer."""
    spent = spent_of(usage, parts)
    execute(COUNT_SPENDING, (day, answers, int(answers and spent.estimated), spent.tokens_in, spent.tokens_out, key))


def tokens_of(usage: dict[str, Any] | None, parts: list[dict[str, Any]]) -> int:
    """The provider's total, or the sum of its counts; estimated from the length of the answer if it reported none."""
    spent = spent_of(usage, parts)
    return spent.tokens_in + spent.tokens_out


def spent_of(usage: dict[str, Any] | None, parts: list[dict[str, Any]]) -> Spent:
    """Input and output tokens, thoughts included: https://ai.google.dev/api/generate-content (UsageMetadata).

    If the provider reported only one of them, the other is computed from the total."""
    named = usage or {}
    total, prompt = number(named, "totalTokenCount"), number(named, "promptTokenCount")
    made = [number(named, name) for name in ("candidatesTokenCount", "thoughtsTokenCount")]
    if total is None and prompt is None and made == [None, None]:
        guessed = guess_of(parts)
        return Spent(0, guessed, guessed > 0)
    given = (prompt or 0) + (number(named, "toolUsePromptTokenCount") or 0)
    if total is None:
        return Spent(given, sum(count or 0 for count in made), False)
    if prompt is None:
        given = max(0, total - sum(count or 0 for count in made))
    return Spent(min(given, total), max(0, total - given), False)


def number(usage: Mapping[str, Any], name: str) -> int | None:
    """A count that the provider reported; None if it is missing or invalid."""
    return count_of(usage.get(name))


def guess_of(parts: list[dict[str, Any]]) -> int:
    """The tokens of the answer, estimated from its length."""
    return sum(guess(part["text"]) for part in parts if part.get("text"))
