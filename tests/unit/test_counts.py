"""Token counts, also in invalid forms."""

from typing import Any

import pytest

from chat.protocol.completion_chunks import usage_of
from chat.protocol.counts import count_of
from chat.protocol.timing import measure

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
