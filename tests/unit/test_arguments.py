"""Arguments of commands: what cannot be meant is refused with a sentence."""

from argparse import ArgumentTypeError
from datetime import UTC, datetime

import pytest
from django.core.management import CommandError

from chat.management import arguments


@pytest.mark.parametrize(
    "text", ["9999-12-31T23:59:59-12:00", "0001-01-01T00:00:00+12:00", "2025-13-01", "soon", "9d9"]
)
def test_a_moment_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ArgumentTypeError, match="is not a time"):
        arguments.moment(text)


def test_a_moment_is_in_utc_unless_it_says_otherwise() -> None:
    noon = datetime(2025, 6, 1, 12, tzinfo=UTC)
    assert arguments.moment("2025-06-01T12:00") == arguments.moment("2025-06-01T14:00+02:00") == noon


@pytest.mark.parametrize(
    "text",
    ["", "chat.example.com", "ftp://host", "https://", "http://host:99999", "http://[::1", "http://a b", "http://h\n"],
)
def test_an_address_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ArgumentTypeError, match="is not an address: write one such as"):
        arguments.site(text)


@pytest.mark.parametrize("text", ["https://chat.example.com", "http://[::1]:18000", "https://example.com/chat"])
def test_an_address_loses_the_slash_at_its_end(text: str) -> None:
    assert arguments.site(f"{text}/") == arguments.site(text) == text


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["nobody", "\udcff", "a\0b", ""])
def test_a_name_that_nobody_has_is_told(name: str) -> None:
    with pytest.raises(CommandError, match="There is no user"):
        arguments.user(name)
