"""Updates and compiles the catalogues of the page's languages from the sentences in the sources.

    .venv/bin/python -m deploy.catalogues       writes chat/locale/*/LC_MESSAGES/*.po and *.mo

`django.po` has the words of templates and Python, `djangojs.po` those of the page's modules, `vision.po` what is said
of photos and the names of things in them. A new sentence gets an empty translation, to which
tests/project/test_catalogues.py objects; one that is gone is dropped. The compiled files are kept beside their sources,
so that no installation needs gettext.
"""

import ast
import json
import re
import sys
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from django.utils.translation.template import templatize

from chat.providers.vision import wording
from chat.recognition import centernet, everyday, look, scene
from chat.views.words import SERVER_SENTENCES

ROOT = Path(__file__).resolve().parent.parent
LOCALE = ROOT / "chat" / "locale"
LANGUAGES = ("es", "fr", "ja", "zh_Hans")
DOMAINS = ("django", "djangojs", "vision")
MARKS = {"_", "gettext", "gettext_lazy"}
IN_TEMPLATES = re.compile(r"\bgettext\(u?(\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*')")
IN_MODULES = re.compile(r"\bt\(\s*((?:\"(?:[^\"\\]|\\.)*\"\s*\+?\s*)+)")
LITERAL = re.compile(r"\"(?:[^\"\\]|\\.)*\"")


def of_templates() -> Iterator[tuple[str, str]]:
    """Each translatable sentence of the templates, with its file."""
    for path in sorted((ROOT / "templates").rglob("*.html")):
        if path.is_relative_to(ROOT / "templates" / "admin"):
            continue  # the review speaks English
        for literal in IN_TEMPLATES.findall(templatize(path.read_text())):
            yield ast.literal_eval(literal), name_of(path)


def of_python() -> Iterator[tuple[str, str]]:
    """The same for Python: the arguments of gettext."""
    for path in sorted((ROOT / "chat").rglob("*.py")):
        for call in calls_in(path):
            if isinstance(call.func, ast.Name) and call.func.id in MARKS:
                yield from ((text, name_of(path)) for text in map(text_of, call.args) if text is not None)


def calls_in(path: Path) -> Iterator[ast.Call]:
    return (node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call))


def text_of(argument: ast.expr) -> str | None:
    """The text of a literal; None for other expressions."""
    is_text = isinstance(argument, ast.Constant) and isinstance(argument.value, str)
    return ast.literal_eval(argument) if is_text else None


def of_modules() -> Iterator[tuple[str, str]]:
    """The same for the page's modules: the arguments of `t` (static/chat/words.js)."""
    for path in sorted((ROOT / "static" / "chat").rglob("*.js")):
        for written in IN_MODULES.findall(path.read_text()):
            yield "".join(json.loads(literal) for literal in LITERAL.findall(written)), name_of(path)


def of_the_api() -> Iterator[tuple[str, str]]:
    """The server's English sentences that the page translates."""
    for sentence in SERVER_SENTENCES:
        yield sentence, "chat/views/words.py"


def of_vision() -> Iterator[tuple[str, str]]:
    """The sentences about photos: the arguments of `say`, their conjunctions, and the names of things and colours."""
    for path in sorted((ROOT / "chat" / "providers" / "vision").glob("*.py")):
        for call in calls_in(path):
            is_said = isinstance(call.func, ast.Attribute) and call.func.attr == "say"
            if is_said and (text := text_of(call.args[0])) is not None:
                yield text, name_of(path)
    for pair in wording.JOINTS.values():
        yield from ((sentence, "chat/providers/vision/wording.py") for sentence in pair)
    for colour in look.NAMES:
        yield colour, "chat/recognition/look.py"
    for name in things():
        yield wording.named({"name": name}), "chat/recognition"
    for name in sorted({*centernet.NAMES, *scene.SAME.values()} - {""}):
        yield wording.named({"name": name, "number": 2}), "chat/recognition"


def things() -> Iterator[str]:
    """Every name that a thing in a photo can have."""
    for word, kind in everyday.WORDS:
        yield word
        if kind not in scene.VAGUE:
            yield kind
    yield from filter(None, centernet.NAMES)


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def sources() -> dict[str, Catalog]:
    """The sentences to be translated, by domain."""
    found = {domain: Catalog() for domain in DOMAINS}
    said = {
        "django": [*of_templates(), *of_python()],
        "djangojs": [*of_modules(), *of_the_api()],
        "vision": [*of_vision()],
    }
    for domain, pairs in said.items():
        for sentence, file in pairs:
            flags = ["python-format"] if domain == "django" and "%(" in sentence else []
            found[domain].add(sentence, locations=[(file, 0)], flags=flags)
    return found


def file_of(language: str, domain: str, suffix: str) -> Path:
    return LOCALE / language / "LC_MESSAGES" / f"{domain}.{suffix}"


def written(language: str, domain: str) -> Catalog:
    """A catalogue, read from its file."""
    with file_of(language, domain, "po").open("rb") as file:
        return read_po(file, locale=language, domain=domain)


def as_po(catalog: Catalog) -> bytes:
    out = BytesIO()
    write_po(out, catalog, width=120, sort_output=True, include_lineno=False, ignore_obsolete=True, omit_header=False)
    return out.getvalue()


def as_mo(catalog: Catalog) -> bytes:
    out = BytesIO()
    write_mo(out, catalog)
    return out.getvalue()


def update(language: str, domain: str, template: Catalog) -> None:
    """Update a catalogue from the sources, and compile it."""
    catalog = written(language, domain)
    catalog.update(template, no_fuzzy_matching=True, update_creation_date=False)
    catalog.obsolete.clear()
    file_of(language, domain, "po").write_bytes(as_po(catalog))
    file_of(language, domain, "mo").write_bytes(as_mo(catalog))


def main() -> int:
    """Update all; returns the exit status, which is 1 if a sentence has no translation."""
    missing = 0
    for domain, template in sources().items():
        for language in LANGUAGES:
            update(language, domain, template)
            for message in written(language, domain):
                if message.id and not message.string:
                    print(f"{language}: {message.id!r} has no translation.")
                    missing += 1
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
