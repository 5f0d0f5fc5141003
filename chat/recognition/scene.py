"""The things in a photo, in everyday words: combines the classes of the whole picture with the detected boxes.

A name is certain if one network has a high score, or both have a medium one; all others are guesses. The thresholds
were set on 46 labelled photos; `docs/vision.md` has the results.
"""

from typing import Any, NamedTuple

import numpy
from PIL import Image

from chat.recognition import centernet, efficientnet, everyday
from chat.recognition.centernet import Box
from chat.recognition.everyday import Guess

WORD, KIND = 0.40, 0.45
BOX, PERSON = 0.60, 0.55
BOTH_WORD, BOTH_BOX = 0.08, 0.30
GUESS, GUESS_BOX, WITHIN, VERY_LIKELY = 0.15, 0.40, 0.10, 0.10
NEAR = 0.5
"""A word confirmed by a box needs at least this fraction of the likeliest word's score."""
LEAST_AREA = 0.01
MOST_THINGS, MOST_BOXES = 5, 12
OVERLAP = 0.5
SAME = {
    "apple": "fruit",
    "banana": "fruit",
    "orange": "fruit",
    "carrot": "vegetables",
    "broccoli": "vegetables",
    "cake": "dessert",
    "doughnut": "dessert",
    "sandwich": "burger",
    "wine glass": "glass",
    "book": "bookcase",
    "tennis racket": "racket",
    "skis": "ski",
    "tie": "suit",
    "backpack": "bag",
}
"""Names of boxes → the words of `everyday.py` with the same meaning."""
PERSON_NAME = "person"
ROAD = frozenset({"car", "bus", "truck", "motorcycle", "van"})
VAGUE = frozenset(
    {"thing to read", "kitchen thing", "street thing", "bathroom thing", "sports thing", "device", "sign", "clothing"}
)
"""Kinds that are too vague to describe a photo."""


class Thing(NamedTuple):
    """A name, its score (0 to 1), whether it is certain or a guess, and how many there are."""

    name: str
    share: float
    sure: bool
    number: int = 1


def views(photo: Image.Image) -> list[Any]:
    """Return the classifier's two inputs: the central square, and the whole photo scaled to a square."""
    side = min(photo.size)
    left, top = (photo.width - side) // 2, (photo.height - side) // 2
    square = photo.crop((left, top, left + side, top + side))
    size = (efficientnet.SIDE, efficientnet.SIDE)
    return [as_input(each.resize(size, Image.Resampling.BICUBIC)) for each in (square, photo)]


def as_input(picture: Image.Image) -> Any:
    """Return an array (1, 3, height, width) of pixels from about -1 to 1."""
    pixels = (numpy.asarray(picture, numpy.float32) - efficientnet.MEAN) / efficientnet.SCALE
    return numpy.ascontiguousarray(pixels.transpose(2, 0, 1)[None])


def guesses(classifier: Any, photo: Image.Image) -> list[Guess]:
    """Return the guesses for the mean of the classifier's results for both views."""
    found = [classifier.run(None, {"photo": view})[0][0] for view in views(photo)]
    return everyday.guesses(sum(found) / len(found))


def boxes(detector: Any, photo: Image.Image) -> list[Box]:
    """Return the detector's boxes, without duplicates of the same thing."""
    size = (centernet.SIDE, centernet.SIDE)
    pixels = numpy.asarray(photo.resize(size, Image.Resampling.BILINEAR), numpy.float32)
    heat, edges = detector.run(None, {"images": numpy.ascontiguousarray(pixels.transpose(2, 0, 1)[None])})
    kept: list[Box] = []
    for box in centernet.boxes(heat, edges, BOTH_BOX):
        if box.area >= LEAST_AREA / 4 and all(overlap(box, other) < OVERLAP for other in kept):
            kept.append(box)
    return kept


def overlap(one: Box, other: Box) -> float:
    """Return the intersection over union."""
    width = min(one.right, other.right) - max(one.left, other.left)
    height = min(one.bottom, other.bottom) - max(one.top, other.top)
    shared = max(0.0, width) * max(0.0, height)
    return shared / (one.area + other.area - shared) if shared else 0.0


def everyday_name(box: Box) -> str:
    """Return the word of `everyday.py` for a box."""
    return SAME.get(box.name, box.name)


def things(found: list[Guess], seen: list[Box]) -> list[Thing]:
    """Return certain things, then guesses. A kind ("food") can be certain if none of its words is."""
    words = {guess.word: guess for guess in found if guess.word}
    whole = {guess.word: Thing(guess.word, guess.share, True) for guess in found if guess.word and guess.share >= WORD}
    sure = dict(whole)
    for box in seen:
        if is_sure(box, words, whole):
            name = everyday_name(box) if everyday_name(box) in whole and box.share < BOX else box.name
            before = sure.pop(everyday_name(box), None) or sure.pop(box.name, None)
            count = before.number + 1 if before is not None and before.name == name and before.name not in whole else 1
            sure[name] = Thing(name, max(box.share, before.share if before else 0.0), True, count)
    if sure:
        guessed = maybe(found, seen, VERY_LIKELY)[:1] if set(sure) == {PERSON_NAME} else street(sure)
        return [*list(sure.values())[:MOST_THINGS], *guessed]
    for guess in found:
        if not guess.word and guess.share >= KIND and guess.kind not in VAGUE:
            members = [Thing(word, each.share, False) for word, each in words.items() if each.kind == guess.kind]
            likely = [thing for thing in members if thing.share >= WITHIN and thing.name != guess.kind]
            return [Thing(guess.kind, guess.share, True), *sorted(likely, key=lambda thing: -thing.share)[:2]]
    return maybe(found, seen, GUESS)


def is_sure(box: Box, words: dict[str, Guess], whole: dict[str, Thing]) -> bool:
    """Whether a box is certain, by its own score or because the classifier confirms it."""
    if box.name == PERSON_NAME:
        return box.share >= PERSON
    if box.area < LEAST_AREA:
        return False
    word = words.get(everyday_name(box))
    if word is not None and word.word in whole:
        return True
    if word is not None and any(words[name].kind == word.kind for name in whole):
        return False  # most likely the same thing as the classifier's, with another name
    likeliest = max((guess.share for guess in words.values()), default=0.0)
    agreed = word is not None and not whole and word.share >= max(BOTH_WORD, likeliest * NEAR)
    return box.share >= BOX or (agreed and box.share >= BOTH_BOX)


def street(sure: dict[str, Thing]) -> list[Thing]:
    """Return the guess "street" for several vehicles, or people or traffic lights beside one: no network knows it."""
    vehicles = set(sure) & ROAD
    is_one = vehicles and (len(vehicles) > 1 or {PERSON_NAME, "traffic light"} & set(sure))
    return [Thing("street", GUESS, False)] if is_one else []


def maybe(found: list[Guess], seen: list[Box], least: float) -> list[Thing]:
    """Return the two best guesses, if nothing is certain."""
    likely = {
        guess.word: Thing(guess.word, guess.share, False) for guess in found if guess.word and guess.share >= least
    }
    likely |= {
        box.name: Thing(box.name, box.share, False)
        for box in reversed(seen)
        if box.share >= GUESS_BOX and box.name != PERSON_NAME
    }
    return sorted(likely.values(), key=lambda thing: -thing.share)[:2]
