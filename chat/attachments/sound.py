"""Checks a sound's format and length, and removes metadata from its file.

    kind_of(data)           the MIME type by the first bytes; None for other files
    cleaned(data, seconds)  SoundTrack: MIME type, length in seconds, the new file

    wav.py  mpeg.py (MP3, AAC)  flac.py  ogg.py (Opus, Vorbis)
                            the parsers: each reads a file to its end, and returns only the sound

The samples are not encoded again, so a model hears them as they were sent. Tags, pictures, locations and chunks of
other programs are removed. `cleaned` is idempotent. It takes some 10 ms for a large file: call it in a thread.
"""

import struct
from collections.abc import Callable

from chat.attachments import flac, mpeg, ogg, wav
from chat.attachments.sound_track import DamagedSound, SoundTrack, UnusableSound
from chat.protocol.errors import InvalidArgument, TooLarge, UnsupportedMediaType
from chat.protocol.prompt import AAC, FLAC, MP3, OGG, WAV

TAKEN = "send WAV, MP3, AAC, FLAC or OGG."
NOT_A_SOUND = f"This is no sound that can be used: {TAKEN}"
READERS: dict[str, Callable[[bytes], SoundTrack]] = {
    WAV: wav.track_of,
    MP3: mpeg.track_of_mp3,
    AAC: mpeg.track_of_aac,
    FLAC: flac.track_of,
    OGG: ogg.track_of,
}
REFUSED: tuple[tuple[int, bytes, str], ...] = (
    (4, b"ftyp", f"M4A and MP4 sounds cannot be used here: {TAKEN}"),
    (0, b"\x1aE\xdf\xa3", f"WebM sounds cannot be used here: {TAKEN}"),
    (0, b"FORM", f"AIFF sounds cannot be used here: {TAKEN}"),
    (0, b"#!AMR", f"AMR sounds cannot be used here: {TAKEN}"),
    (0, b"MThd", f"A MIDI file holds notes and no sound: {TAKEN}"),
)
SUFFIXES = {WAV: "wav", MP3: "mp3", AAC: "aac", FLAC: "flac", OGG: "ogg"}


def kind_of(data: bytes) -> str | None:
    """Return the MIME type (a key of SUFFIXES) by the first bytes, or None; name and declared type are ignored."""
    if data[:4] == b"RIFF" and data[8:12] == b"WAVE":
        return WAV
    if data[:4] in (b"fLaC", b"OggS"):
        return FLAC if data[:4] == b"fLaC" else OGG
    head = mpeg.without_tags(data)[:2] if data[:3] == b"ID3" else data[:2]
    if len(head) < 2 or head[0] != 0xFF or head[1] & 0xE0 != 0xE0:
        return None
    layer = head[1] & 0x06
    return AAC if layer == 0 and head[1] & 0xF0 == 0xF0 else MP3 if layer == 2 else None


def cleaned(data: bytes, seconds: int) -> SoundTrack:
    """Return the sound without metadata. Raises TooLarge if it is longer than `seconds`, UnsupportedMediaType, or
    InvalidArgument for damaged data."""
    kind = kind_of(data)
    if kind is None:
        raise UnsupportedMediaType(next((text for at, sign, text in REFUSED if data.startswith(sign, at)), NOT_A_SOUND))
    try:
        track = READERS[kind](data)
    except UnusableSound as why:
        raise UnsupportedMediaType(f"{why}: {TAKEN}") from None
    except (DamagedSound, struct.error, IndexError):
        raise InvalidArgument("The sound cannot be read: its data is damaged.") from None
    if track.seconds > seconds:
        raise TooLarge(f"The sound is longer than {seconds} seconds.")
    return track
