"""The code that `tests/weakenings.py` removes exists. `make soak` runs the weakenings."""

import re

import pytest

from tests.weakenings import ROOT, WEAKENINGS, Weakening, outcome

NAMED = pytest.mark.parametrize("weakening", WEAKENINGS, ids=lambda weakening: weakening.name)


@NAMED
def test_a_defence_stands_once_where_it_is_to_be_taken_away(weakening: Weakening) -> None:
    text = (ROOT / weakening.file).read_text()
    assert text.count(weakening.old) == 1
    file, _, name = weakening.test.partition("::")
    assert re.search(rf"^(async )?def {name}\(", (ROOT / "tests" / "unit" / file).read_text(), re.MULTILINE)


def test_security_md_names_each() -> None:
    said = (ROOT / "docs" / "security.md").read_text()
    assert [weakening.name for weakening in WEAKENINGS if weakening.name not in said] == []
    assert len(WEAKENINGS) >= 10


@pytest.mark.soak
@NAMED
def test_without_a_defence_its_test_turns_red(weakening: Weakening) -> None:
    is_red, said = outcome(weakening)
    assert is_red, said
