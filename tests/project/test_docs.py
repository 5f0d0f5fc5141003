"""What the docs name exists: files, links, commands with their options, targets, routes; maps are equal to folders."""

import ast
import re
from collections import Counter
from functools import cache
from pathlib import Path

import pytest
from django.core.management import get_commands, load_command_class
from django.urls import resolve

from chat.views.errors import nowhere
from tests.sources import ROOT, docstring_of, name_of, nodes_of, of_the_site, ours, tracked, tree_of

PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob(".github/*.md"), *ROOT.glob("docs/**/*.md")])
ENDINGS = "py|js|mjs|md|sh|yml|conf|css|toml|txt|in|service|json|jsonl|html"
FILE = re.compile(rf"`([\w./-]*\w\.(?:{ENDINGS}))`")
NO_FILES = {"openapi.json", "staticfiles.json", "settings.json", "fields.py", "messages.json"}
"""Names that look like files of ours: routes, what commands make, what a decision says is gone."""

pages = pytest.mark.parametrize("page", PAGES, ids=name_of)


@cache
def places() -> frozenset[str]:
    """Each tracked file by all the ends of its path: `chat/log/tail.py`, `log/tail.py`, `tail.py`."""
    paths = [path.relative_to(ROOT).parts for path in tracked()]
    return frozenset("/".join(parts[start:]) for parts in paths for start in range(len(parts)))


def missing(text: str) -> list[str]:
    """The files that a text names in backticks, and that there are not."""
    named = {name.removeprefix("./") for name in FILE.findall(text) if not name.startswith("/")}
    return sorted(name for name in named if name not in places() and name.rpartition("/")[2] not in NO_FILES)


@pages
def test_every_file_that_a_page_names_exists(page: Path) -> None:
    if page.name != "CHANGELOG.md":  # it tells of what was
        assert missing(page.read_text()) == []


def test_every_file_that_a_docstring_names_exists() -> None:
    wrong = {}
    for path in ours(".py"):
        if not name_of(path).startswith("tests/") and (lost := missing(docstring_of(path))):
            wrong[name_of(path)] = lost
    assert wrong == {}


