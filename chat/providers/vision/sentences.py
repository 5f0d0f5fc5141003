"""Sentences about the facts of a photo, by rules: certain facts are stated, others are called guesses.

Those for users are translated (`wording.py`); `facts`, for models, is English.
"""

import json
import re
from typing import Any

from chat.providers.vision.seen import Seen
from chat.providers.vision.wording import ENGLISH, Wording

MARK = re.compile(r"([!-/:-@\[-`{-~])")
MOST_QUOTED, MOST_TOLD, MOST_EITHER = 6000, 1500, 3
PRINTED = frozenset({"menu", "book", "comic book", "crossword", "envelope", "web page"})
"""Names that the classifier gives to pictures full of text; the text itself is the better description."""


def answer(seen: Seen, words: Wording = ENGLISH) -> str:
    """Return the description of the photo in Markdown, ending with an empty line."""
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
    """Return the description's beginning if it does not depend on text that is still being read; else ""."""
    sure = [thing["name"] for thing in seen.things if thing["sure"]]
    return "" if not sure or PRINTED.intersection(sure) else shown(seen.things, words)


def shown(things: list[dict[str, Any]], words: Wording, *, also: bool = False) -> str:
    """Return the sentences about the certain things and the guesses. `also`: they follow the photo's text."""
    sure = words.listed([words.thing(thing) for thing in things if thing["sure"]], "and")
    said = words.say("The photo also shows {things}.", things=sure) if also else ""
    said = said or words.say("The photo shows {things}.", things=sure)
    return joined([said, guessed([thing for thing in things if not thing["sure"]], words)], words)


def guessed(things: list[dict[str, Any]], words: Wording) -> str:
    """Return the sentence about guesses; "" without any."""
    names = [words.thing({**thing, "number": 1}) for thing in things]
    return words.say("It may be {things}.", things=words.listed(names, "or")) if names else ""


def joined(sentences: list[str], words: Wording) -> str:
    """Join the sentences that are not empty, as the language does it."""
    said = ""
    for sentence in filter(None, sentences):
        said = words.say("{sentence} {next}", sentence=said, next=sentence) if said else sentence
    return said


def scenery(seen: Seen, words: Wording = ENGLISH) -> str:
    """Return what the photo shows besides text; "" if text or codes are all that was recognised."""
    things = [thing for thing in seen.things if not (seen.has_text and thing["name"] in PRINTED)]
    if any(thing["sure"] for thing in things):
        return shown(things, words, also=seen.is_written)
    if seen.is_written or (seen.codes and not things):
        return ""
    unsure = words.say("I am not sure what this photo shows.")
    return joined([unsure, guessed(things, words), described(seen.look, words)], words)


def described(look: dict[str, Any], words: Wording) -> str:
    """Return the sentence about brightness, sharpness and colours; "" if nothing is notable."""
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
    """Return the text as a Markdown quotation, one line per line, cut after MOST_QUOTED characters at a line's end, and
    the sentences about lines that are ambiguous, omitted or could not be read."""
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
    """Return the boxes as a JSON code block in Gemini's format, which the page draws over the photo; "" without any."""
    boxes = [{"box_2d": box["box_2d"], "label": words.label(box["label"])} for box in seen.boxes]
    return f"```json\n{json.dumps(boxes, ensure_ascii=False)}\n```\n\n" if boxes else ""


def heading(place: int, words: Wording) -> str:
    """Return the beginning of the description of one of several photos; `place` counts from 1."""
    return words.say("Photo {place}: ", place=place)


def who_sees(models: str, words: Wording) -> str:
    """Return the sentence that these models can see more."""
    return words.say("{models} can see more in it.", models=models)


def no_photo(words: Wording) -> str:
    """Return the answer to a question about a photo that was not sent."""
    return words.say("There is no photo in this conversation. Take or add one, then ask again.")


def facts(seen: Seen) -> str:
    """Return the facts in English, for the model's prompt."""
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
    """Return the first lines that have at most so many characters together."""
    kept: list[str] = []
    for line in lines:
        most -= len(line) + 1
        if most < 0:
            break
        kept.append(line)
    return kept


def escaped(line: str) -> str:
    """Escape Markdown's characters, and collapse whitespace."""
    return MARK.sub(r"\\\1", " ".join(line.split()))
