"""What was seen in a photo, in sentences made by rules: what is certain is said, what is not is called a guess.

Each is said in the reader's language (`wording.py`); what a model is told instead of a photo is English.
"""

import json
import re
from typing import Any

from chat.providers.vision.seen import Seen
from chat.providers.vision.wording import ENGLISH, Wording

MARK = re.compile(r"([!-/:-@\[-`{-~])")
MOST_QUOTED, MOST_TOLD, MOST_EITHER = 6000, 1500, 3
PRINTED = frozenset({"menu", "book", "comic book", "crossword", "envelope", "web page"})
"""What the whole picture looks like when it is full of text; the text itself says it better."""


def answer(seen: Seen, words: Wording = ENGLISH) -> str:
    """The answer to what is in the photo, in Markdown, with a line end behind it."""
    text, first = quotation(seen, words), opening(seen, words)
    scene = first or scenery(seen, words)
    parts = [scene, text] if first or not seen.is_written else [text, scene]
    parts += [
        f"{words.say('It has a {kind} that holds:', kind=code['kind'])}\n\n> {escaped(code['text'])}"
        for code in seen.codes
    ]
    if not seen.complete:
        parts.append(words.say("There was no time to look at all of it."))
    return "\n\n".join(part for part in parts if part) + "\n\n"


def opening(seen: Seen, words: Wording = ENGLISH) -> str:
    """The answer's first words where things are certain, whatever text will be found; empty where they wait for it."""
    sure = [thing["name"] for thing in seen.things if thing["sure"]]
    return "" if not sure or PRINTED.intersection(sure) else shown(seen.things, words)


def shown(things: list[dict[str, Any]], words: Wording, *, also: bool = False) -> str:
    """What is certain of these things, and a guess beside it."""
    sure = words.listed([words.thing(thing) for thing in things if thing["sure"]], "and")
    said = words.say("The photo also shows {things}.", things=sure) if also else ""
    said = said or words.say("The photo shows {things}.", things=sure)
    return joined([said, guessed([thing for thing in things if not thing["sure"]], words)], words)


def guessed(things: list[dict[str, Any]], words: Wording) -> str:
    """What these things may be; empty without any."""
    names = [words.thing({**thing, "number": 1}) for thing in things]
    return words.say("It may be {things}.", things=words.listed(names, "or")) if names else ""


def joined(sentences: list[str], words: Wording) -> str:
    """Sentences behind each other, those that are empty left out."""
    said = ""
    for sentence in filter(None, sentences):
        said = words.say("{sentence} {next}", sentence=said, next=sentence) if said else sentence
    return said


def scenery(seen: Seen, words: Wording = ENGLISH) -> str:
    """What the photo shows apart from its text; empty where the text is all there is to say."""
    things = [thing for thing in seen.things if not (seen.has_text and thing["name"] in PRINTED)]
    if any(thing["sure"] for thing in things):
        return shown(things, words, also=seen.is_written)
    if seen.is_written or (seen.codes and not things):
        return ""
    unsure = words.say("I am not sure what this photo shows.")
    return joined([unsure, guessed(things, words), described(seen.look, words)], words)


def described(look: dict[str, Any], words: Wording) -> str:
    """How the whole picture is, where nothing in it is certain."""
    said = [words.say("very dark")] if look.get("dark") else []
    said += [words.say("very bright")] if look.get("bright") else []
    said += [words.say("blurred")] if look.get("blurred") else []
    if look.get("colours"):
        colours = words.listed([words.say(colour) for colour in look["colours"]], "and")
        said.append(words.say("mostly {colours}", colours=colours))
    if not said:
        return ""
    return words.say("It is {looks}.", looks=words.listed(said, "looks"))


def quotation(seen: Seen, words: Wording = ENGLISH) -> str:
    """The text as a quotation, a line a line, cut at the end of one; and that there is more, where there is."""
    kept = fitting(seen.lines, MOST_QUOTED)
    parts = []
    if kept:
        parts.append(f"{words.say('The photo says:')}\n\n" + "  \n".join(f"> {escaped(line)}" for line in kept))
    if seen.either:
        pairs = [[escaped(latin), escaped(other)] for latin, other in seen.either[:MOST_EITHER]]
        readings = words.listed([words.listed(pair, "or") for pair in pairs], "and")
        parts.append(
            words.say(
                "It has writing in letters that Latin and Cyrillic share. It may be {readings}.", readings=readings
            )
        )
    if more := len(seen.lines) - len(kept) + seen.left:
        parts.append(words.say("That is only the first part of it: {more} more lines are not shown.", more=more))
    if seen.unread and kept:
        parts.append(words.say("There is more writing in it that could not be read."))
    elif seen.unread:
        parts.append(
            words.say("There is writing in it that cannot be read here: only Latin letters, Chinese and Japanese can.")
        )
    return "\n\n".join(parts)


def marks(seen: Seen, words: Wording = ENGLISH) -> str:
    """The boxes as JSON in Gemini's form, which the page draws over the photo; empty without any."""
    boxes = [{"box_2d": box["box_2d"], "label": words.label(box["label"])} for box in seen.boxes]
    return f"```json\n{json.dumps(boxes, ensure_ascii=False)}\n```\n\n" if boxes else ""


def heading(place: int, words: Wording) -> str:
    """What stands before the answer to one of several photos."""
    return words.say("Photo {place}: ", place=place)


def who_sees(models: str, words: Wording) -> str:
    """That these models see more."""
    return words.say("{models} can see more in it.", models=models)


def no_photo(words: Wording) -> str:
    """The answer to a question about a photo that nobody has sent."""
    return words.say("There is no photo in this conversation. Take or add one, then ask again.")


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


def escaped(line: str) -> str:
    """A line without Markdown of its own."""
    return MARK.sub(r"\\\1", " ".join(line.split()))
