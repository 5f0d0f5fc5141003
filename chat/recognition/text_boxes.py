"""Detects lines of text: PaddleOCR's detector (ONNX, in the package `rapidocr`), and its result as boxes.

The detector marks the pixels of text, a little narrower than the lines. Connected pixels are one line; the smallest
rectangle around them, at any angle, widened again, is its box (Liao et al., Real-time Scene Text Detection with
Differentiable Binarization, 3.2). It needs NumPy and Pillow, instead of OpenCV, Shapely and Clipper.
"""

import math
from typing import Any, NamedTuple

import numpy
from PIL import Image

SIDE, FINE_SIDE, MULTIPLE = 736, 1600, 32
"""The longer side of the detector's input, and that for small print: twice the side takes four times as long."""
SMALL_PRINT, SMALL_LINES = 12.0, 5
"""So many lines that are lower than this, in pixels of the first input, are detected again with FINE_SIDE."""
STRIP = 3.0
"""With this ratio of its sides, a page or a panorama has lines for which SIDE is too coarse."""
PIXEL, BOX = 0.3, 0.5
WIDER = 1.6
THINNEST = 3.0
MOST = 300
Points = Any
"""An array of (x, y)."""


class TextBox(NamedTuple):
    """A line's rectangle in pixels: its centre, its size along and across, and the angle of `along` in radians."""

    x: float
    y: float
    along: float
    across: float
    angle: float
    share: float

    def corners(self) -> Points:
        """Return the corners: top left, bottom left, bottom right, top right, in the direction of the line."""
        right = numpy.array((math.cos(self.angle), math.sin(self.angle)))
        down = numpy.array((-right[1], right[0]))
        half, tall = right * self.along / 2, down * self.across / 2
        return numpy.array((self.x, self.y)) + numpy.array((-half - tall, -half + tall, half + tall, half - tall))


def find(session: Any, photo: Image.Image) -> list[TextBox]:
    """Return the boxes of the lines in a photo (RGB), in its pixels, the largest first."""
    fine = max(SIDE, min(FINE_SIDE, max(photo.size)))
    side = SIDE if max(photo.size) < STRIP * min(photo.size) else fine
    found = looked_at(session, photo, side)
    small = [box for box in found if box.across * side / max(photo.size) < SMALL_PRINT]
    if side < fine and len(small) >= max(SMALL_LINES, len(found) / 2):
        found = looked_at(session, photo, fine)
    return sorted(found, key=lambda box: -box.along * box.across)[:MOST]


def looked_at(session: Any, photo: Image.Image, side: int) -> list[TextBox]:
    """Return the boxes for one size of the detector's input."""
    scale = side / max(photo.size)
    size = tuple(max(MULTIPLE, round(each * scale / MULTIPLE) * MULTIPLE) for each in photo.size)
    pixels = numpy.asarray(photo.resize((size[0], size[1]), Image.Resampling.BILINEAR), numpy.float32)[..., ::-1]
    given = numpy.ascontiguousarray((pixels / 127.5 - 1).transpose(2, 0, 1)[None])
    heat = session.run(None, {"x": given})[0][0, 0]
    stretch = (photo.width / size[0], photo.height / size[1])
    boxes = (box_of(heat, rows, stretch) for rows in components(heat > PIXEL))
    return [box for box in boxes if box is not None]


def components(mask: Any) -> list[Any]:
    """Return the connected components, with 8 neighbours, as arrays of runs (row, first, end)."""
    padded = numpy.pad(mask.astype(numpy.int8), ((0, 0), (1, 1)))
    steps = numpy.diff(padded, axis=1)
    rows, firsts = numpy.nonzero(steps == 1)
    ends = numpy.nonzero(steps == -1)[1]
    parents = list(range(len(rows)))

    def root(number: int) -> int:
        while parents[number] != number:
            parents[number] = parents[parents[number]]
            number = parents[number]
        return number

    starts = numpy.searchsorted(rows, numpy.arange(len(mask) + 1))
    for row in range(1, len(mask)):
        above, here = starts[row - 1], starts[row]
        while above < starts[row] and here < starts[row + 1]:
            if firsts[above] <= ends[here] and firsts[here] <= ends[above]:
                parents[root(here)] = root(above)
            if ends[above] < ends[here]:
                above += 1
            else:
                here += 1
    runs = numpy.stack((rows, firsts, ends), axis=1)
    roots = numpy.array([root(number) for number in range(len(rows))], numpy.int64)
    order = numpy.argsort(roots, kind="stable")
    cuts = numpy.flatnonzero(numpy.diff(roots[order])) + 1
    return numpy.split(runs[order], cuts) if len(runs) else []


def box_of(heat: Any, runs: Any, stretch: tuple[float, float]) -> TextBox | None:
    """Return the box of one component; None if it is too thin, or its score too low, for text."""
    if len(runs) < 2:
        return None
    share = float(numpy.mean(numpy.concatenate([heat[row, first:end] for row, first, end in runs])))
    if share < BOX:
        return None
    rows = numpy.concatenate((runs[:, 0], runs[:, 0], runs[:, 0] + 1, runs[:, 0] + 1))
    columns = numpy.concatenate((runs[:, 1], runs[:, 2], runs[:, 1], runs[:, 2]))
    points = numpy.stack((columns * stretch[0], rows * stretch[1]), axis=1)
    centre, along, across, angle = smallest_rectangle(hull(points))
    if across < THINNEST:
        return None
    wider = along * across * WIDER / (along + across)
    return TextBox(float(centre[0]), float(centre[1]), along + wider, across + wider, angle, share)


def hull(points: Points) -> Points:
    """Return the convex hull (Andrew's monotone chain)."""
    ordered = sorted(set(map(tuple, points.tolist())))

    def half(given: Any) -> list[tuple[float, float]]:
        chain: list[tuple[float, float]] = []
        for x, y in given:
            while len(chain) > 1:
                (ax, ay), (bx, by) = chain[-2:]
                if (bx - ax) * (y - ay) - (by - ay) * (x - ax) > 0:
                    break
                chain.pop()
            chain.append((x, y))
        return chain[:-1]

    return numpy.array(half(ordered) + half(reversed(ordered)))


def smallest_rectangle(points: Points) -> tuple[tuple[float, float], float, float, float]:
    """Return (centre, length, width, angle) of the smallest rectangle around a hull, which shares a side with it."""
    edges = numpy.diff(numpy.vstack((points, points[:1])), axis=0)
    angles = numpy.unique(numpy.round(numpy.arctan2(edges[:, 1], edges[:, 0]) % (math.pi / 2), 6))
    cosine, sine = numpy.cos(angles)[:, None], numpy.sin(angles)[:, None]
    along = points[:, 0] * cosine + points[:, 1] * sine
    down = points[:, 1] * cosine - points[:, 0] * sine
    sizes = numpy.stack((numpy.ptp(along, axis=1), numpy.ptp(down, axis=1)))
    best = int(numpy.argmin(sizes[0] * sizes[1]))
    u, v = (along[best].min() + along[best].max()) / 2, (down[best].min() + down[best].max()) / 2
    turn = float(angles[best])
    centre = (u * math.cos(turn) - v * math.sin(turn), u * math.sin(turn) + v * math.cos(turn))
    length, width = (float(size[best]) for size in sizes)
    if turn > math.pi / 4:  # the side closer to horizontal is the length of the line
        return centre, width, length, turn - math.pi / 2
    return centre, length, width, turn
