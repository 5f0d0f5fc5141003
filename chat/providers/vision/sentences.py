"""What was seen in a photo, in sentences made by rules: what is certain is said, what is not is called a guess."""

import json
import re
from typing import Any

from chat.providers.vision.seen import Seen

MARK = re.compile(r"([!-/:-@\[-`{-~])")
MOST_QUOTED, MOST_TOLD, MOST_EITHER = 6000, 1500, 3
READS = "Latin letters, Chinese and Japanese"
NOT_SURE = "I am not sure what this photo shows."
PRINTED = frozenset({"menu", "book", "comic book", "crossword", "envelope", "web page"})
"""What the whole picture looks like when it is full of text; the text itself says it better."""
UNCOUNTED = """food, fruit, bread, corn, coffee, wine, vegetables, furniture, clothing, jeans, sunglasses, soup, hay,
soap, toilet paper, broccoli, skis, scissors, weights"""
IRREGULAR = """person people, mouse mice, knife knives, bus buses, bench benches, couch couches, watch watches,
dish dishes, glass glasses, sandwich sandwiches, sheep sheep, fish fish, toothbrush toothbrushes, box boxes"""
NO_PLURAL = frozenset(" ".join(UNCOUNTED.split()).split(", "))
PLURALS = dict(pair.split() for pair in IRREGULAR.replace("\n", " ").split(", "))
KINDS = {"drink": "something to drink"}


def answer(seen: Seen) -> str:
    """The answer to what is in the photo, in Markdown, with a line end behind it."""
    text, scene = quotation(seen), opening(seen) or scenery(seen)
    parts = [scene, text] if opening(seen) or not seen.is_written else [text, scene]
    parts += [f"It has a {code['kind']} that holds:\n\n> {escaped(code['text'])}" for code in seen.codes]
    if not seen.complete:
        parts.append("There was no time to look at all of it.")
    return "\n\n".join(part for part in parts if part) + "\n\n"


def opening(seen: Seen) -> str:
    """The answer's first words where things are certain, whatever text will be found; empty where they wait for it."""
    sure = [thing["name"] for thing in seen.things if thing["sure"]]
    return "" if not sure or PRINTED.intersection(sure) else shown(seen.things, "shows")


def shown(things: list[dict[str, Any]], verb: str) -> str:
    """What is certain of these things, and a guess beside it."""
    sure = [named(thing) for thing in things if thing["sure"]]
    guesses = [named({**thing, "number": 1}) for thing in things if not thing["sure"]]
    maybe = f" It may be {listed(guesses, 'or')}." if guesses else ""
    return f"The photo {verb} {listed(sure, 'and')}.{maybe}"


def scenery(seen: Seen) -> str:
    """What the photo shows apart from its text; empty where the text is all there is to say."""
    things = [thing for thing in seen.things if not (seen.has_text and thing["name"] in PRINTED)]
    if any(thing["sure"] for thing in things):
        return shown(things, "also shows" if seen.is_written else "shows")
    guesses = [named({**thing, "number": 1}) for thing in things]
    if seen.is_written or (seen.codes and not guesses):
        return ""
    maybe = f" It may be {listed(guesses, 'or')}." if guesses else ""
    return f"{NOT_SURE}{maybe}{described(seen.look)}"


def described(look: dict[str, Any]) -> str:
    """How the whole picture is, where nothing in it is certain."""
    said = [
        word
        for key, word in (("dark", "very dark"), ("bright", "very bright"), ("blurred", "blurred"))
        if look.get(key)
    ]
    said += [f"mostly {listed(look['colours'], 'and')}"] if look.get("colours") else []
    return f" It is {listed(said, 'and')}." if said else ""


def quotation(seen: Seen) -> str:
    """The text as a quotation, a line a line, cut at the end of one; and that there is more, where there is."""
    kept = fitting(seen.lines, MOST_QUOTED)
    parts = []
    if kept:
        parts.append("The photo says:\n\n" + "  \n".join(f"> {escaped(line)}" for line in kept))
    if seen.either:
        readings = listed(
            [f"{escaped(latin)} or {escaped(other)}" for latin, other in seen.either[:MOST_EITHER]], "and"
        )
        parts.append(f"It has writing in letters that Latin and Cyrillic share. It may be {readings}.")
    if more := len(seen.lines) - len(kept) + seen.left:
        parts.append(f"That is only the first part of it: {more} more lines are not shown.")
    if seen.unread and kept:
        parts.append("There is more writing in it that could not be read.")
    elif seen.unread:
        parts.append(f"There is writing in it that cannot be read here: only {READS} can.")
    return "\n\n".join(parts)


def marks(seen: Seen) -> str:
    """The boxes as JSON in Gemini's form, which the page draws over the photo; empty without any."""
    boxes = [{"box_2d": box["box_2d"], "label": box["label"]} for box in seen.boxes]
    return f"```json\n{json.dumps(boxes)}\n```\n\n" if boxes else ""


def facts(seen: Seen) -> str:
    """The same for a model: what it is told in place of the photo."""
    told = [thing["name"] for thing in seen.things if thing["sure"]]
    guesses = [thing["name"] for thing in seen.things if not thing["sure"]]
    lines = fitting(seen.lines, MOST_TOLD)
    parts = [f"It shows: {', '.join(told)}."] if told else []
    parts += [f"It may show: {', '.join(guesses)}."] if guesses else []
    parts += ["This text is in it:\n" + "\n".join(lines)] if lines else []
    parts += [f"In it is {latin}, or in Cyrillic letters {other}." for latin, other in seen.either[:MOST_EITHER]]
    parts += [f"A {code['kind']} in it holds: {code['text']}" for code in seen.codes]
    return "\n".join(parts) or "Nothing in it was recognised."


def fitting(lines: list[str], most: int) -> list[str]:
    """The first lines that have no more than so many characters together."""
    kept: list[str] = []
    for line in lines:
        most -= len(line) + 1
        if most < 0:
            break
        kept.append(line)
    return kept


def named(thing: dict[str, Any]) -> str:
    """`a dog`, `an apple`, `two people` without the number: `people`."""
    name: str = KINDS.get(thing["name"], thing["name"])
    if name in NO_PLURAL or name in KINDS.values():
        return name
    if thing.get("number", 1) > 1:
        first, _, last = name.rpartition(" ")
        return f"{first} {PLURALS.get(last, f'{last}s')}".strip()
    return f"{'an' if name[0] in 'aeio' or name.startswith('umb') else 'a'} {name}"


def listed(names: list[str], word: str) -> str:
    """`a, b and c`."""
    return f" {word} ".join(part for part in (", ".join(names[:-1]), names[-1]) if part)


def escaped(line: str) -> str:
    """A line without Markdown of its own."""
    return MARK.sub(r"\\\1", " ".join(line.split()))
