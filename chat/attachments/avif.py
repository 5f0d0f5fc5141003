"""AVIF: the size of a picture, parsed before it is decoded, since decoding takes memory (ISO/IEC 23008-12, 6.5.3)."""

import struct

BYTES_A_PIXEL = 16  # the decoder's planes, the frame it gives, the picture, and its copy with alpha multiplied
HEAD = 64 * 1024


def size_of(data: bytes) -> tuple[int, int]:
    """Return the largest (width, height) in the `ispe` boxes of the first HEAD bytes. Raises ValueError without any."""
    found, at = [], 0
    head = data[:HEAD]
    while (at := head.find(b"ispe", at)) >= 0:
        if len(head) >= at + 16:
            found.append(struct.unpack_from(">II", head, at + 8))
        at += 4
    width, height = max(found, key=lambda size: size[0] * size[1])
    return width, height
