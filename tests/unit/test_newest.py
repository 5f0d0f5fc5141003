"""The newest messages as the server writes them into the page."""

import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from chat.protocol import events
from chat.views.answer_html import GROUP, LONGEST, end_of, html_of
from chat.views.newest import MOST, newest, pace
from tests.browser.test_page import ATTACKS

TAGS = re.compile(
    "div|p|h[2-6]|blockquote|[uo]l|li|table|thead|tbody|t[rhd]|fig(ure|caption)|pre|code|[hb]r|em|strong|s|a|bdi|button"
)
ATTRIBUTES = re.compile(
    "dir|class|start|tabindex|role|aria-(label|level|pressed)|type|data-(do|language)|href|target|rel"
)
HOSTILE = [
    *ATTACKS.split("\n\n"),
    "[go](JaVaScRiPt:alert(1)) [go](data:text/html,x) [go](//evil.example) [go](/accounts/signout/) [go](https:evil)",
    "[go](https://good.example@evil.example/) [go](https://0x7f.1/) [go](https://exа mple.org) [go](https://exаmple.org)",
    '[go](https://a.example/"onmouseover="alert(1)) [go](https://a.example \'"><img src=x onerror=alert(1)>\')',
    "[x][1]\n\n[1]: javascript:alert(1)",
    '```" onmouseover="alert(1)\nx\n```',
    "<javascript:alert(1)> <https://evil.example/<script>>",
    "![x](javascript:alert(1)) ![x](data:image/svg+xml,<svg onload=alert(1)>)",
    "`<script>alert(1)</script>` **<b onclick=alert(1)>** &lt;script&gt;alert(1)&lt;/script&gt; &#60;script&#62;",
    "1. <style>\n1234567890123. x\n\n| a |\n|:-:|\n| </table><script> |",
]


