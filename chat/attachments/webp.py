"""WebP (RFC 9649): size and number of frames, parsed before the picture is decoded, since decoding takes memory."""

import struct

ANIMATED = 0x02
BYTES_A_PIXEL = 20  # the decoder's two canvases, the frame it gives, the picture, and its copy with alpha multiplied


def size_of(data: bytes) -> tuple[int, int, bool]:
    """Return (width, height, has several frames). Raises ValueError or IndexError for an invalid header."""
    name, body = data[12:16], data[20:]
    if name == b"VP8X":
        return (
            1 + int.from_bytes(body[4:7], "little"),
            1 + int.from_bytes(body[7:10], "little"),
            bool(body[0] & ANIMATED) and frames_of(data) > 1,
        )
    if name == b"VP8L" and body[0] == 0x2F:
        bits = int.from_bytes(body[1:5], "little")
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF), False
    if name == b"VP8 " and body[3:6] == b"\x9d\x01\x2a":
        width, height = struct.unpack("<HH", body[6:10])
        return width & 0x3FFF, height & 0x3FFF, False
    raise ValueError("no WebP")


def frames_of(data: bytes) -> int:
    """Return the number of frames of an animation, counted up to two."""
    at, count = 12, 0
    while at + 8 <= len(data) and count < 2:
        count += data[at : at + 4] == b"ANMF"
        length = int.from_bytes(data[at + 4 : at + 8], "little")
        at += 8 + length + length % 2
    return count