def anchors(page: Path) -> set[str]:
    """What can be linked to on a page: its headings, as GitHub writes them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pages
def test_every_link_of_a_page_leads_somewhere(page: Path) -> None:
    text = re.sub(r"`[^`\n]*`", "", page.read_text())
    for target in re.findall(r"\]\((?!https?://|mailto:)([^)\s]+)\)", text):
        file, _, anchor = target.partition("#")
        linked = (page.parent / file).resolve() if file else page
        assert linked.exists(), target
        assert not anchor or anchor in anchors(linked), target


@cache
def options(command: str) -> frozenset[str]:
    """Every option of a command of `manage.py`."""
    app = get_commands()[command]
    parser = load_command_class(str(app), command).create_parser("manage.py", command)
    return frozenset(option for action in parser._actions for option in action.option_strings)


def said_of_commands(text: str) -> list[tuple[str, list[str]]]:
    """Each command of `manage.py` that a text writes out, and its options: behind `manage.py`, or alone on a line."""
    known = "|".join(name for name in get_commands() if "_" in name)
    written = re.compile(rf"(?:manage\.py |^ {{4}}(?=(?:{known})\b))([a-z_]+)([^`\n#]*)", re.MULTILINE)
    return [(name, re.findall(r"(?<![\w-])--[a-z][a-z-]*", rest)) for name, rest in written.findall(text)]


@pages
def test_every_command_that_a_page_names_exists_with_its_options(page: Path) -> None:
    for command, used in said_of_commands(page.read_text()):
        assert command in get_commands(), command
        assert set(used) <= options(command), command


@pages
def test_every_target_of_make_that_a_page_names_exists(page: Path) -> None:
    makefile = (ROOT / "Makefile").read_text()
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    code = re.findall(r"`([^`\n]+)`", page.read_text()) + re.findall(r"^ {4}.*$", page.read_text(), re.MULTILINE)
    code += re.findall(r"^```sh\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL)
    named = {name for line in code for name in re.findall(r"(?:^|\s)make ([a-z][a-z-]*)", line)}
    assert sorted(named - targets) == []


def test_every_route_that_the_api_s_page_names_exists() -> None:
    text = (ROOT / "docs" / "api.md").read_text()
    named = set(re.findall(r"`(?:(?:GET|POST|PATCH|PUT|DELETE) )?(/v[\w/<>.:-]*[\w>])[`?]", text))
    assert len(named) > 15
    wrong = []
    for route in named:
        path = re.sub(r"<model>", "local/x", route)
        path = re.sub(r"<[a-z]+>", "01a217a0-29bb-71be-ac25-05909f241142", path)
        if resolve(path).func is nowhere:
            wrong.append(route)
    assert wrong == []


@pytest.mark.parametrize("decision", sorted((ROOT / "docs" / "decisions").glob("*.md")), ids=lambda path: path.name)
def test_every_decision_says_whether_it_stands(decision: Path) -> None:
    status = re.search(
        r"^\*\*Status\.\*\* (Accepted|Superseded by decision \d+)\b.*", decision.read_text(), re.MULTILINE
    )
    assert status
    numbers = {path.name[:4].lstrip("0") for path in decision.parent.glob("*.md")}
    assert set(re.findall(r"decision (\d+)", status[0])) <= numbers


MAP_LINE = re.compile(r"^ {4}(\w+\.py(?: +\w+\.py)*)\s", re.MULTILINE)


def maps() -> list[Path]:
    """The packages whose docstring lists their files, a line each."""
    packages = [path for path in ours(".py") if path.name == "__init__.py"]
    return [path for path in packages if len(MAP_LINE.findall(docstring_of(path))) > 2]


@pytest.mark.parametrize("package", maps(), ids=name_of)
def test_the_map_of_a_package_is_equal_to_its_folder(package: Path) -> None:
    docstring = docstring_of(package)
    listed = set(re.findall(r"\w+\.py", " ".join(MAP_LINE.findall(docstring)))) | set(
        re.findall(r"`(\w+\.py)`", docstring)
    )
    there = {path.name for path in package.parent.glob("*.py")} - {"__init__.py", "__main__.py"}
    assert there - listed == set(), "not on the map"
    assert {name for name in listed if not (package.parent / name).exists()} == set(), "on the map only"


def test_some_packages_have_a_map() -> None:
    assert {path.parent.name for path in maps()} >= {"server", "variables"}


WORDS = {1: "one", 2: "two", 3: "three", 4: "four", 5: "five", 6: "six", 7: "seven", 8: "eight", 9: "nine", 10: "ten"}


@cache
def names_in(file: str) -> set[str]:
    """The names of the tests in a file that is named by the end of its path."""
    found = [path for path in ours(".py") if f"/{name_of(path)}".endswith(f"/{file}")]
    return {
        name for path in found for name in re.findall(r"^ *(?:async )?def (test_\w+)", path.read_text(), re.MULTILINE)
    }


def named_by(phrase: str, tests: set[str]) -> set[str]:
    """The tests whose name begins with the phrase, apart from what stands between its letters and digits."""
    beginning = "test" + re.sub(r"[\W_]", "", phrase.lower())
    return {test for test in tests if test.replace("_", "").startswith(beginning)}


@pytest.mark.parametrize("page", ["guarantees.md", "asvs.md"])
def test_every_test_that_a_page_of_promises_names_exists(page: str) -> None:
    wrong: list[str] = []
    text = (ROOT / "docs" / page).read_text()
    for file, rest in re.findall(r"`([\w/]*test_\w+\.py)`((?:(?! · |`[\w/]*test_)[^|\n])*)", text):
        for phrase, number in re.findall(r"\*([^*]+)\*(?: \((\w+) tests\))?", rest):
            found = named_by(phrase, names_in(file))
            if not found or (number and WORDS[len(found)] != number):
                wrong.append(f"{file}: {phrase} ({len(found)})")
        if (whole := re.match(r" \((\w+) tests\)", rest)) and WORDS.get(len(names_in(file))) != whole[1]:
            wrong.append(f"{file}: {len(names_in(file))} tests")
    assert wrong == []


def test_the_assessment_counts_each_requirement_once_and_explains_what_is_open() -> None:
    """ASVS 5.0.0 has 253 requirements at the levels 1 and 2."""
    table, _, below = (ROOT / "docs" / "asvs.md").read_text().partition("## What is open")
    rows = re.findall(r"^\| (\d+\.\d+|do not apply)[^|]* \| (\d+) \|([^|]*)\|", table, re.MULTILINE)
    assert sum(int(count) for _, count, _ in rows) == 253
    left = [(section, *re.findall(r"[\d.]+", ids)) for section, _, ids in rows if ids.strip()]
    explained = [id for row in re.findall(r"^\| (\d[\d., ]*) \|", below, re.MULTILINE) for id in row.split(", ")]
    assert sorted(id for _, *ids in left for id in ids) == sorted(explained)
    assert [id for section, *ids in left for id in ids if not id.startswith(f"{section}.")] == []
    applied = re.findall(r"\((\d)\)", table.partition("do not apply")[2])
    assert sum(map(int, applied)) == next(int(count) for section, count, _ in rows if section == "do not apply")


def test_the_assessment_says_of_each_requirement_what_holds_it_or_that_it_is_open() -> None:
    page = (ROOT / "docs" / "asvs.md").read_text()
    sections, _, rest = page.partition("## Requirement by requirement")
    table, _, below = rest.partition("## What is open")
    held = dict(re.findall(r"^\| (\d[\d., ]*) \| (.+) \|$", table, re.MULTILINE))
    each = {id: by for ids, by in held.items() for id in ids.split(", ")}
    of_sections = re.findall(r"^\| (\d+\.\d+) [^|]* \| (\d+) \|", sections, re.MULTILINE)
    assert Counter(id.rpartition(".")[0] for id in each) == {section: int(count) for section, count in of_sections}
    is_open = {id for row in re.findall(r"^\| (\d[\d., ]*) \|", below, re.MULTILINE) for id in row.split(", ")}
    assert {id for id, by in each.items() if by == "open, see below"} == is_open


def names_by_owner() -> dict[str, set[str]]:
    """The functions and classes of each class, module and package, and what a package imports for others."""
    found: dict[str, set[str]] = {}
    for path in filter(of_the_site, ours(".py")):
        is_package, body = path.name == "__init__.py", tree_of(path).body
        found.setdefault(path.parent.name if is_package else path.stem, set()).update(defined(body))
        if is_package:
            imports = [node for node in body if isinstance(node, ast.ImportFrom)]
            found[path.parent.name].update(alias.name for node in imports for alias in node.names)
        for node in nodes_of(path):
            if isinstance(node, ast.ClassDef):
                found.setdefault(node.name, set()).update(defined(node.body))
    return found


def defined(body: list[ast.stmt]) -> set[str]:
    return {node.name for node in body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)}


def test_every_function_that_the_journey_names_exists() -> None:
    named = set(re.findall(r"`(\w+)\.(?!py\b|js\b|md\b)(\w+)`", (ROOT / "docs" / "journey.md").read_text()))
    assert len(named) > 25
    known = names_by_owner()
    assert {f"{owner}.{name}" for owner, name in named if name not in known.get(owner, set())} == set()