class Elements(HTMLParser):
    """The elements of a text, as a browser would make them."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.made: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.made.append((tag, dict(attrs)))


def message(role: str, text: str, parent: Any = None) -> dict[str, Any]:
    """One as `messages_of` gives it."""
    times = {"usage": None, "first_token_ms": None, "duration_ms": None}
    stream = {"id": uuid4(), "status": events.COMPLETE, "model": "recording/hello", "reason": "STOP", **times}
    of_answer = stream if role == "model" else None
    names = {"id": uuid4(), "parent_id": parent, "role": role, "stream": of_answer}
    return {**names, "parts": [{"text": text}], "text": text}


def chat(*texts: str) -> list[dict[str, Any]]:
    """Questions and answers in turn."""
    found: list[dict[str, Any]] = []
    for at, text in enumerate(texts):
        found.append(message(("user", "model")[at % 2], text, found[-1]["id"] if found else None))
    return found


def test_the_newest_answer_is_written_with_its_question() -> None:
    written, is_all = newest(chat("Why <b>?", "**Blue**, by `scattering`."))
    assert is_all
    assert [each.html for each in written] == [
        "Why &lt;b&gt;?",
        '<div><div class="blocks"><p dir="auto"><strong>Blue</strong>, by <code dir="ltr">scattering</code>.</p>'
        "</div></div>",
    ]
    assert [each.mark for each in written] == ["Sent", ""]
    assert written[1].model == "hello"


def test_as_many_are_written_as_a_screen_shows() -> None:
    assert len(newest(chat(*["short"] * 40)).messages) == MOST
    assert len(newest(chat(*["word " * 300] * 40)).messages) == 2
    assert not newest(chat(*["short"] * 40)).is_all


def test_what_only_the_page_can_show_is_left_to_it_and_all_before_it() -> None:
    question, answer = chat("Why?", "Because.")
    stream = answer["stream"]
    for left in (
        {**answer, "stream": {**stream, "status": events.RUNNING}, "parts": [], "text": ""},
        {**answer, "stream": {**stream, "status": events.STOPPED}},
        {**answer, "stream": {**stream, "status": events.FAILED}},
        {**answer, "stream": {**stream, "reason": "MAX_TOKENS"}},
        {**answer, "parts": [{"text": "Hm.", "thought": True}, {"text": "Because."}]},
        {**answer, "parts": [{"text": "Because."}, {"inlineData": {"mimeType": "image/png", "data": ""}}]},
        {**answer, "text": "It is $a^2$."},
    ):
        assert newest([question, left]).messages == []
    seen = {**question, "parts": [{"attachment": "1"}, {"text": "Why?"}]}
    assert [each.role for each in newest([seen, answer]).messages] == ["model"]
    assert newest([question, {**answer, "id": uuid4()}, answer]).messages == [], "one of two versions"
    assert newest([]) == ([], True)


@pytest.mark.parametrize("text", ["a $x$ b", "\\(x\\)", "\\[x\\]", "a[^1]\n\n[^1]: b", "- [ ] to do", "1. [x] done"])
def test_formulas_footnotes_and_boxes_are_the_page_s(text: str) -> None:
    assert html_of(text) is None


@pytest.mark.parametrize("text", HOSTILE)
def test_a_model_s_text_makes_no_other_element_and_no_other_attribute(text: str) -> None:
    html = html_of(text)
    assert html is not None
    made = Elements(html).made
    assert [tag for tag, _ in made if not TAGS.fullmatch(tag)] == []
    assert [name for _, attributes in made for name in attributes if not ATTRIBUTES.fullmatch(name)] == []
    for _, attributes in made:
        address = attributes.get("href") or "https://none"
        assert address.startswith(("https://", "http://", "mailto:"))
        assert "@" not in address or address.startswith("mailto:")
        assert attributes.get("dir", "auto") in {"auto", "ltr"}


def test_a_heading_has_the_level_of_its_place() -> None:
    html = html_of("### a\n\n- #### b\n\n## c\n\n# d\n\n## e\n")
    assert html is not None
    levels = [(tag, attributes.get("aria-level")) for tag, attributes in Elements(html).made if tag.startswith("h")]
    assert levels == [("h4", "2"), ("h5", "3"), ("h3", "2"), ("h2", None), ("h3", None)]


def test_a_link_says_where_it_leads() -> None:
    html = html_of("[here](https://example.com/a?b) and <https://example.com/c>, <ada@example.com>")
    assert html is not None
    rel = 'target="_blank" rel="noopener noreferrer nofollow"'
    assert f'<a href="https://example.com/a?b" {rel}>here<bdi class="host">example.com</bdi></a>' in html
    assert f'<a href="https://example.com/c" {rel}>https://example.com/c</a>' in html
    assert f'<a href="mailto:ada@example.com" {rel}>ada@example.com</a>' in html


def test_of_a_long_answer_only_the_end_is_read() -> None:
    paragraph = "Some words of a paragraph that is like all others. " * 8
    text = "\n\n".join([f"- item\n\n```\n\ncode\n\n```\n\n{paragraph}"] * 250)
    assert len(text) > 100_000
    end = end_of(text)
    assert LONGEST - 2 * len(paragraph) < len(end) <= LONGEST
    assert end.startswith(("Some words", "```"))
    assert end.count("```") % 2 == 0
    assert end_of("word " * LONGEST) == ""
    assert html_of("```\n" + "x = 1\n\n" * LONGEST + "```") is None


@pytest.mark.parametrize("text", ["*a " * 500 + "b*" * 500, ">" * 2_900, "[" * 2_900, "- " * 1_400, "`" * 2_900])
def test_marks_in_one_another_are_read_or_left_to_the_page(text: str) -> None:
    html = html_of(text)
    assert html is None or html.startswith("<div>")


def test_the_pace_of_an_answer_is_what_the_page_says() -> None:
    times = {"first_token_ms": 340, "duration_ms": 2_340, "usage": {"candidatesTokenCount": 50}}
    assert pace(times) == "0.3 s · 25/s"
    assert pace({**times, "first_token_ms": 12_400, "usage": None}) == "12 s"
    assert pace({**times, "first_token_ms": None}) == ""
    assert pace({**times, "usage": {"candidatesTokenCount": 1}}) == "0.3 s"
    assert pace({**times, "duration_ms": 380}) == "0.3 s"


def test_a_table_of_many_columns_is_not_filled_up_with_cells() -> None:
    """Else 3,000 characters become a megabyte."""
    wide = "|a" * 64 + "|\n" + "|-" * 64 + "|\n" + "|\n" * 1_300
    assert len(wide) < LONGEST
    for text in (wide, re.sub("^", "> ", wide, flags=re.MULTILINE)[:LONGEST]):
        assert html_of(text) is None
    full = "|a|b|\n|-|-|\n" + "|c|d|\n" * 450
    assert str(html_of(full)).count("<td") == 900


def test_blocks_stand_in_groups_as_the_page_makes_them() -> None:
    before, first, second = str(html_of("a\n\n" * 16 + "b")).split('<div class="blocks">')
    assert (before, first.count("<p"), second) == ("<div>", 16, '<p dir="auto">b</p></div></div>')
    assert f"const GROUP = {GROUP};" in Path("static/chat/markdown.js").read_text()
