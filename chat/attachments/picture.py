"""A photo as it is meant to be seen, from bytes to a new JPEG. Everything here is for a thread.

    source_of(data, bounds)   looks only: the format, the size, what colours mean; refuses what is too large
    reencode(source)          decodes: upright, in sRGB, on white, at most LONG_SIDE pixels, without metadata

A photo is bounded by the memory that it takes to decode, not by its pixels: a JPEG is decoded at a fraction of it.
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
"""What Pillow and the readers of headers raise on data that is damaged."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """The most that a photo may have: pixels, and bytes of memory while it is decoded."""

    pixels: int
    memory: int

    def check(self, width: int, height: int, memory: int) -> None:
        """Refuse what is more with TooLarge."""
        if width * height > self.pixels:
            raise formats.too_many_pixels(self.pixels)
        if memory > self.memory:
            raise formats.too_much_memory(width, height)


@dataclass(frozen=True, slots=True)
class SourcePhoto:
    """A photo that was looked at: `decode` opens it, `memory` is what that takes in bytes."""

    decode: Callable[[], Image.Image]
    memory: int
    profile: bytes | None = None
    """None: it stands in the opened picture."""
    exif: bytes | None = None


def source_of(data: bytes, bounds: Bounds) -> SourcePhoto:
    """Look at a photo. TooLarge, UnsupportedMediaType or InvalidArgument where it cannot be used."""
    look = {formats.JPEG: of_jpeg, formats.PNG: of_png, formats.WEBP: of_webp, formats.AVIF: of_avif}
    kind = formats.kind_of(data)
    try:
        return look[kind](data, bounds)
    except DAMAGE:
        raise formats.damaged() from None


def of_jpeg(data: bytes, bounds: Bounds) -> SourcePhoto:
    """A JPEG; of several pictures the first one."""
    markers = jpeg.markers_of(data)
    if markers.scans > jpeg.MOST_SCANS:
        raise formats.damaged()
    bounds.check(markers.width, markers.height, 0)
    width, height = jpeg.drafted_size(markers.width, markers.height, LONG_SIDE)
    memory = 4 * width * height + markers.memory
    bounds.check(markers.width, markers.height, memory)
    return SourcePhoto(lambda: jpeg.opened(markers, LONG_SIDE), memory, markers.profile, markers.exif)


def of_png(data: bytes, bounds: Bounds) -> SourcePhoto:
    """A PNG of one picture."""
    chunks = png.chunks_of(data)
    bounds.check(chunks.width, chunks.height, chunks.memory)
    if chunks.is_moving:
        raise formats.moving()
    profile = colour.profile_of_png(chunks.other, chunks.profile)
    return SourcePhoto(lambda: png.opened(chunks), chunks.memory, profile, chunks.other.get(b"eXIf", b""))


def of_webp(data: bytes, bounds: Bounds) -> SourcePhoto:
    """A WebP of one picture."""
    width, height, moves = webp.size_of(data)
    memory = width * height * webp.BYTES_A_PIXEL
    bounds.check(width, height, memory)
    if moves:
        raise formats.moving()
    return SourcePhoto(lambda: WebPImagePlugin.WebPImageFile(io.BytesIO(data)), memory)


def of_avif(data: bytes, bounds: Bounds) -> SourcePhoto:
    """An AVIF of one picture."""
    width, height = avif.size_of(data)
    memory = width * height * avif.BYTES_A_PIXEL
    bounds.check(width, height, memory)
    return SourcePhoto(lambda: AvifImagePlugin.AvifImageFile(io.BytesIO(data)), memory)


def reencode(source: SourcePhoto) -> tuple[bytes, int, int]:
    """(JPEG, width, height) of the photo; InvalidArgument where its data is damaged."""
    try:
        photo = source.decode()
        if 4 * photo.width * photo.height > source.memory:
            raise formats.damaged()  # its headers say two sizes
        photo.load()
        profile = source.profile if source.profile is not None else photo.info.get("icc_profile") or b""
        turned = exif.orientation_of(source.exif if source.exif is not None else photo.info.get("exif") or b"")
        return encoded(photo, profile, turned)
    except DAMAGE:
        raise formats.damaged() from None


def encoded(photo: Image.Image, profile: bytes, orientation: int) -> tuple[bytes, int, int]:
    """Made smaller, then in sRGB, on white where it was transparent, then upright."""
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
    """The photo in a mode whose numbers can be averaged, and not those of another picture in a palette."""
    if photo.mode in ("L", "LA", "RGB", "RGBA", "CMYK"):
        return photo
    if photo.mode == "1":
        return photo.convert("L")
    return photo.convert("RGBA" if photo.has_transparency_data else "RGB")
