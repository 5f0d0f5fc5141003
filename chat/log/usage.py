"""What an answer has cost in tokens, counted for its day in the transaction that ends its stream."""

from collections.abc import Callable, Sequence
from typing import Any

from chat.protocol.prompt import guess

COUNT_TOKENS = """
UPDATE chat_dailyuse SET tokens = tokens + %s WHERE (user_id, day) = (
    SELECT used.user_id, MAX(used.day) FROM chat_dailyuse used JOIN chat_stream stream ON stream.user_id = used.user_id
    WHERE stream.id = %s GROUP BY used.user_id)
"""
"""For the last day on which the user has asked: that of the question, or today's."""


def count_tokens(
    execute: Callable[[str, Sequence[Any]], int], key: Any, usage: dict[str, Any] | None, parts: list[dict[str, Any]]
) -> None:
    """Count the tokens of the stream of `key_of`; nothing where its question was not counted, limits being off."""
    execute(COUNT_TOKENS, (tokens_of(usage, parts), key))


def tokens_of(usage: dict[str, Any] | None, parts: list[dict[str, Any]]) -> int:
    """All that the provider names; a guess by the answer's length where it names nothing."""
    total = (usage or {}).get("totalTokenCount")
    if isinstance(total, int) and 0 <= total < 2**40:
        return total
    return sum(guess(part["text"]) for part in parts if part.get("text"))
