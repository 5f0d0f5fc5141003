"""WAV: a RIFF file whose chunks `fmt ` and `data` are the sound (http://soundfile.sapp.org/doc/WaveFormat/)."""

import struct

from chat.attachments.sound_track import DamagedSound, SoundTrack, UnusableSound
from chat.protocol.prompt import WAV

PCM, FLOAT, EXTENSIBLE = 1, 3, 0xFFFE
UNKNOWN = 0x7FFFF000
"""Larger sizes mean "up to the end of the file": ffmpeg and sox write them into pipes, because they cannot seek
back."""
GUID_TAIL = b"\x00\x00\x00\x00\x10\x00\x80\x00\x00\xaa\x00\x38\x9b\x71"


def track_of(data: bytes) -> SoundTrack:
    """Return a WAV file with only the samples and their format. Raises DamagedSound, or UnusableSound for compressed
    samples."""
    form, sound = b"", None
    at = 12
    while at + 8 <= len(data) and sound is None:
        name, size = data[at : at + 4], int.from_bytes(data[at + 4 : at + 8], "little")
        at += 8
        if name == b"data":
            sound = data[at : at + size]
            if len(sound) < size < UNKNOWN:
                raise DamagedSound
        elif name == b"fmt ":
            form = data[at : at + size]
        at += size + size % 2
    if sound is None or len(form) < 16:
        raise DamagedSound
    return written(*layout_of(form), sound)


def layout_of(form: bytes) -> tuple[int, int, int, int]:
    """Return (PCM or FLOAT, channels, samples per second, bits per sample) of a `fmt ` chunk."""
    tag, channels, rate, _, block, bits = struct.unpack("<HHIIHH", form[:16])
    if tag == EXTENSIBLE and form[26:40] == GUID_TAIL:
        tag = int.from_bytes(form[24:26], "little")
    if tag not in (PCM, FLOAT):
        raise UnusableSound("A WAV file with compressed samples cannot be used here")
    if bits not in ((32, 64) if tag == FLOAT else (8, 16, 24, 32)) or block != channels * bits // 8:
        raise DamagedSound
    if not (1 <= channels <= 8 and 1_000 <= rate <= 384_000):
        raise DamagedSound
    return tag, channels, rate, bits


def written(tag: int, channels: int, rate: int, bits: int, sound: bytes) -> SoundTrack:
    """Return the new file. Raises DamagedSound without samples."""
    block = channels * bits // 8
    sound = sound[: len(sound) // block * block]
    if not sound:
        raise DamagedSound
    head = struct.pack("<4sI4s4sIHHIIHH4sI", b"RIFF", 36 + len(sound) + len(sound) % 2, b"WAVE", b"fmt ", 16, tag,
                       channels, rate, rate * block, block, bits, b"data", len(sound))  # fmt: skip
    return SoundTrack(WAV, len(sound) / (rate * block), head + sound + b"\0" * (len(sound) % 2))
