"""What an answer has used, counted in the transaction that ends its stream: for its day's budget, and by its model."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from chat.protocol.counts import count_of
from chat.protocol.prompt import guess

COUNT_TOKENS = """
UPDATE chat_dailyuse SET tokens = tokens + %s WHERE (user_id, day) = (
    SELECT user_id, day FROM chat_dailyuse WHERE user_id = (SELECT user_id FROM chat_stream WHERE id = %s)
    ORDER BY day DESC LIMIT 1)
"""
"""For the last day on which the user has asked: that of the question, or today's."""

COUNT_SPENDING = """
INSERT INTO chat_modeluse (user_id, day, model, answers, estimated, tokens_in, tokens_out)
SELECT user_id, %s, provider || '/' || model, %s, %s, %s, %s FROM chat_stream WHERE id = %s
ON CONFLICT (user_id, day, model) DO UPDATE SET answers = chat_modeluse.answers + excluded.answers,
    estimated = chat_modeluse.estimated + excluded.estimated,
    tokens_in = chat_modeluse.tokens_in + excluded.tokens_in,
    tokens_out = chat_modeluse.tokens_out + excluded.tokens_out
"""


class Spent(NamedTuple):
    """Tokens of one answer; `estimated` where the provider named none."""

    tokens_in: int
    tokens_out: int
    estimated: bool


def count_tokens(
    execute: Callable[[str, Sequence[Any]], int], key: Any, usage: dict[str, Any] | None, parts: list[dict[str, Any]]
) -> None:
    """Count the tokens of the stream of `key_of`; nothing where its question was not counted, limits being off."""
    execute(COUNT_TOKENS, (tokens_of(usage, parts), key))


def count_spending(
    execute: Callable[[str, Sequence[Any]], int],
    key: Any,
    day: str,
    usage: dict[str, Any] | None,
    parts: list[dict[str, Any]],
    answers: int = 1,
) -> None:
    """Count the answer of that stream for its model, on the day on which it ended (ISO, UTC). `answers` is 0 for what
    was asked beside it: its tokens are spent, and it is no answer."""
    spent = spent_of(usage, parts)
    execute(COUNT_SPENDING, (day, answers, int(answers and spent.estimated), spent.tokens_in, spent.tokens_out, key))


def tokens_of(usage: dict[str, Any] | None, parts: list[dict[str, Any]]) -> int:
    """All that the provider names; a guess by the answer's length where it names nothing."""
    total = number(usage or {}, "totalTokenCount")
    return guess_of(parts) if total is None else total


def spent_of(usage: dict[str, Any] | None, parts: list[dict[str, Any]]) -> Spent:
    """What the model was given and what it made, thoughts included: https://ai.google.dev/api/generate-content
    (UsageMetadata). Where only a part is named, the rest is told by the total."""
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
    """A count that the provider names; None where it names none that can be."""
    return count_of(usage.get(name))


def guess_of(parts: list[dict[str, Any]]) -> int:
    """Tokens by the length of the answer."""
    return sum(guess(part["text"]) for part in parts if part.get("text"))
