"""PNG (W3C, third edition): the chunks that affect the picture, and the file without all others.

Pillow gets only the critical chunks and the transparency. So a damaged or huge text chunk, which browsers ignore, does
not make a photo unusable, and the colour chunks are interpreted in one place (`colour.py`).
"""

import io
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field

from PIL import Image, ImageChops, PngImagePlugin

SIGNATURE = b"\x89PNG\r\n\x1a\n"
CRITICAL = (b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND")
BEFORE_PIXELS = (b"iCCP", b"sRGB", b"gAMA", b"cHRM", b"cICP")
MOST_PROFILE = 4 * 2**20
GREY, PALETTE, ALPHA = 0, 3, 4


@dataclass(slots=True)
class PngChunks:
    """A parsed PNG: `bare` has the chunks for Pillow, `other` the contents of those about transparency, colour and
    orientation, the first of each name."""

    width: int
    height: int
    depth: int
    colour: int
    bare: list[bytes] = field(default_factory=lambda: [SIGNATURE])
    other: dict[bytes, bytes] = field(default_factory=dict)
    is_moving: bool = False

    @property
    def memory(self) -> int:
        """Bytes for decoding: four per pixel, and as many again if the picture is converted."""
        converted = self.depth == 16 or self.colour in (PALETTE, ALPHA, ALPHA + 2) or b"tRNS" in self.other
        return self.width * self.height * (8 if converted else 4)

    @property
    def profile(self) -> bytes:
        """The embedded ICC profile; b"" if there is none or it is damaged."""
        _, _, compressed = self.other.get(b"iCCP", b"").partition(b"\0")
        try:
            return zlib.decompressobj().decompress(compressed[1:], MOST_PROFILE)
        except zlib.error:
            return b""


def walked(data: bytes) -> Iterator[tuple[bytes, bytes, bytes]]:
    """Yield (name, content, whole chunk) in order. Ancillary chunks with a wrong checksum are skipped; those of
    critical chunks are left to the decoder."""
    at = len(SIGNATURE)
    while at + 8 <= len(data):
        length, name = struct.unpack_from(">I4s", data, at)
        whole = data[at : at + 12 + length]
        at += 12 + length
        content = whole[8 : 8 + length]
        if name in CRITICAL or whole[8 + length :] == struct.pack(">I", zlib.crc32(whole[4 : 8 + length])):
            yield name, content, whole


def chunks_of(data: bytes) -> PngChunks:
    """Parse the chunks. Raises struct.error or ValueError for an invalid header."""
    parts = walked(data)
    name, header, whole = next(parts, (b"", b"", b""))
    if name != b"IHDR":
        raise ValueError("no IHDR")
    found = PngChunks(*struct.unpack_from(">IIBB", header))
    found.bare.append(whole)
    pixels = False
    for name, content, whole in parts:
        if name in CRITICAL:
            pixels = pixels or name == b"IDAT"
            found.bare.append(whole)
        if name == b"acTL" and not pixels:
            found.is_moving = int.from_bytes(content[:4]) > 1  # some programs say of every picture that it has one
        if name in (b"eXIf", b"tRNS") or (name in BEFORE_PIXELS and not pixels):
            found.other.setdefault(name, content)
    return found


def opened(chunks: PngChunks) -> Image.Image:
    """Return the picture with 8 bits per channel, and its transparency as an alpha channel."""
    photo: Image.Image = PngImagePlugin.PngImageFile(io.BytesIO(b"".join(chunks.bare)))
    clear = chunks.other.get(b"tRNS", b"")
    photo.load()
    if chunks.colour == GREY:
        grey = eight_bits(photo) if photo.mode.startswith("I") else photo.convert("L")
        if len(clear) < 2:
            return grey
        return with_clear_grey(photo, grey, int.from_bytes(clear[:2]), chunks.depth)
    if chunks.depth == 16 and clear and chunks.colour != PALETTE:
        photo.info["transparency"] = tuple(clear[at] for at in (0, 2, 4))  # Pillow keeps the upper eight bits
    return photo.convert("RGBA") if photo.has_transparency_data and photo.mode != "LA" else photo


def eight_bits(photo: Image.Image) -> Image.Image:
    """Convert 16-bit grey to 8 bits; 65,535 is white."""
    return photo.convert("I").point(lambda value: value * (1 / 257) + 0.5).convert("L")


def with_clear_grey(photo: Image.Image, grey: Image.Image, clear: int, depth: int) -> Image.Image:
    """Return the grey picture, transparent where a sample equals `clear`, which has `depth` bits."""
    if depth == 16:
        distance = photo.convert("I").point(lambda value: value * 1 - clear)
        above = distance.convert("L")
        below = distance.point(lambda value: value * -1 + 0).convert("L")
        alpha = ImageChops.lighter(above, below).point(lambda far: 255 if far else 0)
    else:
        shade = clear * 255 // (2**depth - 1)
        alpha = grey.point(lambda value: 0 if value == shade else 255)
    return Image.merge("LA", (grey, alpha))
