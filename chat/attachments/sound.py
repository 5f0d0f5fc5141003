"""A sound as it is kept: of a known format, of a known length, and without what its file says beside the sound.

    kind_of(data)        the format by the first bytes; None for what is no sound that is known here
    cleaned(data, most)  Sound: its type, its length in seconds, its bytes anew

    wav.py  mpeg.py (MP3, AAC)  flac.py  ogg.py (Opus, Vorbis)
                         each reads a file of its format to the end, and gives back nothing but the sound

Nothing is decoded or encoded anew: what a model hears are the samples as they were sent. Tags, pictures, places and
chunks of other programs are left out. `cleaned` of what it gave gives the same bytes again. For a thread: a large file
takes some ten milliseconds.
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
    """The type of a sound by its first bytes, as in `SUFFIXES`; neither its name nor its declared type is looked at."""
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
    """The sound, at most `seconds` long. TooLarge, UnsupportedMediaType or InvalidArgument say what is wrong."""
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
