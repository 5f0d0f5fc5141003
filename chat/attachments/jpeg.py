"""JPEG: what its markers say, and whether enough of it has arrived (ITU-T T.81, annex B).

The markers are walked here because Pillow does not tell where a picture ends: phones append more pictures (depth,
brightness) and whole films, and some programs leave out the end.
"""

import io
import re
import struct
from dataclasses import dataclass, field

from PIL import Image, ImageChops, JpegImagePlugin

from chat.attachments import exif, formats

FILL, START, TEMPORARY, END, SCAN, COMMENT = 0xFF, 0xD8, 0x01, 0xD9, 0xDA, 0xFE
JFIF, ADOBE = 0xE0, 0xEE
APPLICATIONS = frozenset(range(0xE0, 0xF0))
PROFILE = b"ICC_PROFILE\0"  # then the part's number from 1, how many there are, and the part (ICC.1:2022, B.4)
RESTARTS = range(0xD0, 0xD8)
FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
PROGRESSIVE = frozenset({0xC2, 0xC6, 0xCA, 0xCE})
MARKER_IN_DATA = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")
END_OF_IMAGE = b"\xff\xd9"
MOST_SCANS = 64
"""Progressive pictures have about ten; each scan is work over the whole picture, so that thousands stop a processor."""
LEAST_CUT = 64
MISSING_ROWS, MISSING_SHARE = 16, 0.05
"""What a photo may lack at its bottom and still be taken: one row of blocks, or that share of its height."""
FLAT = 8
COEFFICIENTS = frozenset(range(64))


@dataclass(slots=True)
class Markers:
    """What a file says of its first picture. `bare` is the picture without the segments of applications, which a
    decoder need not see; `ended` tells whether its end was found."""

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
        """Bytes that the decoder takes beside the picture: a progressive one is held as coefficients of two bytes."""
        return int(self.width * self.height * self.samples * 2) if self.progressive else 0

    @property
    def profile(self) -> bytes:
        """The embedded profile; empty where there is none, or not all of it."""
        return b"".join(self.parts[number] for number in sorted(self.parts))

    def application(self, body: bytes) -> None:
        """A segment of an application: the turn of the camera, a part of a profile, or nothing that changes pixels."""
        if body.startswith(exif.PREFIX) and not self.exif:
            self.exif = body
        elif body.startswith(PROFILE) and len(body) > len(PROFILE) + 2:
            self.parts[body[len(PROFILE)]] = body[len(PROFILE) + 2 :]

    def frame(self, marker: int, body: bytes) -> None:
        """A frame header."""
        _, self.height, self.width, count = struct.unpack_from(">BHHB", body)
        factors = {body[at]: body[at + 1] for at in range(6, 6 + 3 * count, 3)}
        areas = {component: (factor >> 4) * (factor & 15) for component, factor in factors.items()}
        self.samples = sum(areas.values()) / max(1, *areas.values(), 1)
        self.progressive = marker in PROGRESSIVE
        self.unfinished = dict.fromkeys(areas, COEFFICIENTS)

    def scan(self, body: bytes) -> None:
        """A scan header: the coefficients that are known to the last bit once this scan has been read."""
        self.scans += 1
        count = body[0]
        first, last, bits = body[1 + 2 * count], body[2 + 2 * count], body[3 + 2 * count]
        if bits & 15 == 0:
            for component in body[1 : 1 + 2 * count : 2]:
                self.unfinished[component] = self.unfinished.get(component, COEFFICIENTS) - set(range(first, last + 1))


def markers_of(data: bytes) -> Markers:
    """Walk the markers to the picture's end; whatever cannot be understood is the end of the data."""
    found, at, end, kept = Markers(), 2, len(data), [data[:2]]
    try:
        while (start := data.find(b"\xff", at)) >= 0:
            marker, at = data[start + 1], start + 2
            if marker == END:
                found.ended, end = True, at
                kept.append(END_OF_IMAGE)
                break
            if marker in (FILL, 0):
                at = start + 1
            elif marker not in (START, TEMPORARY) and marker not in RESTARTS:
                at += int.from_bytes(data[at : at + 2])
                segment(found, marker, data[start + 4 : at])
                if marker == SCAN:
                    inside = MARKER_IN_DATA.search(data, at)
                    at = inside.start() if inside else end
                if marker in (JFIF, ADOBE) or (marker != COMMENT and marker not in APPLICATIONS):
                    kept.append(data[start:at])
    except (IndexError, struct.error):
        pass
    found.bare = b"".join(kept)
    return found


def segment(found: Markers, marker: int, body: bytes) -> None:
    """Note what one segment says."""
    if marker in FRAMES:
        found.frame(marker, body)
    elif marker == SCAN:
        found.scan(body)
    elif marker in APPLICATIONS:
        found.application(body)


def opened(markers: Markers, side: int) -> Image.Image:
    """The first picture, not decoded yet, at the smallest size that the decoder gives of at least `side`.

    Raises what Pillow raises on damage, and InvalidArgument where more than the last rows are missing.
    """
    if markers.ended:
        return drafted(markers.bare, side)
    if any(markers.unfinished.values()) or not is_nearly_whole(markers, side):
        raise formats.damaged()
    return drafted(markers.bare + END_OF_IMAGE, side)


def drafted(data: bytes, side: int) -> Image.Image:
    """The picture, to be decoded at a half, a quarter or an eighth where that leaves `side` pixels."""
    photo = JpegImagePlugin.JpegImageFile(io.BytesIO(data))
    photo.draft(photo.mode, asked_size(*photo.size, side))
    return photo


def asked_size(width: int, height: int, side: int) -> tuple[int, int]:
    """The least size that the decoder is asked for: at most `side` on the longer side."""
    longer = max(width, height, 1)
    return max(1, width * side // longer), max(1, height * side // longer)


def drafted_size(width: int, height: int, side: int) -> tuple[int, int]:
    """The size that it decodes to: neither side below what is asked for, and rounded up."""
    wide, high = asked_size(width, height, side)
    part = next(part for part in (8, 4, 2, 1) if part == 1 or (width // wide >= part and height // high >= part))
    return -(-width // part), -(-height // part)


def is_nearly_whole(markers: Markers, side: int) -> bool:
    """Whether the data goes down to the last rows.

    With an end put behind it any beginning of a JPEG decodes, what is missing as grey or as a blur, and nothing tells
    where. So some more is cut off: the lowest row that this changes is the row that the data goes down to. Under it a
    progressive picture may be of one colour, for which a scan has no data.
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
    """Whether the picture is of one colour, but for the last bits."""
    ranges = [channel.getextrema() for channel in photo.split()]
    return all(most - least <= FLAT for least, most in ranges)  # type: ignore[operator]  # one pair a channel
