"""The orientation in a photo's EXIF data, the only entry that changes the picture.

XMP's orientation is ignored, and so is invalid EXIF data, as browsers do.
"""

import struct

from PIL import Image

PREFIX = b"Exif\0\0"
ORIENTATION, SHORT = 0x0112, 3
MOST_ENTRIES = 512

TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""The operation that makes a picture upright, by its orientation (Exif 2.32, 4.6.4 A); others are upright."""


def orientation_of(exif: bytes) -> int:
    """Return the orientation, 1 to 8, of a block that begins with a TIFF header, or with `Exif\\0\\0` before it."""
    tiff = exif.removeprefix(PREFIX)
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(tiff[:4])
    try:
        if order is None:
            return 1
        (first,) = struct.unpack_from(f"{order}I", tiff, 4)
        (entries,) = struct.unpack_from(f"{order}H", tiff, first)
        for number in range(min(entries, MOST_ENTRIES)):
            tag, kind, count, value = struct.unpack_from(f"{order}HHIH", tiff, first + 2 + number * 12)
            if tag == ORIENTATION:
                return int(value) if kind == SHORT and count == 1 and 1 <= value <= 8 else 1
    except struct.error:
        pass
    return 1


def upright(photo: Image.Image, orientation: int) -> Image.Image:
    """Return the photo turned upright."""
    return photo.transpose(TURNS[orientation]) if orientation in TURNS else photo
