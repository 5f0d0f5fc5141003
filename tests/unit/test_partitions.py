"""The events' partitions: which are created, and which are old enough to be dropped."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from chat.log.partitions import Partition, awaited, over, span, wanted
from chat.protocol import ids

NOW = datetime(2026, 3, 10, 15, 30, tzinfo=UTC)


def bound(day: str) -> UUID:
    return ids.first_of(int(datetime.fromisoformat(f"{day}T00:00+00:00").timestamp()))


def days(*pairs: tuple[str | None, str | None]) -> list[Partition]:
    return [Partition("", *(bound(day) if day else None for day in pair)) for pair in pairs]


def told(found: list[Partition]) -> list[str]:
    return [each.name for each in found]


HISTORY = days((None, "2026-03-12"))


def test_an_id_that_is_made_in_a_second_lies_behind_its_first_and_before_the_next_ones(
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr(ids, "time_ns", lambda: 1_790_000_000_999_999_999)
    assert ids.first_of(1_790_000_000) < ids.new() < ids.first_of(1_790_000_001)
    assert ids.seconds_of(ids.first_of(1_790_000_000)) == 1_790_000_000


@pytest.mark.parametrize(("keep", "lasts"), [(0, 30), (1, 1), (30, 1), (89, 2), (365, 12)])
def test_a_partition_lasts_a_thirtieth_of_what_is_kept_and_a_day_at_least(keep: int, lasts: int):
    assert span(keep) == lasts


def test_what_the_catalogue_says_is_read():
    low, high = UUID(int=1), UUID(int=2)
    assert Partition.of("a", f"FOR VALUES FROM ('{low}') TO ('{high}')") == ("a", low, high)
    assert Partition.of("a", f"FOR VALUES FROM (MINVALUE) TO ('{high}')") == ("a", None, high)
    assert Partition.of("a", f"FOR VALUES FROM ('{low}') TO (MAXVALUE)") == ("a", low, None)
    assert Partition.of("a", "DEFAULT") is None


def test_partitions_follow_each_other_until_two_are_ahead():
    made = wanted(HISTORY, NOW, 30)
    assert told(made) == ["chat_event_20260312"]
    assert (made[0].start, made[0].end) == (HISTORY[0].end, bound("2026-03-13"))
    assert wanted([*HISTORY, *made], NOW, 30) == []
    assert told(wanted([*HISTORY, *made], NOW + timedelta(days=1), 30)) == ["chat_event_20260313"]


def test_where_recordings_are_kept_for_ever_partitions_last_thirty_days():
    made = wanted(HISTORY, NOW, 0)
    assert told(made) == ["chat_event_20260312", "chat_event_20260411"]
    assert {each.days for each in made} == {30}


def test_time_in_which_nothing_ran_is_one_partition():
    made = wanted(days((None, "2025-01-01")), NOW, 30)
    assert told(made) == ["chat_event_20250101", "chat_event_20260311", "chat_event_20260312"]
    assert (made[0].start, made[0].end) == (bound("2025-01-01"), bound("2026-03-11"))


def test_nothing_is_made_of_a_table_that_has_no_partitions_or_none_without_an_end():
    assert wanted([], NOW, 30) == []
    assert wanted(days((None, None)), NOW, 30) == []


def test_over_are_those_of_which_no_stream_was_made_since():
    found = days(("2026-03-02", "2026-03-03"), (None, "2026-03-02"), ("2026-03-03", "2026-03-04"), ("2026-03-04", None))
    assert over(found, datetime(2026, 3, 3, tzinfo=UTC)) == [found[1], found[0]]
    assert over(found, datetime(2026, 3, 2, 23, 59, 59, tzinfo=UTC)) == [found[1]]
    assert over(found, datetime(2026, 3, 1, tzinfo=UTC)) == []


def test_streams_wait_for_the_rest_of_their_partition_unless_that_takes_long():
    found = days((None, "2026-03-01"), ("2026-03-01", "2026-03-02"), ("2026-03-02", "2026-03-04"))
    assert awaited(found, datetime(2026, 3, 1, 12, tzinfo=UTC), 30) == found[1]
    assert awaited(found, datetime(2026, 3, 2, 12, tzinfo=UTC), 30) is None
    assert awaited(found, datetime(2026, 3, 2, 12, tzinfo=UTC), 60) == found[2]
    assert awaited(found, datetime(2026, 3, 2, tzinfo=UTC), 60) is None
    assert awaited(found, datetime(2026, 2, 2, tzinfo=UTC), 30) is None
