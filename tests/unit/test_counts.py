"""Token counts, also in invalid forms."""

from typing import Any

import pytest

from chat.protocol.completion_chunks import usage_of
from chat.protocol.counts import count_of
from chat.protocol.timing import measure
from chat.providers import openai_usage

COUNTS: list[tuple[Any, int | None]] = [
    (8, 8),
    ("8", 8),
    (8.0, 8),
    (0, 0),
    (8.5, None),
    (-1, None),
    (True, None),
    (10**400, None),
    ("9" * 5000, None),
    ("٣", None),
    ("many", None),
    (float("inf"), None),
    (float("nan"), None),
    (None, None),
    ([8], None),
]


@pytest.mark.parametrize(("value", "count"), COUNTS, ids=lambda value: str(value)[:20])
def test_a_count_is_a_number_that_can_be_one(value: Any, count: int | None) -> None:
    assert count_of(value) == count


@pytest.mark.parametrize("value", [value for value, _ in COUNTS], ids=lambda value: str(value)[:20])
def test_no_count_of_a_providers_breaks_what_is_made_of_it(value: Any) -> None:
    names = ("promptTokenCount", "candidatesTokenCount", "thoughtsTokenCount", "totalTokenCount")
    used = dict.fromkeys(names, value)
    count = count_of(value) or 0
    assert (usage_of(used) or {})["completion_tokens"] == 2 * count
    assert measure((0, 10, 20), 10, used).ok_us == 0


THOUGHTS = {"completion_tokens_details": {"reasoning_tokens": 2}}
USED: list[tuple[dict[str, Any], tuple[int | None, int | None, int | None]]] = [
    ({"prompt_tokens": 3, "completion_tokens": 5, "total_tokens": 8, **THOUGHTS}, (3, 3, 2)),  # OpenAI
    ({"prompt_tokens": 3, "completion_tokens": 3, "total_tokens": 8, **THOUGHTS}, (3, 3, 2)),  # Gemini, xAI
    ({"prompt_tokens": 3, "completion_tokens": 5, **THOUGHTS}, (3, 3, 2)),
    ({"prompt_tokens": 3, "completion_tokens": 1, "total_tokens": 4, **THOUGHTS}, (3, 0, 2)),
    ({"prompt_tokens": 3, "completion_tokens": 5, "total_tokens": 8}, (3, 5, None)),
    ({"input_tokens": 3, "output_tokens": 5, "output_tokens_details": {"reasoning_tokens": 2}}, (3, 3, 2)),
]


@pytest.mark.parametrize(("used", "counts"), USED, ids=str)
def test_thoughts_are_counted_once(used: dict[str, Any], counts: tuple[int | None, int | None, int | None]) -> None:
    found = openai_usage.usage_of(used)
    names = ("promptTokenCount", "candidatesTokenCount", "thoughtsTokenCount")
    assert tuple(found.get(name) for name in names) == counts
