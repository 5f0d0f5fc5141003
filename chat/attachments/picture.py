"""Decodes an uploaded photo and encodes it as a new JPEG. Everything here blocks: call it in a thread.

    source_of(data, bounds)   parse the headers: format, size, colours; refuse photos that are too large
    reencode(source)          decode and encode: upright, in sRGB, on white, at most LONG_SIDE pixels, without metadata

The limits are pixels and the memory for decoding, which is lower for a JPEG, because it is decoded at a reduced size.
"""

import io
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass

from PIL import AvifImagePlugin, Image, WebPImagePlugin

from chat.attachments import avif, colour, exif, formats, jpeg, png, webp

LONG_SIDE = 1600
QUALITY = 88
DAMAGE = (
    *(ArithmeticError, AssertionError, AttributeError, LookupError, OSError, RuntimeError, SyntaxError, TypeError),
    *(ValueError, struct.error, zlib.error),
)
"""What Pillow and the parsers raise for damaged data."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """The limits of a photo: pixels, and bytes of memory for decoding."""

    pixels: int
    memory: int

    def check(self, width: int, height: int, memory: int) -> None:
        """Raise TooLarge if a photo exceeds a limit."""
        if width * height > self.pixels:
            raise formats.too_many_pixels(self.pixels)
        if memory > self.memory:
            raise formats.too_much_memory(width, height)


@dataclass(frozen=True, slots=True)
class SourcePhoto:
    """A photo with parsed headers. `decode` opens it, `memory` is the number of bytes that takes."""

    decode: Callable[[], Image.Image]
    memory: int
    profile: bytes | None = None
    """The ICC profile; None if it is to be read from the opened picture, as `exif` is."""
    exif: bytes | None = None


def source_of(data: bytes, bounds: Bounds) -> SourcePhoto:
    """Parse a photo's headers. Raises TooLarge, UnsupportedMediaType, or InvalidArgument for damaged data."""
    look = {formats.JPEG: of_jpeg, formats.PNG: of_png, formats.WEBP: of_webp, formats.AVIF: of_avif}
    kind = formats.kind_of(data)
    try:
        return look[kind](data, bounds)
    except DAMAGE:
        raise formats.damaged() from None


def of_jpeg(data: bytes, bounds: Bounds) -> SourcePhoto:
    """Parse a JPEG; of several pictures only the first one."""
    markers = jpeg.markers_of(data)
    if markers.scans > jpeg.MOST_SCANS:
        raise formats.damaged()
    bounds.check(markers.width, markers.height, 0)
    width, height = jpeg.drafted_size(markers.width, markers.height, LONG_SIDE)
    memory = 4 * width * height + markers.memory
    bounds.check(markers.width, markers.height, memory)
    return SourcePhoto(lambda: jpeg.opened(markers, LONG_SIDE), memory, markers.profile, markers.exif)


def of_png(data: bytes, bounds: Bounds) -> SourcePhoto:
    """Parse a PNG. Raises UnsupportedMediaType for an animation."""
    chunks = png.chunks_of(data)
    bounds.check(chunks.width, chunks.height, chunks.memory)
    if chunks.is_moving:
        raise formats.moving()
    profile = colour.profile_of_png(chunks.other, chunks.profile)
    return SourcePhoto(lambda: png.opened(chunks), chunks.memory, profile, chunks.other.get(b"eXIf", b""))


def of_webp(data: bytes, bounds: Bounds) -> SourcePhoto:
    """Parse a WebP. Raises UnsupportedMediaType for an animation."""
    width, height, moves = webp.size_of(data)
    memory = width * height * webp.BYTES_A_PIXEL
    bounds.check(width, height, memory)
    if moves:
        raise formats.moving()
    return SourcePhoto(lambda: WebPImagePlugin.WebPImageFile(io.BytesIO(data)), memory)


def of_avif(data: bytes, bounds: Bounds) -> SourcePhoto:
    """Parse an AVIF."""
    width, height = avif.size_of(data)
    memory = width * height * avif.BYTES_A_PIXEL
    bounds.check(width, height, memory)
    return SourcePhoto(lambda: AvifImagePlugin.AvifImageFile(io.BytesIO(data)), memory)


def reencode(source: SourcePhoto) -> tuple[bytes, int, int]:
    """Return the photo as (JPEG, width, height). Raises InvalidArgument for damaged data."""
    try:
        photo = source.decode()
        if 4 * photo.width * photo.height > source.memory:
            raise formats.damaged()  # its headers contradict each other about the size
        photo.load()
        profile = source.profile if source.profile is not None else photo.info.get("icc_profile") or b""
        turned = exif.orientation_of(source.exif if source.exif is not None else photo.info.get("exif") or b"")
        return encoded(photo, profile, turned)
    except DAMAGE:
        raise formats.damaged() from None


def encoded(photo: Image.Image, profile: bytes, orientation: int) -> tuple[bytes, int, int]:
    """Scale the photo down, convert it to sRGB, put it on white if it is transparent, turn it upright, encode it."""
    small = resizable(photo)
    small.thumbnail((LONG_SIDE, LONG_SIDE))
    alpha = small.getchannel("A") if small.mode in ("RGBA", "LA") else None
    plain = small.convert(small.mode.removesuffix("A")) if alpha is not None else small
    canvas = colour.to_srgb(plain, profile)
    if alpha is not None:
        canvas = Image.composite(canvas, Image.new("RGB", canvas.size, "white"), alpha)
    kept = exif.upright(canvas, orientation)
    kept.info.clear()
    out = io.BytesIO()
    kept.save(out, "JPEG", quality=QUALITY, optimize=True)
    return out.getvalue(), kept.width, kept.height


def resizable(photo: Image.Image) -> Image.Image:
    """Convert the photo to a mode in which pixels can be averaged, which indexes of a palette cannot."""
    if photo.mode in ("L", "LA", "RGB", "RGBA", "CMYK"):
        return photo
    if photo.mode == "1":
        return photo.convert("L")
    return photo.convert("RGBA" if photo.has_transparency_data else "RGB")
