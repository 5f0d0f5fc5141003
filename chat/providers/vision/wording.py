"""Translations of the sentences and names of things, from the catalogues `chat/locale/*/LC_MESSAGES/vision.mo`.

    wording("fr-CA").say("The photo shows {things}.", things=…)
    wording("fr-CA").thing({"name": "dog"})         un chien
    wording("fr-CA").listed([…], "and")             un chien et un chat

Languages without a catalogue get the English of the source.
"""

from functools import cache
from gettext import GNUTranslations, NullTranslations
from pathlib import Path
from typing import Any

LOCALE = Path(__file__).resolve().parents[2] / "locale"
LANGUAGES = {"es": "es", "fr": "fr", "ja": "ja", "zh": "zh_Hans"}
"""The catalogues' folders by the first part of a language tag."""
TRADITIONAL = {"hant", "tw", "hk", "mo"}
"""Subtags of traditional Chinese, which has no catalogue."""
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
"""The messages that join items of a list: for all items except the last one, and for the last one."""


class Missing(NullTranslations):
    """A fallback that returns "" for messages that a catalogue does not have, so that callers notice."""

    def gettext(self, message: str) -> str:
        """Return ""."""
        return ""


class Wording:
    """The sentences and names in the language of one catalogue."""

    def __init__(self, catalogue: NullTranslations) -> None:
        catalogue.add_fallback(Missing())
        self._catalogue = catalogue

    def say(self, sentence: str, /, **values: Any) -> str:
        """Return the translated sentence with its values; the English one if it is not translated."""
        return (self._catalogue.gettext(sentence) or sentence).format(**values)

    def thing(self, thing: dict[str, Any]) -> str:
        """Return a thing with its article, or in the plural if its `number` is above 1: `a dog`, `an apple`, `people`.
        A plural without a translation becomes the singular, since some languages have no plural."""
        english = named(thing)
        return self._catalogue.gettext(english) or self._catalogue.gettext(named({**thing, "number": 1})) or english

    def label(self, name: str) -> str:
        """Return a thing's name for a box's label; the English one has no article."""
        return self._catalogue.gettext(named({"name": name})) or name

    def listed(self, names: list[str], word: str) -> str:
        """Join names as `a, b and c`; `word` is a key of JOINTS."""
        before, at_last = JOINTS[word]
        first, *rest = names
        for place, other in enumerate(rest, 2):
            joint = at_last if place == len(names) else before
            first = self.say(joint, one=first, look=first, other=other)
        return first


def named(thing: dict[str, Any]) -> str:
    """Return a thing in English, with its article or in the plural."""
    name: str = KINDS.get(thing["name"], thing["name"])
    if name in NO_PLURAL or name in KINDS.values():
        return name
    if thing.get("number", 1) > 1:
        first, _, last = name.rpartition(" ")
        return f"{first} {PLURALS.get(last, f'{last}s')}".strip()
    return f"{'an' if name[0] in 'aeio' or name.startswith('umb') else 'a'} {name}"


def wording(language: str) -> Wording:
    """Return the wording for a language tag such as `fr` or `zh-CN`; English for languages without a catalogue."""
    first, *rest = language.lower().split("-")
    return of_folder("" if first == "zh" and TRADITIONAL.intersection(rest) else LANGUAGES.get(first, ""))


@cache
def of_folder(folder: str) -> Wording:
    """Return the wording of the catalogue in a folder of LOCALE; English for ""."""
    if not folder:
        return Wording(NullTranslations())
    with (LOCALE / folder / "LC_MESSAGES" / "vision.mo").open("rb") as file:
        return Wording(GNUTranslations(file))


ENGLISH = of_folder("")
