"""Small pictures for the tests of photos, and how they look once they are kept."""

import io
import struct
import zlib
from typing import Any

from PIL import Image, ImageDraw

from chat.attachments import colour, picture

BOUNDS = picture.Bounds(200_000_000, 512 * 2**20)
SIZE = (96, 64)
P3: colour.Chromaticities = (0.3127, 0.3290, 0.680, 0.320, 0.265, 0.690, 0.150, 0.060)
P3_TO_SRGB = ((1.2249, -0.2247, 0.0), (-0.0420, 1.0419, 0.0), (-0.0197, -0.0786, 1.0979))  # CSS Color 4, linear light
TURNED = {1: (0, 0), 2: (1, 0), 3: (1, 1), 4: (0, 1), 5: (0, 0), 6: (1, 0), 7: (1, 1), 8: (0, 1)}
"""Where the file's upper left corner is seen, by orientation: (right, bottom)."""


def seen(data: bytes, bounds: picture.Bounds = BOUNDS) -> Image.Image:
    """The kept photo."""
    kept, width, height = picture.reencode(picture.source_of(data, bounds))
    photo = Image.open(io.BytesIO(kept))
    assert photo.size == (width, height)
    return photo


def saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def shade(data: bytes, at: tuple[int, int] = (32, 32)) -> tuple[int, ...]:
    pixel = seen(data).getpixel(at)
    assert isinstance(pixel, tuple)
    return pixel


def close(found: tuple[int, ...], wanted: tuple[int, ...], by: int = 4) -> bool:
    return all(abs(a - b) <= by for a, b in zip(found, wanted, strict=True))


def chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def png(depth: int, kind: int, row: bytes, *between: bytes, size: tuple[int, int] = SIZE) -> bytes:
    """A PNG whose rows are all the same, with other chunks before its pixels."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", *size, depth, kind, 0, 0, 0))
    pixels = chunk(b"IDAT", zlib.compress((b"\0" + row) * size[1]))
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(between) + pixels + chunk(b"IEND", b"")


def noise(size: tuple[int, int] = (640, 480)) -> Image.Image:
    """A picture without a flat place."""
    return Image.merge("RGB", [Image.effect_noise(size, 90) for _ in range(3)])


def srgb_light(value: float) -> float:
    return value / 12.92 if value <= 0.04045 else float(((value + 0.055) / 1.055) ** 2.4)


def srgb_signal(light: float) -> int:
    light = min(1.0, max(0.0, light))
    return round(255 * (light * 12.92 if light <= 0.0031308 else 1.055 * light ** (1 / 2.4) - 0.055))


def p3_in_srgb(pixel: tuple[int, ...]) -> tuple[int, ...]:
    lights = [srgb_light(value / 255) for value in pixel]
    return tuple(srgb_signal(sum(a * b for a, b in zip(row, lights, strict=True))) for row in P3_TO_SRGB)


P3_PROFILE = colour.matrix_profile(P3, colour.SRGB_CURVE)


def tiff(orientation: int, order: str = "<", kind: int = 3) -> bytes:
    mark = b"II*\0" if order == "<" else b"MM\0*"
    return mark + struct.pack(f"{order}IHHHIHHI", 8, 1, 0x0112, kind, 1, orientation, 0, 0)


def marked() -> Image.Image:
    """Red in its upper left corner."""
    image = Image.new("RGB", SIZE, "white")
    ImageDraw.Draw(image).rectangle((0, 0, 31, 31), fill="red")
    return image
