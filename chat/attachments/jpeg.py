"""JPEG: parses the markers, and checks whether the data is complete enough (ITU-T T.81, annex B).

Pillow does not report where a picture ends: phones append further pictures (depth, brightness) and videos, and some
programs omit the end marker.
"""

import io
import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from PIL import Image, ImageChops, JpegImagePlugin

from chat.attachments import exif, formats

FILL, START, TEMPORARY, END, SCAN, COMMENT = 0xFF, 0xD8, 0x01, 0xD9, 0xDA, 0xFE
JFIF, ADOBE = 0xE0, 0xEE
APPLICATIONS = frozenset(range(0xE0, 0xF0))
PROFILE = b"ICC_PROFILE\0"  # then the part's number from 1, how many there are, and the part (ICC.1:2022, B.4)
UNNEEDED = APPLICATIONS | {COMMENT}
STANDALONE = frozenset({START, TEMPORARY, *range(0xD0, 0xD8)})
"""Markers without a length; those from 0xD0 on are restarts within a scan."""
FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
PROGRESSIVE = frozenset({0xC2, 0xC6, 0xCA, 0xCE})
MARKER_IN_DATA = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")
END_OF_IMAGE = b"\xff\xd9"
MOST_SCANS = 64
"""Progressive pictures have about ten. Each scan takes time for the whole picture, so thousands would block a CPU."""
LEAST_CUT = 64
MISSING_ROWS, MISSING_SHARE = 16, 0.05
"""The most that may be missing at the bottom of a photo: one row of blocks, or this share of its height."""
FLAT = 8
COEFFICIENTS = frozenset(range(64))


@dataclass(slots=True)
class Markers:
    """The headers of a file's first picture. `bare` is the picture without application segments and comments, which the
    decoder does not need; `ended`: whether the end marker was found; `samples`: per pixel, over all components."""

    width: int = 0
    height: int = 0
    samples: float = 0.0
    progressive: bool = False
    scans: int = 0
    ended: bool = False
    bare: bytes = b""
    exif: bytes = b""
    unfinished: dict[int, frozenset[int]] = field(default_factory=dict)
    parts: dict[int, bytes] = field(default_factory=dict)

    @property
    def memory(self) -> int:
        """Bytes that the decoder needs besides the picture: for a progressive one, coefficients of two bytes."""
        return int(self.width * self.height * self.samples * 2) if self.progressive else 0

    @property
    def profile(self) -> bytes:
        """The parts of the embedded ICC profile, joined in order; b"" if there is none."""
        return b"".join(self.parts[number] for number in sorted(self.parts))

    def take(self, segment: "JpegSegment") -> None:
        """Parse one segment."""
        if segment.marker == END:
            self.ended = True
        elif segment.marker in FRAMES:
            self.frame(segment.marker, segment.body)
        elif segment.marker == SCAN:
            self.scan(segment.body)
        elif segment.marker in APPLICATIONS:
            self.application(segment.body)

    def application(self, body: bytes) -> None:
        """Parse an application segment: EXIF data or a part of an ICC profile; others do not change the pixels."""
        if body.startswith(exif.PREFIX) and not self.exif:
            self.exif = body
        elif body.startswith(PROFILE) and len(body) > len(PROFILE) + 2:
            self.parts[body[len(PROFILE)]] = body[len(PROFILE) + 2 :]

    def frame(self, marker: int, body: bytes) -> None:
        """Parse a frame header."""
        _, self.height, self.width, count = struct.unpack_from(">BHHB", body)
        factors = {body[at]: body[at + 1] for at in range(6, 6 + 3 * count, 3)}
        areas = {component: (factor >> 4) * (factor & 15) for component, factor in factors.items()}
        self.samples = sum(areas.values()) / max(1, *areas.values(), 1)
        self.progressive = marker in PROGRESSIVE
        self.unfinished = dict.fromkeys(areas, COEFFICIENTS)

    def scan(self, body: bytes) -> None:
        """Parse a scan header, and remove the coefficients that are complete after this scan from `unfinished`."""
        self.scans += 1
        count = body[0]
        first, last, bits = body[1 + 2 * count], body[2 + 2 * count], body[3 + 2 * count]
        if bits & 15 == 0:
            for component in body[1 : 1 + 2 * count : 2]:
                self.unfinished[component] = self.unfinished.get(component, COEFFICIENTS) - set(range(first, last + 1))


