"""Reads lines of text: PaddleOCR's recogniser (ONNX, in the package `rapidocr`).

Each box is cut out and rotated to horizontal; a classifier detects those upside down. The recogniser returns a
character, or none, for every few pixels; repeated ones are merged (greedy decoding of connectionist temporal
classification).
"""

from dataclasses import dataclass
from typing import Any

import numpy
from PIL import Image

from chat.recognition.text_boxes import TextBox

HEIGHT, TURN_WIDTH = 48, 192
LEAST_WIDTH, MOST_WIDTH = 16, 3200
UPRIGHT_RATIO = 1.5
"""A box with this ratio of height to width contains a vertical line."""
UPSIDE_DOWN = 0.9
CERTAINLY_UPRIGHT = 0.85
"""With a lower score a line is also read upside down: the classifier is wrong for one in ten lines of small print."""
GAP = 0.8
"""Boxes of a row with a smaller gap, in heights of a line, are one line."""
BLANK = 0
WIDE_GAP, WIDER_GAP = 0.95, 1.9
"""A distance between two characters has room for another one if it exceeds this many line heights, and this many times
the line's median distance."""
FAINT_INK, INKED = 0.5, 0.5
"""A column of pixels with a lower fraction of the characters' contrast is empty; a span with a lower fraction of inked
columns is a space."""


@dataclass(frozen=True, slots=True)
class Line:
    """A recognised line. `shares` has a score (0 to 1) for each character; `is_partial`: some of it was not read."""

    text: str
    shares: tuple[float, ...]
    box: TextBox
    is_partial: bool = False

    @property
    def share(self) -> float:
        """The mean score of its characters; 0 for an empty line."""
        return sum(self.shares) / len(self.shares) if self.shares else 0.0


class LineReader:
    """Reads lines with two onnxruntime sessions: the recogniser, and the classifier of upside-down lines."""

    def __init__(self, recogniser: Any, turner: Any) -> None:
        self._recogniser = recogniser
        self._turner = turner
        characters = recogniser.get_modelmeta().custom_metadata_map["character"].splitlines()
        self._characters = ["", *characters, " "]

    def read(self, photo: Image.Image, box: TextBox, squeeze: float = 1.0) -> Line:
        """Return the line in a box, with its box rotated to the text's direction. `squeeze` scales the width."""
        if box.across > UPRIGHT_RATIO * box.along:
            box = turned(box, -90)
        cut = cut_out(photo, box)
        first = 180 if self._is_upside_down(cut) else 0
        line = self._read_at(cut, box, first, squeeze)
        if line.share >= CERTAINLY_UPRIGHT:
            return line
        return max(line, self._read_at(cut, box, 180 - first, squeeze), key=lambda each: each.share)

    def _read_at(self, cut: Image.Image, box: TextBox, degrees: int, squeeze: float) -> Line:
        width = min(MOST_WIDTH, max(LEAST_WIDTH, round(cut.width * HEIGHT / cut.height * squeeze)))
        held = cut.transpose(Image.Transpose.ROTATE_180) if degrees else cut
        pixels = given(held, width)
        steps = self._recogniser.run(None, {"x": pixels})[0][0]
        kinds = steps.argmax(axis=1)
        starts = numpy.flatnonzero((kinds != BLANK) & (numpy.diff(kinds, prepend=BLANK) != 0))
        text = "".join(self._characters[kinds[at]] for at in starts)
        shares = tuple(float(steps[at, kinds[at]]) for at in starts)
        partial = leaves_out(pixels[0], starts * (width / len(steps)))
        return Line(text, shares, turned(box, 180) if degrees else box, partial)

    def _is_upside_down(self, cut: Image.Image) -> bool:
        width = min(TURN_WIDTH, max(1, round(cut.width * HEIGHT / cut.height)))
        padded = numpy.zeros((1, 3, HEIGHT, TURN_WIDTH), numpy.float32)
        padded[..., :width] = given(cut, width)
        return float(self._turner.run(None, {"x": padded})[0][0][1]) > UPSIDE_DOWN


