"""Properties of a whole picture: dark, bright, blurred, its colours, and whether it is a drawing."""

from typing import NamedTuple

import numpy
from PIL import Image, ImageFilter

SIDE = 256
DARK, BRIGHT = 35.0, 235.0
BLURRED = 2.2
"""The mean difference from the blurred picture (0 to 255) below which it is blurred; sharp photos have at least 4."""
LEAST_COLOUR = 0.15
GREY_SATURATION, BLACK_VALUE, DULL_VALUE, WHITE_VALUE = 40, 50, 150, 200
MOST_EVEN, FEW_COLOURS, OF_FEW_COLOURS, EVEN_STEP = 0.75, 4, 0.93, 1
"""In a drawing most pixels equal their neighbours, and nearly all have one of a few colours. The highest shares in 46
photos were 0.63 and 0.87; plain shapes have 0.92 and 0.98."""
HUES = (
    (15, "red"),
    (43, "orange"),
    (75, "yellow"),
    (165, "green"),
    (265, "blue"),
    (300, "purple"),
    (340, "pink"),
    (361, "red"),
)
NAMES = (*dict.fromkeys(name for _, name in HUES), "brown", "grey", "white", "black")
"""All names of colours."""


class Look(NamedTuple):
    """The properties of a whole picture; `colours` are the most frequent ones, at most two."""

    dark: bool
    bright: bool
    blurred: bool
    colours: tuple[str, ...]


def look_at(photo: Image.Image) -> Look:
    """Measure the properties on a reduced copy."""
    small = photo.copy()
    small.thumbnail((SIDE, SIDE))
    grey = small.convert("L")
    mean = float(numpy.asarray(grey, numpy.float32).mean())
    pixels = numpy.asarray(grey, numpy.float32)
    soft = numpy.asarray(grey.filter(ImageFilter.BoxBlur(1)), numpy.float32)
    edges = float(numpy.abs(pixels - soft).mean()) if min(grey.size) > 2 else BLURRED
    return Look(mean < DARK, mean > BRIGHT, edges < BLURRED, colours_of(small))


def is_drawn(photo: Image.Image) -> bool:
    """Whether the picture consists of uniform areas, such as a chart or a screenshot. The networks are not reliable for
    these: a red disc is "a stop sign"."""
    small = photo.copy()
    small.thumbnail((SIDE, SIDE))
    if min(small.size) < 2:
        return True
    red, green, blue = (numpy.asarray(small, numpy.int32) >> 4).reshape(-1, 3).T
    counts = numpy.sort(numpy.bincount(red << 8 | green << 4 | blue))
    grey = numpy.asarray(small.convert("L"), numpy.int32)
    steps = numpy.maximum(abs(numpy.diff(grey, axis=1))[:-1], abs(numpy.diff(grey, axis=0))[:, :-1])
    even = float((steps <= EVEN_STEP).mean())
    return even >= MOST_EVEN and float(counts[-FEW_COLOURS:].sum()) >= OF_FEW_COLOURS * len(red)


def colours_of(photo: Image.Image) -> tuple[str, ...]:
    """Return the names of the two most frequent colours that cover at least LEAST_COLOUR of the picture."""
    hue, saturation, value = numpy.asarray(photo.convert("HSV"), numpy.int32).reshape(-1, 3).T
    degrees = hue * 360 // 256
    bounds = numpy.searchsorted([bound for bound, _ in HUES], degrees, side="right")
    names = numpy.array([name for _, name in HUES])[numpy.minimum(bounds, len(HUES) - 1)]
    names = numpy.where(((names == "orange") | (names == "red")) & (value < DULL_VALUE), "brown", names)
    names = numpy.where(saturation < GREY_SATURATION, "grey", names)
    names = numpy.where((saturation < GREY_SATURATION) & (value > WHITE_VALUE), "white", names)
    names = numpy.where(value < BLACK_VALUE, "black", names)
    found, counts = numpy.unique(names, return_counts=True)
    frequent = sorted(zip(counts.tolist(), found.tolist(), strict=True), reverse=True)
    return tuple(name for count, name in frequent[:2] if count >= LEAST_COLOUR * len(names))