class JpegSegment(NamedTuple):
    """`body` is what follows the length; `data[start:end]` the whole segment, and of a scan also the coded data."""

    marker: int
    body: bytes
    start: int
    end: int


def segments(data: bytes) -> Iterator[JpegSegment]:
    """Yield the segments of the first picture, up to its end marker. Raises IndexError for half a marker at the end."""
    at = 2
    while (start := data.find(b"\xff", at)) >= 0:
        marker, at = data[start + 1], start + 2
        if marker in (FILL, 0):
            at = start + 1
        elif marker == END:
            yield JpegSegment(END, b"", start, at)
            return
        elif marker not in STANDALONE:
            at += int.from_bytes(data[at : at + 2])
            body = data[start + 4 : at]
            if marker == SCAN:
                inside = MARKER_IN_DATA.search(data, at)
                at = inside.start() if inside else len(data)
            yield JpegSegment(marker, body, start, at)


def markers_of(data: bytes) -> Markers:
    """Parse the markers up to the picture's end, or up to the first invalid one."""
    found, kept = Markers(), [data[:2]]
    try:
        for segment in segments(data):
            found.take(segment)
            if segment.marker in (JFIF, ADOBE) or segment.marker not in UNNEEDED:
                kept.append(data[segment.start : segment.end])
    except (IndexError, struct.error):
        pass
    found.bare = b"".join(kept)
    return found


def opened(markers: Markers, side: int) -> Image.Image:
    """Return the first picture, not decoded yet, at the smallest size that the decoder supports of at least `side`.

    Raises what Pillow raises for damaged data, and InvalidArgument if more than the last rows are missing.
    """
    if markers.ended:
        return drafted(markers.bare, side)
    if any(markers.unfinished.values()) or not is_nearly_whole(markers, side):
        raise formats.damaged()
    return drafted(markers.bare + END_OF_IMAGE, side)


def drafted(data: bytes, side: int) -> Image.Image:
    """Return the picture, to be decoded at 1/2, 1/4 or 1/8 of its size if at least `side` pixels are left."""
    photo = JpegImagePlugin.JpegImageFile(io.BytesIO(data))
    photo.draft(photo.mode, asked_size(*photo.size, side))
    return photo


def asked_size(width: int, height: int, side: int) -> tuple[int, int]:
    """Return the size that the decoder is asked for: `side` on the longer side."""
    longer = max(width, height, 1)
    return max(1, width * side // longer), max(1, height * side // longer)


def drafted_size(width: int, height: int, side: int) -> tuple[int, int]:
    """Return the size that the decoder will give: neither side is below `asked_size`, and both are rounded up."""
    wide, high = asked_size(width, height, side)
    part = next(part for part in (8, 4, 2, 1) if part == 1 or (width // wide >= part and height // high >= part))
    return -(-width // part), -(-height // part)


def is_nearly_whole(markers: Markers, side: int) -> bool:
    """Whether the data of a picture without end marker reaches the last rows.

    With an end marker appended, any beginning of a JPEG decodes; missing parts are grey or blurred, and the decoder
    does not report where. So some more bytes are cut off: the lowest row that changes by this is the last one with
    data. Below it a progressive picture may be of one colour, for which a scan has no data.
    """
    photo = drafted(markers.bare + END_OF_IMAGE, side)
    allowed = max(MISSING_ROWS, MISSING_SHARE * photo.height)
    cut = LEAST_CUT
    while cut < len(markers.bare):
        changed = ImageChops.difference(photo, drafted(markers.bare[:-cut] + END_OF_IMAGE, side)).getbbox()
        if changed is not None:
            bottom = min(photo.height, -(-changed[3] // MISSING_ROWS) * MISSING_ROWS)  # whole blocks
            below = photo.crop((0, bottom, photo.width, photo.height))
            return photo.height - bottom <= allowed or (markers.progressive and is_flat(below))
        cut *= 4
    return False


def is_flat(photo: Image.Image) -> bool:
    """Whether the picture is of one colour, apart from the lowest bits."""
    ranges = [channel.getextrema() for channel in photo.split()]
    return all(most - least <= FLAT for least, most in ranges)  # type: ignore[operator]  # one pair a channel
