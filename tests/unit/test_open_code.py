"""Code that a text leaves open is closed, and no other text is touched."""

import pytest

from chat.views.open_code import closed


@pytest.mark.parametrize(
    ("text", "end"),
    [
        ("```py\nprint(1)", "```"),
        ("```py\nprint(1)\n", "```"),
        ("~~~~\n~~~\n```", "~~~~"),
        ("````md\n```py\n```", "````"),
        ("```\ncode\n``` and words", "```"),
        ("1. One:\n\n   ```py\n   print(1)", "   ```"),
        ("- ```py\n  print(1)", "  ```"),
        ("> ```py\n> print(1)", "> ```"),
        ("- a\n\n  ```\n  b\n  ```\n\n```sh\nls", "```"),
        ("  ```py\nprint(1)", "```"),
    ],
)
def test_code_is_closed_where_it_began(text: str, end: str) -> None:
    assert closed(text) == f"{text.rstrip()}\n{end}"
    assert closed(closed(text)) == closed(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "No code.",
        "```py\nprint(1)\n```",
        "~~~\n```\n~~~\n",
        "````md\n```py\n```\n````",
        "`one` and ```two``` in a line",
        "- ```py\n  print(1)\n\nIts list has ended.",
        "1. One:\n\n   ```py\n   print(1)\n   ```\n\n2. Two",
        "> ```py\n> print(1)\n\nIts quotation has ended.",
        "  ```py\nprint(1)\n  ```",
    ],
)
def test_what_ends_by_itself_stays_as_it_is(text: str) -> None:
    assert closed(text) == text
