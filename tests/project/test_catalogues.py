"""Every sentence of the page in every language: found in the sources, translated and compiled."""

import ast
import json
import re
from collections.abc import Iterator
from functools import cache
from gettext import GNUTranslations
from pathlib import Path
from typing import Any

import pytest

from chat.protocol.errors import ApiError
from chat.views.words import SERVER_SENTENCES
from deploy import catalogues
from deploy.catalogues import DOMAINS, LANGUAGES, ROOT, file_of
from tests.sources import nodes_of

CATALOGUES = [(language, domain) for language in LANGUAGES for domain in DOMAINS]
MEND = "`make translations` brings the catalogues up to the sources; then translate what is empty in chat/locale/"
PLACEHOLDER = re.compile(r"\{\w+\}|%\(\w+\)s|%s")
LITERAL = r'"(?:[^"\\\n]|\\.)*"'
sources, written = cache(catalogues.sources), cache(catalogues.written)  # reading them takes half a second each time


@pytest.mark.parametrize(("language", "domain"), CATALOGUES)
def test_every_sentence_of_the_sources_is_translated_and_none_else(language: str, domain: str) -> None:
    catalog = written(language, domain)
    wanted = {message.id for message in sources()[domain] if message.id}
    assert {message.id for message in catalog if message.id} == wanted, MEND
    assert [message.id for message in catalog if message.id and not message.string] == [], MEND


@pytest.mark.parametrize(("language", "domain"), CATALOGUES)
def test_a_translation_has_what_its_sentence_has_in_it(language: str, domain: str) -> None:
    texts = {str(message.id): str(message.string) for message in written(language, domain) if message.id}
    wrong = {
        sentence: said
        for sentence, said in texts.items()
        if sorted(PLACEHOLDER.findall(sentence)) != sorted(PLACEHOLDER.findall(said))
    }
    assert wrong == {}


@pytest.mark.parametrize(("language", "domain"), CATALOGUES)
def test_a_compiled_catalogue_says_what_its_source_says(language: str, domain: str) -> None:
    with file_of(language, domain, "mo").open("rb") as file:
        compiled = GNUTranslations(file)
    texts = {str(message.id): message.string for message in written(language, domain) if message.id}
    assert {sentence: compiled.gettext(sentence) for sentence in texts} == texts, MEND


def test_the_server_says_what_the_page_translates() -> None:
    """But for the ends that `chat/providers/advice.py` puts together."""
    sources_of_ours = (path for path in (ROOT / "chat").rglob("*.py") if path.name != "words.py")
    said = re.sub(r'"\s*\n\s*f?"', "", "\n".join(path.read_text() for path in sources_of_ours))
    parts = {part.strip(" .") for sentence in SERVER_SENTENCES for part in re.split(r"\{\w+\}", sentence)}
    ends = {"s, or choose another model", "Try again, or choose another model"}
    ends.add("Say it in other words, or choose another model")
    assert {part for part in parts if part not in said} <= ends


ENDS_OF_A_TURN = ("attachments", "limits", "log", "providers", "turns")
"""The packages whose refusals, failures and notices stand beneath a question or an answer."""
FOR_PROGRAMS = re.compile(
    r"`|base64|This is no |An SVG|A PDF|GIF|\bcount\b|LOCAL_[A-Z]+|recording|is (?:missing|not installed)"
    r"|^It belongs to a message|^Somebody:? Somebody"
)
"""What no reader of a page is told: it names fields, variables and what is to be installed, or refuses what the page
does not send. Last, whoever's own words, or an end that a table has."""


def kinds_of(error: type[ApiError]) -> set[str]:
    """The names of an error and of all that are of its kind."""
    return {error.__name__}.union(*map(kinds_of, error.__subclasses__()))


def text_of(node: ast.expr) -> str | None:
    """A literal as it may read: with a word in each place of an f-string."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else "Somebody" for part in node.values)
    return None


def told_by(path: Path) -> Iterator[str]:
    """What a module's errors and notices say, where it is written out in the call or under the name that is given."""
    calls, errors = [node for node in nodes_of(path) if isinstance(node, ast.Call)], kinds_of(ApiError)
    named = [(ast.unparse(node.targets[0]), node.value) for node in nodes_of(path) if isinstance(node, ast.Assign)]
    for call in calls:
        name = getattr(call.func, "attr", getattr(call.func, "id", ""))
        told = call.args[1:2] if name == "notice" else call.args[:1] if name in errors else []
        for said in told:
            values = [value for target, value in named if target == ast.unparse(said)]
            yield from filter(None, map(text_of, values or [said]))


def test_whatever_ends_a_turn_or_is_told_meanwhile_is_translated_by_the_page() -> None:
    shapes = [re.sub(r"\\\{\w+\\\}", ".+", re.escape(sentence)) for sentence in SERVER_SENTENCES]
    known = re.compile("|".join(shapes), re.DOTALL)
    files = [path for package in ENDS_OF_A_TURN for path in (ROOT / "chat" / package).rglob("*.py")]
    told = {said for path in files for said in told_by(path) if not FOR_PROGRAMS.search(said)}
    assert len(told) > 50
    assert [said for said in sorted(told) if not all(map(known.fullmatch, re.split(r"(?<=[.!?]) ", said)))] == []


def is_a_sentence(text: str) -> bool:
    """Whether it reads like one that is meant for people."""
    return re.match(r"[A-Z“][\w’']*[ …].*[\w.…?:”]$", text) is not None


def test_no_sentence_of_a_module_is_left_out() -> None:
    """Errors that only a log sees are in English; what people see goes through `t` (static/chat/words.js)."""
    left_out = []
    for path in sorted((ROOT / "static" / "chat").rglob("*.js")):
        if path.parent.name == "replay" or path.name == "review.js":
            continue  # the review speaks English
        text = re.sub(r"/\*.*?\*/|^\s*//.*$|(?<= )// .*$", "", path.read_text(), flags=re.DOTALL | re.MULTILINE)
        text = re.sub(rf"\bt\(\s*{LITERAL}(?:\s*\+\s*{LITERAL})*", "", text)
        text = re.sub(r"new (?:Lost|RangeError|Error)\(\s*(?:`[^`]*`|\"[^\"]*\")", "", text)
        found = [json.loads(literal) for literal in re.findall(LITERAL, text)] + re.findall(r"`([^`]*)`", text)
        left_out += [(path.name, sentence) for sentence in found if is_a_sentence(sentence)]
    assert left_out == []


def test_no_style_knows_left_from_right() -> None:
    """So that a language that is written from right to left needs no sheet of its own."""
    physical = re.compile(
        r"^\s*(?:(?:margin|padding|border)-(?:left|right)|left|right|text-align: (?:left|right))\b.*", re.M
    )
    sheets: dict[str, Any] = {path.name: path.read_text() for path in (ROOT / "static" / "chat").glob("*.css")}
    found = {name: physical.findall(text) for name, text in sheets.items() if name != "admin.css"}
    assert {name: lines for name, lines in found.items() if lines} == {}
