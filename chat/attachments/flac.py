"""FLAC: metadata blocks, of which one is required, then frames (RFC 9639)."""

from chat.attachments.sound_track import DamagedSound, SoundTrack, UnusableSound
from chat.protocol.prompt import FLAC

STREAMINFO, STREAMINFO_BYTES, LAST = 0, 34, 0x80


def track_of(data: bytes) -> SoundTrack:
    """Return a FLAC file with only STREAMINFO and the frames, without tags, pictures and cue sheet. Raises DamagedSound
    or UnusableSound."""
    at, info, is_last = 4, b"", False
    while not is_last:
        head = data[at : at + 4]
        if len(head) < 4:
            raise DamagedSound
        is_last, size = bool(head[0] & LAST), int.from_bytes(head[1:])
        if head[0] & ~LAST == STREAMINFO:
            info = data[at + 4 : at + 4 + size]
        at += 4 + size
    frames = data[at:]
    if len(info) != STREAMINFO_BYTES or frames[:1] != b"\xff" or frames[1:2] not in (b"\xf8", b"\xf9"):
        raise DamagedSound
    rate, samples = int.from_bytes(info[10:13]) >> 4, int.from_bytes(info[13:18]) & (1 << 36) - 1
    if not rate:
        raise DamagedSound
    if not samples:
        raise UnusableSound("A FLAC file that does not say how long it is cannot be used here")
    head = b"fLaC" + bytes((STREAMINFO | LAST,)) + STREAMINFO_BYTES.to_bytes(3)
    return SoundTrack(FLAC, samples / rate, head + info + frames)
