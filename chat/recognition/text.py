"""The text in a photo: which recognised lines are accepted, and in which order.

The detector finds "lines" in leaves, tiles and rims of cups, and the recogniser reads some text in each; for an unknown
script it reads similar letters. A line is accepted if detector and recogniser are certain, if it reads the same when it
is squeezed, if its characters fill its box, and if they are of a known script. The thresholds were set on 46 labelled
photos; `docs/vision.md` has the results.
"""

import difflib
import math
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from PIL import Image

from chat.recognition import text_boxes
from chat.recognition.look_alikes import in_cyrillic, is_doubtful, is_half_read, is_shared
from chat.recognition.text_boxes import TextBox
from chat.recognition.text_lines import Line, LineReader, along, down, in_order, texts_of

SCRIPTS = ("LATIN", "CJK", "HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA", "FULLWIDTH", "HALFWIDTH", "IDEOGRAPHIC")
UNITS = "μΩ"
KNOWN = "Latin letters, Chinese and Japanese"
WIDE = SCRIPTS[1:5]
"""Scripts whose characters are as wide as tall; two of them are enough for a line."""
LETTERS = 3
SHARE, FOUND, SAME = 0.85, 0.80, 0.60
SHORT_SHARE, SHORT_FOUND = 0.97, 0.935
CLEARLY_FOUND, CLEARLY_LONG = 0.95, 1.5
LONG_FOUND, LONG = 0.937, 4.0
"""A lower score is enough for a long line."""
WHOLE_PICTURE = 0.95
CHARACTERS_A_SQUARE = 0.4
SQUEEZE = 0.8
CERTAIN, CERTAIN_LETTERS = 0.97, 8
"""A line of so many characters with this score is not checked by reading it squeezed."""
MOST_LINES = 150
SIZES, BESIDE = 1.6, 2.0


@dataclass(frozen=True, slots=True)
class RecognisedText:
    """The recognised text. `coverage` is the share of the picture (0 to 1) that accepted lines cover; `unread`, whether
    there is text in an unknown script; `left`, how many detected lines were not read. `either` has lines that may be
    Latin or Cyrillic, as (Latin, Cyrillic)."""

    lines: tuple[str, ...] = ()
    either: tuple[tuple[str, str], ...] = ()
    coverage: float = 0.0
    unread: bool = False
    left: int = 0


class TextFinder:
    """Finds and reads text. `detector` is an onnxruntime session."""

    def __init__(self, detector: Any, reader: LineReader) -> None:
        self._detector = detector
        self._reader = reader

    def read(self, photo: Image.Image) -> Iterator[RecognisedText]:
        """Yield the text so far after each accepted line, and at the end the complete text."""
        area = photo.width * photo.height
        boxes = text_boxes.find(self._detector, photo)
        fitting = [box for box in boxes if box.along * box.across < WHOLE_PICTURE * area]
        standing = in_order([Line("-", (), box) for box in fitting])
        believed: list[Line] = []
        unread: list[Line] = []
        short: list[Line] = []
        for number, place in enumerate(standing[:MOST_LINES]):
            line = self._reader.read(photo, place.box)
            if self._is_believed(photo, line):
                believed.append(line)
                yield text_of(believed, [], area, len(standing) - number - 1)
            elif is_short(line):
                short.append(line)
            elif is_clear(line.box):
                unread.append(line)
        believed += [line for line in short if any(is_beside(line, other) for other in believed)]
        yield text_of(believed, unread, area, max(0, len(standing) - MOST_LINES))

    def _is_believed(self, photo: Image.Image, line: Line) -> bool:
        if not is_plausible(line):
            return False
        if line.share >= CERTAIN and len(line.text) >= CERTAIN_LETTERS:
            return True
        again = self._reader.read(photo, line.box, SQUEEZE)
        return difflib.SequenceMatcher(None, line.text, again.text).ratio() >= SAME


def text_of(believed: list[Line], unread: list[Line], area: int, left: int) -> RecognisedText:
    """Return the accepted lines as text. If other lines could not be read, those of only shared letters are dropped."""
    if unread:
        believed = [line for line in believed if not is_shared(line.text)]
    letters = sum(len(line.text) for line in believed)
    covered = sum(line.box.along * line.box.across for line in believed) / area
    rows = texts_of(believed)
    either = tuple((row, in_cyrillic(row)) for row in rows) if is_doubtful(rows) else ()
    clear = [line for line in unread if line.box.along * line.box.across * 4 > covered * area / max(1, letters)]
    return RecognisedText(() if either else tuple(rows), either, min(1.0, covered), bool(clear), left)


def is_plausible(line: Line) -> bool:
    """Whether a line can be text, by its scores, its scripts and the space that its characters fill."""
    letters = [character for character in line.text if character.isalnum()]
    if not letters or not all(map(is_known, line.text)):
        return False
    enough = LETTERS - 1 if any(script_of(letter) in WIDE for letter in letters) else LETTERS
    squares = line.box.along / line.box.across
    if len(line.text.strip()) < CHARACTERS_A_SQUARE * squares:
        return False
    if line.is_partial or is_half_read(line.text, line.shares):
        return False
    if len(letters) < enough:
        return line.share >= SHORT_SHARE and line.box.share >= SHORT_FOUND
    return line.share >= SHARE and line.box.share >= FOUND


def is_short(line: Line) -> bool:
    """Whether a line is one or two letters with a high score: it is accepted only beside other text."""
    letters = [character for character in line.text if character.isalnum()]
    return 0 < len(letters) < LETTERS and all(map(is_known, line.text)) and line.share >= SHORT_SHARE


def is_beside(line: Line, other: Line) -> bool:
    """Whether a short line is directly before or after another one, and about as high."""
    right = (math.cos(other.box.angle), math.sin(other.box.angle))
    heights = sorted((min(line.box.along, line.box.across), other.box.across))
    level = abs(down(line.box, right) - down(other.box, right)) < other.box.across / 2
    apart = abs(along(line.box, right) - along(other.box, right)) - (line.box.along + other.box.along) / 2
    return level and apart < BESIDE * other.box.across and heights[0] * SIZES >= heights[1]


def is_clear(box: TextBox) -> bool:
    """Whether the detector is certain that the box is text, readable or not."""
    return (box.share >= CLEARLY_FOUND and box.along >= CLEARLY_LONG * box.across) or (
        box.share >= LONG_FOUND and box.along >= LONG * box.across
    )


def is_known(character: str) -> bool:
    """Whether a character is of a known script, or of none."""
    if unicodedata.category(character) == "Sm":
        return character.isascii() or character in "×÷±≤≥≠"
    return not character.isalpha() or character in UNITS or script_of(character) in SCRIPTS


def script_of(character: str) -> str:
    """Return the first word of a character's Unicode name, which is the script of letters."""
    return unicodedata.name(character, "").split(" ")[0]
