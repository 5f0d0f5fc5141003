"""OGG: pages with checksums, which contain packets of Opus or Vorbis (RFC 3533, RFC 7845).

The second packet has the tags, possibly with pictures: it is replaced by an empty one, and all pages are rewritten.
"""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from chat.attachments.sound_track import DamagedSound, SoundTrack, UnusableSound
from chat.protocol.prompt import OGG

HEAD = struct.Struct("<4sBBqIIIB")
FIRST = 2
NOWHERE = -1
"""The position of a page on which no packet ends."""
OPUS, VORBIS = b"OpusHead", b"\x01vorbis"
NO_TAGS = {OPUS: b"OpusTags" + bytes(8), VORBIS: b"\x03vorbis" + bytes(8) + b"\x01"}
HEADERS = {OPUS: 2, VORBIS: 3}
"""The number of header packets. The sound begins on a new page after them (RFC 7845, 3; Vorbis I, A.2)."""
OPUS_RATE = 48_000
MIRRORED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


@dataclass(frozen=True, slots=True)
class OggPage:
    """One page. `lacing` has the lengths of its segments: a packet ends with the first one below 255."""

    flags: int
    position: int
    serial: int
    lacing: bytes
    body: bytes

    def written(self, number: int) -> bytes:
        """Return the page's bytes with this page number."""
        count = len(self.lacing)
        head = HEAD.pack(b"OggS", 0, self.flags, self.position, self.serial, number, 0, count) + self.lacing
        return head[:22] + checksum(head + self.body).to_bytes(4, "little") + head[26:] + self.body


def track_of(data: bytes) -> SoundTrack:
    """Return an OGG file of one Opus or Vorbis stream, without tags. Raises DamagedSound or UnusableSound."""
    pages = list(pages_of(data))
    kind = next((each for each in HEADERS if pages[0].body.startswith(each)), None)
    if kind is None:
        raise UnusableSound("An OGG file that holds neither Opus nor Vorbis cannot be used here")
    if any(page.serial != pages[0].serial or page.flags & FIRST for page in pages[1:]):
        raise UnusableSound("An OGG file with several streams in it cannot be used here")
    first_of_sound = headers_end(pages, HEADERS[kind])
    positions = [page.position for page in pages[first_of_sound:] if page.position != NOWHERE]
    if not positions or positions[-1] < 0:
        raise DamagedSound
    packets = list(packets_of(pages[:first_of_sound]))
    packets[1] = NO_TAGS[kind]
    kept = [pages[0], page_of(packets[1:], pages[0].serial), *pages[first_of_sound:]]
    skipped = int.from_bytes(pages[0].body[10:12], "little") if kind == OPUS else 0
    rate = OPUS_RATE if kind == OPUS else int.from_bytes(pages[0].body[12:16], "little")
    if not rate:
        raise DamagedSound
    seconds = max(positions[-1] - skipped, 0) / rate
    return SoundTrack(OGG, seconds, b"".join(page.written(number) for number, page in enumerate(kept)))


def pages_of(data: bytes) -> Iterator[OggPage]:
    """Yield all pages. Raises DamagedSound for a wrong checksum or header."""
    at = 0
    while at < len(data):
        sign, version, flags, position, serial, _, check, count = HEAD.unpack_from(data, at)
        lacing = data[at + HEAD.size : at + HEAD.size + count]
        end = at + HEAD.size + count + sum(lacing)
        if sign != b"OggS" or version or len(lacing) < count or end > len(data):
            raise DamagedSound
        if checksum(data[at : at + 22] + bytes(4) + data[at + 26 : end]) != check:
            raise DamagedSound
        yield OggPage(flags, position, serial, lacing, data[at + HEAD.size + count : end])
        at = end


def headers_end(pages: list[OggPage], packets: int) -> int:
    """Return the number of pages that the first `packets` packets fill exactly. Raises DamagedSound otherwise."""
    ended = 0
    for number, page in enumerate(pages, 1):
        ended += sum(length < 255 for length in page.lacing)
        if ended >= packets:
            if ended > packets or page.lacing[-1] == 255:
                break
            return number
    raise DamagedSound


def packets_of(pages: list[OggPage]) -> Iterator[bytes]:
    """Yield the packets that end on these pages."""
    packet = b""
    for page in pages:
        at = 0
        for length in page.lacing:
            packet += page.body[at : at + length]
            at += length
            if length < 255:
                yield packet
                packet = b""


def page_of(packets: list[bytes], serial: int) -> OggPage:
    """Return one page with these header packets. Raises DamagedSound if they do not fit."""
    lacing = b"".join(b"\xff" * (len(packet) // 255) + bytes((len(packet) % 255,)) for packet in packets)
    if len(lacing) > 255:
        raise DamagedSound
    return OggPage(0, 0, serial, lacing, b"".join(packets))


def checksum(data: bytes) -> int:
    """Return OGG's CRC-32: zlib's polynomial with reversed bits, and 0 as the initial value."""
    found = zlib.crc32(data.translate(MIRRORED), 0xFFFFFFFF) ^ 0xFFFFFFFF
    return int(f"{found:032b}"[::-1], 2)
