"""AVIF: its size, before anything is given to a decoder that takes memory for it (ISO/IEC 23008-12, 6.5.3)."""

import struct

BYTES_A_PIXEL = 16  # the decoder's planes, the frame it gives, the picture, and its copy with alpha multiplied
HEAD = 64 * 1024


def size_of(data: bytes) -> tuple[int, int]:
    """(width, height): the largest that an `ispe` box near the beginning names; ValueError where there is none."""
    found, at = [], 0
    head = data[:HEAD]
    while (at := head.find(b"ispe", at)) >= 0:
        if len(head) >= at + 16:
            found.append(struct.unpack_from(">II", head, at + 8))
        at += 4
    width, height = max(found, key=lambda size: size[0] * size[1])
    return width, height
