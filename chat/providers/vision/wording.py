"""Sentences and names of things in the reader's language, from the catalogues `chat/locale/*/LC_MESSAGES/vision.mo`.

    wording("fr-CA").say("The photo shows {things}.", things=…)
    wording("fr-CA").thing({"name": "dog"})         un chien
    wording("fr-CA").listed([…], "and")             un chien et un chat

English, which the sources have, is said in every language without a catalogue.
"""

from functools import cache
from gettext import GNUTranslations, NullTranslations
from pathlib import Path
from typing import Any

LOCALE = Path(__file__).resolve().parents[2] / "locale"
LANGUAGES = {"es": "es", "fr": "fr", "ja": "ja", "zh": "zh_Hans"}
"""The languages with a catalogue, by what their tags begin with."""
TRADITIONAL = {"hant", "tw", "hk", "mo"}
"""Parts of a tag of Chinese in the other script, which has no catalogue."""
UNCOUNTED = """food, fruit, bread, corn, coffee, wine, vegetables, furniture, clothing, jeans, sunglasses, soup, hay,
soap, toilet paper, broccoli, skis, scissors, weights"""
IRREGULAR = """person people, mouse mice, knife knives, bus buses, bench benches, couch couches, watch watches,
dish dishes, glass glasses, sandwich sandwiches, sheep sheep, fish fish, toothbrush toothbrushes, box boxes"""
NO_PLURAL = frozenset(" ".join(UNCOUNTED.split()).split(", "))
PLURALS = dict(pair.split() for pair in IRREGULAR.replace("\n", " ").split(", "))
KINDS = {"drink": "something to drink"}
JOINTS = {
    "and": ("{one}, {other}", "{one} and {other}"),
    "or": ("{one}, {other}", "{one} or {other}"),
    "looks": ("{look}, {other}", "{look} and {other}"),
}
"""Sentences that join two things, or two looks: all but the last, and the last."""


class Missing(NullTranslations):
    """In place of English words for what a catalogue does not have."""

    def gettext(self, message: str) -> str:
        """Nothing."""
        return ""


class Wording:
    """What is said in one language, that of a catalogue."""

    def __init__(self, catalogue: NullTranslations) -> None:
        catalogue.add_fallback(Missing())
        self._catalogue = catalogue

    def say(self, sentence: str, /, **values: Any) -> str:
        """A sentence with its values."""
        return (self._catalogue.gettext(sentence) or sentence).format(**values)

    def thing(self, thing: dict[str, Any]) -> str:
        """`a dog`, `an apple`, `two people` without the number: `people`. A plural without a translation is said as
        the singular, as languages without a plural have it."""
        english = named(thing)
        return self._catalogue.gettext(english) or self._catalogue.gettext(named({**thing, "number": 1})) or english

    def label(self, name: str) -> str:
        """A thing's name as it stands beside a box, in English without its article."""
        return self._catalogue.gettext(named({"name": name})) or name

    def listed(self, names: list[str], word: str) -> str:
        """`a, b and c`; `word` is one of JOINTS."""
        before, at_last = JOINTS[word]
        first, *rest = names
        for place, other in enumerate(rest, 2):
            joint = at_last if place == len(names) else before
            first = self.say(joint, one=first, look=first, other=other)
        return first


def named(thing: dict[str, Any]) -> str:
    """A thing in English, with its article or in its plural."""
    name: str = KINDS.get(thing["name"], thing["name"])
    if name in NO_PLURAL or name in KINDS.values():
        return name
    if thing.get("number", 1) > 1:
        first, _, last = name.rpartition(" ")
        return f"{first} {PLURALS.get(last, f'{last}s')}".strip()
    return f"{'an' if name[0] in 'aeio' or name.startswith('umb') else 'a'} {name}"


def wording(language: str) -> Wording:
    """That of a language tag such as `fr` or `zh-CN`; English for all that have no catalogue."""
    first, *rest = language.lower().split("-")
    return of_folder("" if first == "zh" and TRADITIONAL.intersection(rest) else LANGUAGES.get(first, ""))


@cache
def of_folder(folder: str) -> Wording:
    """That of a catalogue; English without one."""
    if not folder:
        return Wording(NullTranslations())
    with (LOCALE / folder / "LC_MESSAGES" / "vision.mo").open("rb") as file:
        return Wording(GNUTranslations(file))


ENGLISH = of_folder("")