def leaves_out(pixels: Any, places: Any) -> bool:
    """Whether there is ink in gaps between the characters, or before or after them: the recogniser skips letters that
    it does not know, and reads "Аэропорт" as "Apoop".

    `places` are the characters' columns in `pixels`, (3, HEIGHT, width).
    """
    if not len(places):
        return False
    contrast = numpy.ptp(pixels.mean(axis=0), axis=0)
    inked = contrast > FAINT_INK * numpy.median(contrast[numpy.minimum(places.astype(int), len(contrast) - 1)])
    gaps = numpy.diff(places)
    wide = max(WIDE_GAP * HEIGHT, WIDER_GAP * float(numpy.median(gaps)) if len(gaps) else 0.0)
    spans = [(at + gap / 3, at + gap * 2 / 3) for at, gap in zip(places, gaps, strict=False) if gap >= wide]
    if places[0] >= wide:
        spans.append((0.0, places[0] - HEIGHT / 2))
    if len(contrast) - places[-1] >= wide + HEIGHT / 2:
        spans.append((places[-1] + HEIGHT, len(contrast) - 1))
    return any(inked[round(first) : round(last) + 1].mean() > INKED for first, last in spans)


def given(cut: Image.Image, width: int) -> Any:
    """Return the networks' input: (1, 3, HEIGHT, width), in the order blue, green, red, from -1 to 1."""
    pixels = numpy.asarray(cut.resize((width, HEIGHT), Image.Resampling.BILINEAR), numpy.float32)[..., ::-1]
    return numpy.ascontiguousarray((pixels / 127.5 - 1).transpose(2, 0, 1)[None])


def cut_out(photo: Image.Image, box: TextBox) -> Image.Image:
    """Return the box's part of the photo, rotated to horizontal."""
    size = (max(2, round(box.along)), max(2, round(box.across)))
    corners = tuple(float(value) for value in box.corners().flatten())
    return photo.transform(size, Image.Transform.QUAD, corners, Image.Resampling.BILINEAR)


def turned(box: TextBox, degrees: int) -> TextBox:
    """Return the box rotated by a multiple of 90 degrees."""
    angle = box.angle + numpy.deg2rad(degrees)
    if degrees % 180:
        return TextBox(box.x, box.y, box.across, box.along, float(angle), box.share)
    return box._replace(angle=float(angle))


def in_order(lines: list[Line]) -> list[Line]:
    """Return the lines from top to bottom and along each row, relative to the direction of most of the text."""
    return [line for row in rows_of(lines) for line in row]


def rows_of(lines: list[Line]) -> list[list[Line]]:
    """Group the lines into rows, from top to bottom."""
    if not lines:
        return []
    right = reading_direction(lines)
    rows: list[list[Line]] = []
    for line in sorted(lines, key=lambda line: down(line.box, right)):
        last = rows[-1][0].box if rows else None
        if last is not None and down(line.box, right) - down(last, right) < min(last.across, line.box.across) / 2:
            rows[-1].append(line)
        else:
            rows.append([line])
    return [sorted(row, key=lambda line: along(line.box, right)) for row in rows]


def texts_of(lines: list[Line]) -> list[str]:
    """Return the rows as text; neighbours with a small gap are joined into one line."""
    right = reading_direction(lines) if lines else (1.0, 0.0)
    found: list[str] = []
    for row in rows_of(lines):
        before: TextBox | None = None
        for line in row:
            close = before is not None and gap(before, line.box, right) < GAP * min(before.across, line.box.across)
            if close:
                found[-1] += f" {line.text.strip()}"
            else:
                found.append(line.text.strip())
            before = line.box
    return found


def reading_direction(lines: list[Line]) -> tuple[float, float]:
    """Return the direction of most of the text, as a unit vector."""
    weights = numpy.array([len(line.text) for line in lines], numpy.float64)
    angles = numpy.array([line.box.angle for line in lines])
    held = float(numpy.arctan2((weights * numpy.sin(angles)).sum(), (weights * numpy.cos(angles)).sum()))
    return float(numpy.cos(held)), float(numpy.sin(held))


def along(box: TextBox, right: tuple[float, float]) -> float:
    """Return the box's position in the reading direction, in pixels."""
    return box.x * right[0] + box.y * right[1]


def down(box: TextBox, right: tuple[float, float]) -> float:
    """Return the box's position across the reading direction, in pixels."""
    return box.y * right[0] - box.x * right[1]


def gap(one: TextBox, other: TextBox, right: tuple[float, float]) -> float:
    """Return the gap between two boxes of a row, in pixels."""
    return along(other, right) - along(one, right) - (one.along + other.along) / 2
