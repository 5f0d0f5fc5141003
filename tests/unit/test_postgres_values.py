"""How the event loop's connection to PostgreSQL sends values."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from psycopg import DataError
from psycopg.adapt import PyFormat, Transformer

from chat.log.postgres_pipeline import AS_TEXT

MOMENT = datetime(2026, 11, 27, 13, 5, 7, 250_000, UTC)


@pytest.mark.parametrize(
    "value", ["", "é \U0001f600", '{"a": 1}', 0, -7, 2**62, True, False, UUID(int=2**127 + 5), MOMENT]
)
def test_a_value_is_sent_as_psycopg_would_send_it(value: Any) -> None:
    (dumped,) = Transformer().dump_sequence([value], [PyFormat.TEXT])
    assert dumped is not None
    assert AS_TEXT[type(value)](value) == bytes(dumped)


def test_a_text_with_a_nul_is_refused_and_not_cut() -> None:
    with pytest.raises(DataError, match="NUL"):
        AS_TEXT[str]("a\0b")
