"""Ids: UUID version 7 (RFC 9562), in the order of creation, and not guessable."""

from uuid import RFC_4122

import pytest

from chat.protocol import ids


def test_an_id_is_of_version_7():
    made = ids.new()

    assert (made.version, made.variant) == (7, RFC_4122)


def test_ids_are_in_the_order_of_their_making(monkeypatch: pytest.MonkeyPatch):
    moments = iter(range(0, 50_000_000_000, 1_000_000))
    monkeypatch.setattr(ids, "time_ns", lambda: 1_790_000_000_000_000_000 + next(moments))
    made = [ids.new() for _ in range(100)]

    assert made == sorted(made)
    assert [one.hex for one in made] == sorted(one.hex for one in made)  # as SQLite keeps them


def test_of_ids_of_one_millisecond_nothing_but_version_and_variant_is_known(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(ids, "time_ns", lambda: 1_790_000_000_000_000_000)
    made = [ids.new().int & (1 << 80) - 1 for _ in range(500)]
    ever, always = 0, (1 << 80) - 1
    for one in made:
        ever, always = ever | one, always & one

    assert len(set(made)) == 500
    assert (ever & ~always).bit_count() == 74
